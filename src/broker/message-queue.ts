/**
 * Messages that wait for one session or one shared subscription that ends with its connections, first in first out,
 * within the limits. What a full queue loses is counted; what has expired makes room before anything else goes.
 */
import type { Drops } from "./drops.ts";
import type { Message } from "./message.ts";
import { isFullFor, placeBytes, type QueueAccount } from "./queue-limits.ts";
import { type DeliveryOptions, QueuedMessage, type WaitingQueue } from "./queued-message.ts";
import type { SessionContext } from "./session-context.ts";
import type { SharedSubscription } from "./shared-subscription.ts";

const compactFrom = 1024;

type QueueContext = Pick<SessionContext, "limits" | "clock" | "queueDrop" | "sharedQueues">;

export class MessageQueue implements WaitingQueue {
  bytes = 0;
  readonly #context: QueueContext;
  readonly #drops: Drops;
  /** Whose messages they are, when a shared subscription's: they share a limit. */
  readonly #shared: SharedSubscription | undefined;
  readonly #account: QueueAccount | undefined;
  /** Undefined where one was taken: the queue keeps no message that it has given away. */
  #items: (QueuedMessage | undefined)[] = [];
  /** Items before this one have been taken. */
  #head = 0;
  /** No message in the queue expires before. */
  #firstExpiry = Number.POSITIVE_INFINITY;

  constructor(context: QueueContext, drops: Drops, shared?: SharedSubscription) {
    this.#context = context;
    this.#drops = drops;
    this.#shared = shared;
    this.#account = shared && context.sharedQueues;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  offer(message: Message, options: DeliveryOptions): void {
    const takes = this.takes(message);
    while (this.#isFullFor(message)) {
      this.#drops.count("queueFull", 1, message.topic);
      // Known before the message is copied: in a flood the copies alone would cost much memory.
      if (!takes || this.shift() === undefined) return;
    }
    this.#push(new QueuedMessage(message.keep(), options, this.#shared, undefined));
  }

  takes(message: Message): boolean {
    if (this.#isFullFor(message)) this.#dropExpired();
    return this.#context.queueDrop === "oldest" || !this.#isFullFor(message);
  }

  #isFullFor({ size }: Message): boolean {
    return isFullFor(size, this, this.#context.limits, this.#account);
  }

  #dropExpired(): void {
    const now = this.#context.clock.now();
    if (this.#firstExpiry > now) return;
    const kept = this.#items.slice(this.#head);
    this.clear();
    for (const queued of kept) {
      if (queued === undefined) continue;
      if (queued.message.hasExpired(now)) this.#drops.count("expired", 1, queued.message.topic);
      else this.#push(queued);
    }
  }

  #push(queued: QueuedMessage): void {
    this.#items.push(queued);
    this.#count(queued, 1);
  }

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
