/**
 * A right as people write it - in the configuration, in a token's claim, through the API, in the store - and as it is
 * checked. Rules are ordered: the first that applies decides, and where none does, it is refused.
 */
import type { QoS } from "../codec/index.ts";

export type RightAction = "publish" | "subscribe" | "both";

/** Exactly one of `allow` and `deny`. */
export interface Rule {
  readonly allow?: RightAction;
  readonly deny?: RightAction;
  /** A topic filter in which `%c` stands for the client identifier and `%u` for the user name. */
  readonly filter: string;
  /** The rule applies to these QoS only: of a message, or as asked for with a subscription. */
  readonly qos?: readonly QoS[];
  /** The rule applies to messages with, or without, RETAIN only. Such a rule says nothing of subscriptions. */
  readonly retain?: boolean;
}
