/**
 * What a sink does not want, or the mapping cannot read: JSON lines in `dead-letters.jsonl`, which people can read and
 * feed back. What was kept is on the disk; the files are bounded, and the oldest is deleted first.
 */
import { isUtf8 } from "node:buffer";
import { existsSync, renameSync, statSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { toVisible } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import { syncFile } from "../../storage/index.ts";
import { Pause } from "./pause.ts";
import type { PipelineOptions } from "./pipeline-options.ts";
import { retryMilliseconds } from "./retry-time.ts";

export interface DeadLetter {
  /** The name of the sink, or `mapping`. */
  readonly sink: string;
  readonly reason: string;
  readonly message: ConsumedMessage;
}

/** A server may answer with a page. */
const reasonCharactersMax = 1000;
/** So much is made ready and written at once: many letters together may be as long as all that may be pending. */
const pieceBytes = 1_048_576;
/** Longer payloads are never text: what JSON makes of control characters would be longer than a string can be. */
const textBytesMax = 67_108_864;
const newline = 0x0a;
const searchBytes = 65_536;

type DeadLetterOptions = Pick<PipelineOptions, "folder" | "limits" | "talk" | "chance">;

export class DeadLetters {
  readonly #options: DeadLetterOptions;
  readonly #file: string;
  readonly #pause = new Pause();
  /** After a failure: what of the file was kept before it. */
  #keptBytes: number | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #closed = false;
  readonly #toldOf = new Set<string>();
  #toldFailure = false;
  #toldDeletion = false;

  constructor(options: DeadLetterOptions) {
    this.#options = options;
    this.#file = join(options.folder, "dead-letters.jsonl");
  }

  /** True when they are on the disk; it waits for a disk that is full. False when it was closed before that. */
  keep(letters: readonly DeadLetter[]): Promise<boolean> {
    if (letters.length === 0) return Promise.resolve(true);
    const kept = this.#queue.then(() => this.#keep(letters));
    this.#queue = kept;
    return kept;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#pause.wake();
    await this.#queue;
  }

  async #keep(letters: readonly DeadLetter[]): Promise<boolean> {
    for (const lines of formatInPieces(letters)) {
      if (!(await this.#keepLines(lines))) return false;
    }
    this.#tell(letters[0]);
    return true;
  }

  async #keepLines(lines: Buffer): Promise<boolean> {
    const { chance, limits, talk } = this.#options;
    for (let attempt = 0; !this.#closed; attempt++) {
      try {
        await this.#append(lines);
        this.#toldFailure = false;
        return true;
      } catch (error) {
        if (!(error instanceof Error) || !("syscall" in error)) throw error;
        const line = `what a sink refused cannot be kept in ${this.#file} (${error.message}): free some space or give the right to write there; until then it waits`;
        if (!this.#toldFailure) talk.say(line);
        this.#toldFailure = true;
        const wait = retryMilliseconds(attempt, chance(), limits);
        if (!this.#closed) await this.#pause.wait(wait);
      }
    }
    return false;
  }

  /** The first of a sink, so that nobody has to look into the file to know that there is something. */
  #tell({ sink, reason, message }: DeadLetter): void {
    if (this.#toldOf.has(sink)) return;
    this.#toldOf.add(sink);
    this.#options.talk.say(
      `a message of ${toVisible(message.topic)} is refused by ${sink}: ${toVisible(shorten(reason))}; such are kept in ${this.#file}`,
    );
  }

  /** Opens the file each time: people move it away, or delete it when they have dealt with it. */
  async #append(lines: Buffer): Promise<void> {
    const bytes = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0;
    const isBeyond = bytes + lines.length > this.#options.limits.deadLetterBytesMax;
    if (bytes > 0 && isBeyond && this.#keptBytes === undefined) this.#rotate();
    const handle = await open(this.#file, "a+", 0o600);
    try {
      // What a crash or a full disk has cut off was never told to be kept.
      const whole = await findWholeLines(handle);
      this.#keptBytes = Math.min(this.#keptBytes ?? whole, whole);
      await handle.truncate(this.#keptBytes);
      await handle.appendFile(lines);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    if (bytes === 0) syncFile(this.#options.folder);
    this.#keptBytes = undefined;
  }

  #rotate(): void {
    const { deadLetterFilesMax, deadLetterBytesMax } = this.#options.limits;
    const older = (age: number) =>
      age === 0 ? this.#file : join(this.#options.folder, `dead-letters.${age}.jsonl`);
    const oldest = deadLetterFilesMax - 1;
    if (existsSync(older(oldest)) && !this.#toldDeletion) {
      this.#toldDeletion = true;
      this.#options.talk.say(
        `the oldest dead letters are deleted from now on: ${deadLetterFilesMax} files of ${deadLetterBytesMax} bytes are kept in ${this.#options.folder}`,
      );
    }
    for (let age = oldest; age > 0; age--) {
      if (existsSync(older(age - 1))) renameSync(older(age - 1), older(age));
    }
    syncFile(this.#options.folder);
  }
}

function shorten(reason: string): string {
  return reason.slice(0, reasonCharactersMax);
}

function* formatInPieces(letters: readonly DeadLetter[]): Generator<Buffer> {
  let lines: Buffer[] = [];
  let bytes = 0;
  for (const letter of letters) {
    const line = Buffer.from(formatLetter(letter));
    if (bytes > 0 && bytes + line.length > pieceBytes) {
      yield Buffer.concat(lines);
      lines = [];
      bytes = 0;
    }
    lines.push(line);
    bytes += line.length;
  }
  yield Buffer.concat(lines);
}

function formatLetter({ sink, reason, message }: DeadLetter): string {
  const { topic, payload, qos, retain, arrivedAt, correlationData, ...properties } = message;
  const letter = {
    time: new Date().toISOString(),
    sink,
    reason: shorten(reason),
    topic,
    qos,
    retain,
    ...(payload.length <= textBytesMax && isUtf8(payload)
      ? { payload: payload.toString() }
      : { payloadBase64: payload.toString("base64") }),
    arrivedAt,
    ...properties,
    correlationDataBase64: correlationData?.toString("base64"),
  };
  return `${JSON.stringify(letter)}\n`;
}

/** Bytes up to and including the last end of a line. */
async function findWholeLines(handle: FileHandle): Promise<number> {
  let end = (await handle.stat()).size;
  const part = Buffer.alloc(searchBytes);
  while (end > 0) {
    const start = Math.max(end - searchBytes, 0);
    const { bytesRead } = await handle.read(part, 0, end - start, start);
    const found = part.subarray(0, bytesRead).lastIndexOf(newline);
    if (found !== -1) return start + found + 1;
    end = start;
  }
  return 0;
}
