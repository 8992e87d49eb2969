/**
 * Messages that wait for one session or one shared subscription, first in first out, within the limits. What a full
 * queue loses is counted; what has expired makes room before anything else goes.
 */
import type { Drops } from "./drops.ts";
import type { Message } from "./message.ts";
import type { QueuedMessage } from "./queued-message.ts";
import type { SessionContext } from "./session-context.ts";

/** What several queues hold together. */
export interface QueueAccount {
  messages: number;
  bytes: number;
}

const compactFrom = 1024;
/** About what a message's place in a queue takes, besides the message. */
const placeBytes = 100;

type QueueContext = Pick<SessionContext, "limits" | "clock" | "queueDrop">;

export class MessageQueue {
  bytes = 0;
  readonly #context: QueueContext;
  readonly #drops: Drops;
  /** Of all queues that share a limit; undefined for a queue that stands alone. */
  readonly #account: QueueAccount | undefined;
  /** Undefined where one was taken: the queue keeps no message that it has given away. */
  #items: (QueuedMessage | undefined)[] = [];
  /** Items before this one have been taken. */
  #head = 0;
  /** No message in the queue expires before. */
  #firstExpiry = Number.POSITIVE_INFINITY;

  constructor(context: QueueContext, drops: Drops, account?: QueueAccount) {
    this.#context = context;
    this.#drops = drops;
    this.#account = account;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  /**
   * Puts `message` at the end, as `wrap` makes it of a copy that may be kept. In a full queue it is lost, or those that
   * wait longest are (`queueDrop`); however many bytes it has, one message may wait alone.
   */
  offer(message: Message, wrap: (kept: Message) => QueuedMessage): void {
    const takes = this.takes(message);
    while (this.#isFullFor(message)) {
      this.#drops.count("queueFull", 1);
      // Known before the message is copied: in a flood the copies alone would cost much memory.
      if (!takes || this.shift() === undefined) return;
    }
    this.#push(wrap(message.keep()));
  }

  /** Whether `message` has a place, be it that of those that wait longest. */
  takes(message: Message): boolean {
    if (this.#isFullFor(message)) this.#dropExpired();
    return this.#context.queueDrop === "oldest" || !this.#isFullFor(message);
  }

  #isFullFor(message: Message): boolean {
    const { queueMessagesMax, queueBytesMax, sharedQueueBytesMax } = this.#context.limits;
    if (this.length >= queueMessagesMax) return true;
    if (this.length > 0 && this.bytes + message.size > queueBytesMax) return true;
    const account = this.#account;
    return account !== undefined && account.bytes + message.size + placeBytes > sharedQueueBytesMax;
  }

  #dropExpired(): void {
    const now = this.#context.clock.now();
    if (this.#firstExpiry > now) return;
    const kept = this.#items.slice(this.#head);
    this.clear();
    for (const queued of kept) {
      if (queued === undefined) continue;
      if (queued.message.hasExpired(now)) this.#drops.count("expired", 1);
      else this.#push(queued);
    }
  }

  #push(queued: QueuedMessage): void {
    this.#items.push(queued);
    this.#count(queued, 1);
  }

  /** Puts back what was taken too early. */
  unshift(queued: QueuedMessage): void {
    if (this.#head > 0) this.#items[--this.#head] = queued;
    else this.#items.unshift(queued);
    this.#count(queued, 1);
  }

  shift(): QueuedMessage | undefined {
    const queued = this.#items[this.#head];
    if (queued === undefined) return undefined;
    this.#items[this.#head] = undefined;
    this.#head++;
    this.#count(queued, -1);
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
    if (this.#account !== undefined) {
      this.#account.messages -= this.length;
      this.#account.bytes -= this.bytes + placeBytes * this.length;
    }
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
    this.#firstExpiry = Number.POSITIVE_INFINITY;
  }

  #count({ message }: QueuedMessage, sign: 1 | -1): void {
    const bytes = sign * message.size;
    this.bytes += bytes;
    if (sign > 0 && message.expiresAt < this.#firstExpiry) this.#firstExpiry = message.expiresAt;
    if (this.#account === undefined) return;
    this.#account.messages += sign;
    this.#account.bytes += bytes + sign * placeBytes;
  }
}
