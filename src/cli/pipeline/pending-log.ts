/**
 * The messages in memory that are not safe yet, in the order in which they came, numbered 1, 2, 3... There is one log
 * for all sinks: each lane knows how far it is, and what all of them have done is released.
 */
import type { ConsumedMessage, Reading } from "../../readings/index.ts";
import type { MappedMessage } from "../../sinks/index.ts";
import { memoryBytes } from "./message-size.ts";

/** Which messages a sink is given. */
export type Given = "those with readings" | "every message";

export interface BatchLimits {
  readonly batchMessagesMax: number;
  readonly batchBytesMax: number;
}

/** A stretch of the log. */
export interface LogBatch {
  /** Those that the lane's sink is given. */
  readonly messages: MappedMessage[];
  /** The last message of the stretch. */
  readonly through: number;
}

interface PendingMessage extends MappedMessage {
  /** Bytes of all messages ever up to and including this one. */
  readonly bytesThrough: number;
}

export class PendingLog {
  readonly #pending: PendingMessage[] = [];
  #released = 0;
  #bytesReleased = 0;
  #bytesTaken = 0;

  /** The number of the latest message. */
  get last(): number {
    return this.#released + this.#pending.length;
  }

  get messages(): number {
    return this.#pending.length;
  }

  get bytes(): number {
    return this.#bytesTaken - this.#bytesReleased;
  }

  /** @param readings none of a message that is only for sinks that take whole messages */
  add(message: ConsumedMessage, readings: readonly Reading[]): number {
    this.#bytesTaken += memoryBytes(message, readings);
    this.#pending.push({ message, readings, bytesThrough: this.#bytesTaken });
    return this.last;
  }

  bytesAfter(sequence: number): number {
    return this.#bytesTaken - this.#bytesThrough(sequence);
  }

  /** What comes after a message, within limits, but one at least where there is one. */
  read(after: number, limits: BatchLimits, given: Given): LogBatch {
    const messages: MappedMessage[] = [];
    const bytesMax = this.#bytesThrough(after) + limits.batchBytesMax;
    const isEvery = given === "every message";
    let index = after - this.#released;
    for (; index < this.#pending.length && messages.length < limits.batchMessagesMax; index++) {
      const pending = this.#pending[index];
      if (pending.bytesThrough > bytesMax && messages.length > 0) break;
      if (isEvery || pending.readings.length > 0) messages.push(pending);
    }
    return { messages, through: this.#released + index };
  }

  /** Forgets all messages up to and including this one. */
  release(through: number): void {
    if (through <= this.#released) return;
    this.#bytesReleased = this.#bytesThrough(through);
    this.#pending.splice(0, through - this.#released);
    this.#released = through;
  }

  #bytesThrough(sequence: number): number {
    if (sequence === this.#released) return this.#bytesReleased;
    return this.#pending[sequence - this.#released - 1].bytesThrough;
  }
}
