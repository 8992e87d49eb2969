/**
 * From messages to sinks. A message is safe when every sink has it durably, or its spool, or the dead letters; only
 * then is it told by `safe`, and that in order. Memory is bounded whatever the sinks do: `hasRoom` says when the
 * consumer has to wait.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { ConsumedMessage } from "../../readings/index.ts";
import { ProgramFailure } from "../client/index.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Lane } from "./lane.ts";
import { isUnreadable, mapMessage } from "./map-message.ts";
import { Pause } from "./pause.ts";
import { PendingLog } from "./pending-log.ts";
import type { PipelineCounts, PipelineOptions } from "./pipeline-options.ts";
import { Spool, spoolFileName } from "./spool.ts";
import { UnreadableMessages } from "./unreadable-messages.ts";

export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #log = new PendingLog();
  readonly #deadLetters: DeadLetters;
  readonly #unreadable: UnreadableMessages;
  readonly #lanes: readonly Lane[];
  readonly #takesReadings: boolean;
  readonly #drains = new Set<Pause>();
  #hasRoom = true;
  #safe = 0;
  #dropped = 0;
  #tickIsDue = false;
  #failed = false;
  #closing: Promise<void> | undefined;

  private constructor(options: PipelineOptions, spools: readonly Spool[]) {
    this.#options = options;
    const { mapping, limits, talk, chance } = options;
    const progressed = () => this.#tickSoon();
    const failed = (error: unknown) => this.#fail(error);
    this.#takesReadings = options.sinks.some(({ takesMessages }) => takesMessages !== true);
    this.#deadLetters = new DeadLetters(options);
    this.#unreadable = new UnreadableMessages(this.#deadLetters, progressed);
    const isHurried = () => this.#drains.size > 0 || !this.#hasRoom;
    const shared = { mapping, limits, talk, chance, isHurried, progressed, failed };
    const [log, deadLetters] = [this.#log, this.#deadLetters];
    this.#lanes = options.sinks.map(
      (sink, index) => new Lane({ ...shared, sink, spool: spools[index], log, deadLetters }),
    );
  }

  /**
   * Goes on with what an earlier run has left in the spools.
   * @throws TstackError SPOOL_FAILED where a spool cannot be read
   */
  static async open(options: PipelineOptions): Promise<Pipeline> {
    const { folder, sinks, talk } = options;
    const spools: Spool[] = [];
    try {
      for (const { name, destination } of sinks) spools.push(Spool.open(folder, name, destination));
    } catch (error) {
      for (const spool of spools) spool.close();
      await Promise.all(sinks.map(({ sink }) => sink.close()));
      throw error;
    }
    for (const [index, { messages, file }] of spools.entries()) {
      if (messages === 0) continue;
      talk.say(`${messages} messages in ${file} go to ${sinks[index].destination} first`);
    }
    for (const file of findOtherSpools(options)) {
      talk.say(`${file} holds messages of an earlier run for a sink that is not among these`);
    }
    return new Pipeline(options, spools);
  }

  /** False when as much waits as may: what is taken nevertheless is taken, but the consumer is to stop until `room`. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /** The number of the message: 1, 2, 3... */
  take(message: ConsumedMessage): number {
    const sequence = this.#log.last + 1;
    try {
      const mapped = mapMessage(this.#options.mapping, message);
      if (isUnreadable(mapped)) {
        // Who takes whole messages has it as it is: it is not lost.
        if (this.#takesReadings) this.#unreadable.add(sequence, mapped);
        this.#log.add(message, []);
      } else {
        this.#log.add(message, mapped);
        if (mapped.length === 0) this.#dropped += 1;
      }
    } catch (error) {
      this.#log.add(message, []);
      this.#fail(error);
    }
    const { pendingBytesMax, pendingMessagesMax } = this.#options.limits;
    if (this.#log.messages >= pendingMessagesMax || this.#log.bytes >= pendingBytesMax) {
      this.#hasRoom = false;
    }
    this.#tickSoon();
    return sequence;
  }

  /**
   * Writes without waiting for more. True when all is safe and no spool is left; after so long what still waits goes to
   * the spools, and the answer is false.
   */
  async drain(secondsMax: number): Promise<boolean> {
    if (this.#failed || this.#closing !== undefined) return false;
    const drain = new Pause();
    this.#drains.add(drain);
    for (const lane of this.#lanes) lane.hurry();
    if (!this.#isSettled) await drain.wait(secondsMax * 1000);
    this.#drains.delete(drain);
    if (this.#failed || this.#closing !== undefined) return false;
    const isSettled = this.#isSettled;
    for (const lane of this.#lanes) lane.spoolNow();
    this.#tick();
    return isSettled;
  }

  /** What is not safe yet stays with the broker: call `drain` before. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { closeSecondsMax } = this.#options.limits;
    this.#endDrains();
    await Promise.all(this.#lanes.map((lane) => lane.end(closeSecondsMax)));
    await this.#deadLetters.close();
  }

  counts(): PipelineCounts {
    return {
      messages: this.#log.last,
      dropped: this.#dropped,
      unreadable: this.#unreadable.count,
      pendingMessages: this.#log.messages,
      pendingBytes: this.#log.bytes,
      sinks: this.#lanes.map((lane) => lane.counts()),
    };
  }

  get #isSettled(): boolean {
    return this.#safe === this.#log.last && this.#lanes.every((lane) => lane.isEmpty);
  }

  #tickSoon(): void {
    if (this.#tickIsDue) return;
    this.#tickIsDue = true;
    setImmediate(() => this.#tick());
  }

  #tick(): void {
    this.#tickIsDue = false;
    if (this.#failed) return;
    try {
      for (const lane of this.#lanes) lane.notice();
      if (!this.#hasRoom) for (const lane of this.#lanes) lane.spoolIfUnavailable();
      this.#unreadable.write().catch((error: unknown) => this.#fail(error));
      this.#tellSafe();
    } catch (error) {
      this.#fail(error);
    }
  }

  #tellSafe(): void {
    let safe = this.#unreadable.safeUpTo(this.#log.last);
    for (const { safeUpTo } of this.#lanes) safe = Math.min(safe, safeUpTo);
    if (safe > this.#safe) {
      this.#safe = safe;
      this.#log.release(safe);
      this.#options.safe(safe);
    }
    if (!this.#hasRoom) this.#makeRoom();
    if (this.#isSettled) this.#endDrains();
  }

  #endDrains(): void {
    for (const drain of this.#drains) drain.wake();
  }

  #makeRoom(): void {
    const { pendingBytesMax, pendingMessagesMax } = this.#options.limits;
    if (this.#log.messages > pendingMessagesMax / 2 || this.#log.bytes > pendingBytesMax / 2)
      return;
    this.#hasRoom = true;
    this.#options.room();
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#endDrains();
    const what = error instanceof Error ? error : new Error(String(error));
    this.#options.talk.debug(what.stack ?? what.message);
    const message = `a bug in tStack, please report it: ${what.message} (--debug shows where)`;
    this.#options.failed(new ProgramFailure(message, { cause: error }));
  }
}

function findOtherSpools({ folder, sinks }: PipelineOptions): string[] {
  const own = new Set(sinks.map(({ name }) => spoolFileName(name)));
  return readdirSync(folder)
    .filter((file) => /^spool-.*\.db$/.test(file) && !own.has(file))
    .map((file) => join(folder, file));
}
