/** What sessions share: the broker's parts that they work with. */
import type { Clock, Limits, Log } from "../base/index.ts";
import type { Counters } from "./counters.ts";
import type { Deadlines } from "./deadlines.ts";
import type { Delivery } from "./delivery.ts";
import type { Journal } from "./journal.ts";
import type { LimitHits } from "./limit-hits.ts";
import type { QueueAccount } from "./queue-limits.ts";
import type { RetainedMessages } from "./retained-messages.ts";
import type { Storage } from "./storage-port.ts";
import type { Subscription } from "./subscription.ts";

export interface SessionContext {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly counters: Counters;
  readonly deadlines: Deadlines;
  readonly delivery: Delivery;
  readonly retained: RetainedMessages;
  readonly limitHits: LimitHits;
  readonly journal: Journal;
  readonly storage: Storage;
  /** What waits in all shared subscriptions. */
  readonly sharedQueues: QueueAccount;
  /** Which message goes when a queue is full. */
  readonly queueDrop: "newest" | "oldest";
  /** A number for what is stored of a new session or shared subscription. */
  nextQueue(): number;
  /** Reading from the storage failed. */
  storageFailed(error: unknown): void;
  dropSubscription(subscription: Subscription): void;
}
