/** The first messages of a stored queue, in memory: they can be taken at once. */
import type { QueuedMessage } from "./queued-message.ts";

const compactFrom = 1000;

export class QueueFront {
  /** Of topics, properties and payloads. */
  bytes = 0;
  /** Undefined where one was taken: nothing is kept that was given away. */
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
    } else if (this.#head >= compactFrom) {
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

  /** Takes out and answers what has expired. */
  takeExpired(now: number): QueuedMessage[] {
    const all = this.#items.slice(this.#head).filter((queued) => queued !== undefined);
    this.clear();
    const expired: QueuedMessage[] = [];
    for (const queued of all) {
      if (queued.message.hasExpired(now)) expired.push(queued);
      else this.push(queued);
    }
    return expired;
  }

  /** The earliest of them; Infinity when none expires. */
  get firstExpiresAt(): number {
    let first = Number.POSITIVE_INFINITY;
    for (const queued of this.#items.slice(this.#head))
      if (queued !== undefined && queued.message.expiresAt < first)
        first = queued.message.expiresAt;
    return first;
  }
}
