/** What the subscription tree holds: subscriptions of sessions, shared ones, and those of the program that embeds the broker. */
import type { QoS } from "../codec/index.ts";
import type { ApplicationMessage } from "./ports.ts";
import type { Session } from "./session.ts";
import type { SharedSubscription } from "./shared-subscription.ts";

/** One subscription of one session, with the options it was granted. */
export interface Subscription {
  readonly kind: "session";
  readonly session: Session;
  /** As the client wrote it, `$share/group/` included. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 for none. */
  readonly identifier: number;
  /** The group it is a member of. */
  readonly shared: SharedSubscription | undefined;
}

/** A subscription inside the process. */
export interface LocalSubscription {
  readonly kind: "local";
  readonly filter: string;
  readonly handler: (message: ApplicationMessage) => void;
}

export type TreeEntry = Subscription | SharedSubscription | LocalSubscription;
