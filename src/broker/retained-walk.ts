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
  readonly #retained: RetainedMessages;
  readonly #messages: Iterator<Message | undefined>;
  #skipped: Set<string> | undefined;

  constructor(subscription: Subscription, retained: RetainedMessages) {
    this.subscription = subscription;
    this.#retained = retained;
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
   * The message of `topic`, unless it is known to have gone. Where the walk has passed it already it is found all the
   * same: to know that would take as much memory as there are retained messages.
   */
  find(topic: string): Message | undefined {
    const isWanted = !this.#skipped?.has(topic) && matchesFilter(this.subscription.filter, topic);
    return isWanted ? this.#retained.get(topic) : undefined;
  }

  /** The message of `topic` has gone. */
  skip(topic: string): void {
    this.#skipped ??= new Set();
    this.#skipped.add(topic);
  }
}
