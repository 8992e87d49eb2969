/** Messages that wait for one session or one shared subscription, first in first out, with their number and bytes known. */
import type { Limits } from "../base/index.ts";
import type { Message } from "./message.ts";
import type { QueuedMessage } from "./queued-message.ts";

const compactFrom = 1024;

type QueueLimits = Pick<Limits, "queueMessagesMax" | "queueBytesMax">;

export class MessageQueue {
  bytes = 0;
  /** Undefined where one was taken: the queue keeps no message that it has given away. */
  #items: (QueuedMessage | undefined)[] = [];
  /** Items before this one have been taken. */
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(queued: QueuedMessage): void {
    this.#items.push(queued);
    this.bytes += queued.message.size;
  }

  /**
   * `push` within the limits. Answers how many messages are lost by it: those that wait longest, or `queued` itself.
   * However many bytes it has, one message may wait alone.
   */
  admit(queued: QueuedMessage, limits: QueueLimits, queueDrop: "newest" | "oldest"): number {
    let dropped = 0;
    while (this.isFullFor(queued.message, limits)) {
      dropped++;
      if (queueDrop === "newest" || this.shift() === undefined) return dropped;
    }
    this.push(queued);
    return dropped;
  }

  /** Whether there is no room for `message`, so that a queue that drops the newest would drop it. */
  isFullFor(message: Message, limits: QueueLimits): boolean {
    if (this.length >= limits.queueMessagesMax) return true;
    return this.length > 0 && this.bytes + message.size > limits.queueBytesMax;
  }

  /** Puts back what was taken too early. */
  unshift(queued: QueuedMessage): void {
    if (this.#head > 0) this.#items[--this.#head] = queued;
    else this.#items.unshift(queued);
    this.bytes += queued.message.size;
  }

  shift(): QueuedMessage | undefined {
    const queued = this.#items[this.#head];
    if (queued === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head++;
    this.bytes -= queued.message.size;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= compactFrom && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return queued;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
  }
}
