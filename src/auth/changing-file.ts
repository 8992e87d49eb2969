/**
 * A file that is read again when it has changed, looked at whenever its content is asked for. A changed file that cannot be
 * read or used leaves the content as it was, and the log says so once.
 */
import { readFile, stat } from "node:fs/promises";
import { type Log, TstackError } from "../base/index.ts";

export interface ChangingFileOptions<Content> {
  readonly file: string;
  /** Throws for what cannot be used. Its messages are logged: they never hold what is in the file. */
  readonly parse: (bytes: Buffer) => Content;
  readonly log: Log;
}

const bytesMax = 1_048_576;

export class ChangingFile<Content> {
  readonly #options: ChangingFileOptions<Content>;
  #content: Content;
  #version: string;

  private constructor(options: ChangingFileOptions<Content>, content: Content, version: string) {
    this.#options = options;
    this.#content = content;
    this.#version = version;
  }

  /** Rejects with CONFIGURATION_INVALID. */
  static async open<Content>(options: ChangingFileOptions<Content>) {
    try {
      const version = await readVersion(options.file);
      return new ChangingFile(options, await read(options), version);
    } catch (error) {
      throw unusable(options.file, error);
    }
  }

  /** As the file is now, or as it was when it could last be used. Never rejects. */
  async content(): Promise<Content> {
    const { file, log } = this.#options;
    const version = await readVersion(file).catch(() => "gone");
    if (version === this.#version) return this.#content;
    this.#version = version;
    try {
      const content = await read(this.#options);
      // It may have changed once more in the meantime, and been read by another caller.
      if (version === this.#version) this.#content = content;
      log.info({ file }, "the file has changed and is read again");
    } catch (err) {
      log.error(
        { file, err },
        `the file has changed and cannot be used: ${describe(err)}. What it held before still counts.`,
      );
    }
    return this.#content;
  }
}

async function readVersion(file: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
  return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
}

async function read<Content>({ file, parse }: ChangingFileOptions<Content>): Promise<Content> {
  const { size } = await stat(file);
  if (size > bytesMax) throw new RangeError(`it has more than ${bytesMax} bytes`);
  return parse(await readFile(file));
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}

function unusable(file: string, cause: unknown): TstackError {
  const message = `${file} cannot be used: ${describe(cause)}`;
  return new TstackError("CONFIGURATION_INVALID", message, { cause });
}

/** A secret as people keep it in a file: the line end that editors put after it does not belong to it. */
export function readSecret(bytes: Buffer): Buffer {
  const end = bytes.at(-1) === 0x0a ? (bytes.at(-2) === 0x0d ? 2 : 1) : 0;
  if (bytes.length - end === 0) throw new RangeError("it is empty");
  return bytes.subarray(0, bytes.length - end);
}
