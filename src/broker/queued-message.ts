/** A message as one session will get it, while it waits or until it is acknowledged. */
import type { QoS } from "../codec/index.ts";
import type { Message } from "./message.ts";
import type { SharedSubscription } from "./shared-subscription.ts";

export interface QueuedMessage {
  readonly message: Message;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
  /** The shared subscription it came through: another member may get it if this one leaves. */
  readonly shared: SharedSubscription | undefined;
}
