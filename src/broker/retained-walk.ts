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
  /** What has gone before its turn; weakly, as it may be replaced or deleted while this walk stands still. */
  #gone: WeakSet<Message> | undefined;

  constructor(subscription: Subscription, retained: RetainedMessages) {
    this.subscription = subscription;
    this.#messages = retained.matchInSteps(subscription.filter);
  }

  /** Undefined at a good place to stop, and at the end. */
  next(): Message | undefined {
    for (;;) {
      const { done, value } = this.#messages.next();
      this.isDone = done === true;
      if (value === undefined || !this.#gone?.has(value)) return value;
    }
  }

  /**
   * Whether this retained message may be still to come. Where the walk has passed it already the answer is the same:
   * to know that would take as much memory as there are retained messages.
   */
  awaits(message: Message): boolean {
    return !this.#gone?.has(message) && matchesFilter(this.subscription.filter, message.topic);
  }

  /** It has gone, before its turn. */
  skip(message: Message): void {
    this.#gone ??= new WeakSet();
    this.#gone.add(message);
  }
}
