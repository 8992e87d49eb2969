/**
 * The way of all messages to one sink, in their order, one batch at a time: straight from the log; or, when the sink has
 * been away for some time, through its spool. What the lane works at is always the front of the spool, or of the log
 * where the spool is empty; so a batch that is being written when the spool begins is its first rows, and messages
 * behind the spool's last row go to the spool until that is empty. `safeUpTo` are those of the log that it has done or
 * spooled.
 */
import { setImmediate } from "node:timers/promises";
import type { Mapping } from "../../readings/index.ts";
import type { MappedMessage } from "../../sinks/index.ts";
import type { Talk } from "../client/index.ts";
import type { DeadLetter, DeadLetters } from "./dead-letters.ts";
import { isUnreadable, mapMessage } from "./map-message.ts";
import { Pause, within } from "./pause.ts";
import type { Given, PendingLog } from "./pending-log.ts";
import type { PipelineLimits, PipelineSink, SinkCounts } from "./pipeline-options.ts";
import { SinkHealth } from "./sink-health.ts";
import { SinkWriter } from "./sink-writer.ts";
import type { Spool } from "./spool.ts";
import { SpoolGate } from "./spool-gate.ts";

export interface LaneOptions {
  readonly sink: PipelineSink;
  readonly spool: Spool;
  readonly log: PendingLog;
  readonly mapping: Mapping;
  readonly deadLetters: DeadLetters;
  readonly limits: PipelineLimits;
  readonly talk: Talk;
  chance(): number;
  /** No batch waits for more messages: none may come, or all are to be written. */
  isHurried(): boolean;
  /** `safeUpTo` may be higher, or the spool empty. */
  progressed(): void;
  failed(error: unknown): void;
}

interface Batch {
  readonly messages: readonly MappedMessage[];
  /** Read out of the spool, and not readable by the mapping any more. */
  readonly unreadable: readonly DeadLetter[];
  /** How many of the spool's first rows it is, if it is there. */
  readonly rows: number;
  /** The last message of the log that it holds; 0 where it came from the spool. */
  readonly through: number;
}

