/**
 * The retained messages that one new subscription is still to get, read as its connection drains. What is published
 * meanwhile does not wait for them all: only the retained message of its own topic must go before it.
 */
import { matchesFilter } from "../topics/index.ts";
import type { Message } from "./message.ts";
import type { RetainedMessages } from "./retained-messages.ts";
import type { Subscription } from "./subscription.ts";

export class RetainedWalk {
  readonly subscription: Subscription;
  isDone = false;
  readonly #messages: Iterator<Message | undefined>;
  #skipped: Set<string> | undefined;

  constructor(subscription: Subscription, retained: RetainedMessages) {
    this.subscription = subscription;
    this.#messages = retained.matchInSteps(subscription.filter);
  }

  /** Undefined at a good place to stop, and at the end. */
  next(): Message | undefined {
    const { done, value } = this.#messages.next();
    this.isDone = done === true;
    if (value === undefined) return undefined;
    return this.#skipped?.has(value.topic) ? this.next() : value;
  }

  /**
   * Whether the message of `topic` may be still to come. Where the walk has passed it already the answer is the same:
   * to know that would take as much memory as there are retained messages.
   */
  awaits(topic: string): boolean {
    return !this.#skipped?.has(topic) && matchesFilter(this.subscription.filter, topic);
  }

  /** The message of `topic` has gone. */
  skip(topic: string): void {
    this.#skipped ??= new Set();
    this.#skipped.add(topic);
  }
}
