/** A message as one session will get it, while it waits or until it is acknowledged. */
import type { QoS } from "../codec/index.ts";
import type { Message } from "./message.ts";
import type { PendingRow } from "./pending-row.ts";
import type { SharedSubscription } from "./shared-subscription.ts";

/** How a subscriber gets a message. */
export interface DeliveryOptions {
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
}

export class QueuedMessage {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** The shared subscription it came through: another member may get it if this one leaves. */
  readonly shared: SharedSubscription | undefined;
  /** Where it is stored; undefined when nobody who outlives the connection is to get it. */
  row: PendingRow | undefined;
  /** Whether it has been on its way before: the next time it bears DUP. */
  wasSent = false;

  constructor(
    message: Message,
    { qos, retain, identifiers }: DeliveryOptions,
    shared: SharedSubscription | undefined,
    row: PendingRow | undefined,
  ) {
    this.message = message;
    this.qos = qos;
    this.retain = retain;
    this.identifiers = identifiers;
    this.shared = shared;
    this.row = row;
  }
}

/** What waits for a session or for a shared subscription, in memory or in the storage. */
export interface WaitingQueue {
  readonly length: number;
  readonly bytes: number;
  /**
   * Puts `message` at the end, as `options` say. In a full queue it is lost, or those that wait longest are
   * (`queueDrop`); however many bytes it has, one message may wait alone.
   */
  offer(message: Message, options: DeliveryOptions): void;
  /** Whether `message` has a place, be it that of those that wait longest. */
  takes(message: Message): boolean;
  /** The first that waits; undefined also while it is being read. */
  shift(): QueuedMessage | undefined;
  /** Puts back what was taken too early. */
  unshift(queued: QueuedMessage): void;
  clear(): void;
}