export class Lane {
  readonly #options: LaneOptions;
  readonly #given: Given;
  readonly #health: SinkHealth;
  readonly #writer: SinkWriter;
  readonly #spool: SpoolGate;
  readonly #pause = new Pause();
  readonly #running: Promise<void>;
  safeUpTo = 0;
  /** The batch that is being written takes too long: all goes to the spool. */
  #stalled = false;
  #stalling: NodeJS.Timeout | undefined;
  #ended = false;
  #closed = false;
  /** When the first message of the next batch came. */
  #waitingSince: number | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    const { sink, spool, talk } = options;
    const health = new SinkHealth(sink.destination, talk, () => spool.messages);
    this.#health = health;
    this.#given = sink.takesMessages === true ? "every message" : "those with readings";
    const given = this.#given;
    this.#spool = new SpoolGate({ ...options, given, health, retry: options.progressed });
    this.#writer = new SinkWriter({ ...options, health });
    this.#running = this.#run().catch((error: unknown) => options.failed(error));
  }

  get isEmpty(): boolean {
    return this.safeUpTo === this.#options.log.last && this.#spool.messages === 0;
  }

  counts(): SinkCounts {
    const { sink, spool } = this.#options;
    const { messages, records, batches, retries, refused } = this.#writer;
    return {
      name: sink.name,
      destination: sink.destination,
      state: this.#health.state,
      messages,
      records,
      batches,
      retries,
      refused,
      spooledMessages: spool.messages,
      spooledBytes: spool.bytes,
      lastError: this.#health.lastError,
    };
  }

  /** Messages have come, or room: once a tick. */
  notice(): void {
    if (this.#ended) return;
    const { log } = this.#options;
    if (this.safeUpTo < log.last) this.#waitingSince ??= performance.now();
    if (this.#isSpooling) this.safeUpTo = this.#spool.moveSoon(this.safeUpTo);
    this.#pause.wake();
  }

  /** No room is left in memory: a sink that is away does not keep the others from going on. */
  spoolIfUnavailable(): void {
    if (this.#health.isUnavailable) this.#stall();
  }

  /** `isHurried` has become true. */
  hurry(): void {
    this.spoolIfUnavailable();
    this.#pause.wake();
  }

  /** Whatever waits for the sink goes to the spool, as well as it can. */
  spoolNow(): void {
    if (this.#ended || this.isEmpty) return;
    this.#stall();
    this.safeUpTo = this.#spool.moveNow(this.safeUpTo);
  }

  /** Takes up no other batch. What is under way may still end, and is waited for that long. */
  async end(secondsMax: number): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#stalling);
    this.#writer.stop();
    this.#pause.wake();
    await within(secondsMax, this.#running);
    this.#closed = true;
    await within(secondsMax, this.#closeSink());
    this.#spool.close();
  }

  /** What the sink had told to have, it has: that it cannot end well is for who looks for bugs. */
  async #closeSink(): Promise<void> {
    const { sink, talk } = this.#options;
    try {
      await sink.sink.close();
    } catch (error) {
      talk.debug(`${sink.destination} was not closed: ${error}`);
    }
  }

  get #isSpooling(): boolean {
    return this.#stalled || this.#spool.messages > 0;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      const wait = this.#dueIn();
      const batch = wait === 0 ? this.#take() : undefined;
      if (batch === undefined) await this.#pause.wait(wait);
      else {
        await this.#work(batch);
        // A sink that writes without waiting would let nobody else have a turn.
        await setImmediate();
      }
    }
  }

  /** Milliseconds until something is to be written; undefined when nothing is there. */
  #dueIn(): number | undefined {
    const { limits, log } = this.#options;
    if (this.#spool.messages > 0) return this.#spool.retryIn;
    const waiting = log.last - this.safeUpTo;
    if (waiting === 0) return undefined;
    if (this.#options.isHurried() || waiting >= limits.batchMessagesMax) return 0;
    if (log.bytesAfter(this.safeUpTo) >= limits.batchBytesMax) return 0;
    const now = performance.now();
    const since = this.#waitingSince ?? now;
    return Math.max(0, Math.ceil(since + limits.batchMilliseconds - now));
  }

  #take(): Batch | undefined {
    if (this.#spool.messages > 0) return this.#readSpool();
    const { limits, log } = this.#options;
    const { messages, through } = log.read(this.safeUpTo, limits, this.#given);
    this.#waitingSince = through < log.last ? performance.now() : undefined;
    return { messages, unreadable: [], rows: messages.length, through };
  }

  #readSpool(): Batch | undefined {
    const rows = this.#spool.read();
    if (rows === undefined) return undefined;
    const messages: MappedMessage[] = [];
    const unreadable: DeadLetter[] = [];
    for (const message of rows) {
      const mapped = mapMessage(this.#options.mapping, message);
      const readings = isUnreadable(mapped) ? [] : mapped;
      if (this.#given === "every message" || readings.length > 0) {
        messages.push({ message, readings });
      } else if (isUnreadable(mapped)) unreadable.push(mapped);
    }
    return { messages, unreadable, rows: rows.length, through: 0 };
  }

  async #work(batch: Batch): Promise<void> {
    const { deadLetters, limits } = this.#options;
    this.#stalling = setTimeout(() => this.#stall(), limits.spoolAfterSeconds * 1000);
    const letters = await this.#writer.write(batch.messages);
    clearTimeout(this.#stalling);
    if (letters === undefined) return;
    if (!(await deadLetters.keep([...batch.unreadable, ...letters]))) return;
    while (!this.#finish(batch)) {
      if (this.#ended) return;
      await this.#pause.wait(this.#spool.retryIn);
    }
  }

  /** False when the spool cannot be written now: then the batch is not done. */
  #finish(batch: Batch): boolean {
    if (this.#closed) return true;
    const rows = Math.min(batch.rows, this.#spool.messages);
    if (!this.#spool.removeFirst(rows)) return false;
    this.safeUpTo = Math.max(this.safeUpTo, batch.through);
    this.#stalled = false;
    this.#options.progressed();
    return true;
  }

  #stall(): void {
    if (this.#ended || this.#isSpooling) return;
    this.#stalled = true;
    this.#health.spooling(this.#options.spool.file);
    this.#options.progressed();
  }
}
