/**
 * Who is subscribed to what, told to sessions, shared subscriptions and routes at once: the three never disagree.
 */

import type { SubscriptionRequest } from "../codec/index.ts";
import type { ParsedFilter } from "../topics/index.ts";
import { Gaps, isGapTopic } from "./gaps.ts";
import type { ApplicationMessage } from "./ports.ts";
import type { Routes } from "./routes.ts";
import type { Session } from "./session.ts";
import { SharedSubscription } from "./shared-subscription.ts";
import type { StoredSubscription } from "./storage-port.ts";
import type { LocalSubscription, Subscription } from "./subscription.ts";

export class Subscriptions {
  /** Subscriptions of all sessions. */
  count = 0;
  /** Those of them that are memberships in a group. */
  sharedCount = 0;
  readonly #routes: Routes;
  readonly #shared = new Map<string, SharedSubscription>();

  constructor(routes: Routes) {
    this.#routes = routes;
  }

  /** Adds the subscription, or replaces the one with the same filter [MQTT-3.8.4-3], 3.1.1: [MQTT-3.8.4-3]. */
  add(session: Session, request: StorableRequest, details: GrantedDetails): Subscription {
    const { parsed, qos, identifier } = details;
    const previous = session.subscriptions.get(request.filter);
    const shared = parsed.group === undefined ? undefined : this.#group(parsed, session);
    const subscription: Subscription = {
      kind: "session",
      session,
      filter: request.filter,
      qos,
      noLocal: request.noLocal,
      retainAsPublished: request.retainAsPublished,
      identifier,
      shared,
    };
    if (session.isStored && !session.isBeingRestored) {
      const { filter, noLocal, retainAsPublished, retainHandling } = request;
      const stored = { filter, qos, noLocal, retainAsPublished, retainHandling, identifier };
      const queue = session.stored;
      session.context.journal.promise({ kind: "subscribed", queue, subscription: stored });
    }
    if (isGapTopic(request.filter, session.clientIdentifier)) session.drops.gaps ??= new Gaps();
    if (previous !== undefined && shared !== undefined) {
      shared.replace(previous, subscription);
      session.subscriptions.set(request.filter, subscription);
      return subscription;
    }
    if (previous !== undefined) this.#forget(previous);
    session.subscriptions.set(request.filter, subscription);
    this.count++;
    if (shared === undefined) this.#routes.add(request.filter, subscription);
    else {
      this.sharedCount++;
      shared.add(subscription);
    }
    return subscription;
  }

  remove(subscription: Subscription): void {
    const { session, filter } = subscription;
    if (session.isStored) {
      const queue = session.stored;
      session.context.journal.promise({ kind: "unsubscribed", queue, filter });
    }
    if (isGapTopic(filter, session.clientIdentifier)) session.drops.gaps = undefined;
    this.#forget(subscription);
  }

  #forget(subscription: Subscription): void {
    const { session, shared, filter } = subscription;
    session.subscriptions.delete(filter);
    this.count--;
    if (shared === undefined) {
      this.#routes.remove(filter, subscription);
      return;
    }
    this.sharedCount--;
    shared.remove(subscription);
    if (shared.size > 0) return;
    this.#shared.delete(groupKey(shared.group, shared.filter));
    this.#routes.remove(shared.filter, shared);
  }

  /** A subscription inside the process; the function that is answered ends it. */
  addLocal(filter: string, handler: (message: ApplicationMessage) => void): () => void {
    const subscription: LocalSubscription = { kind: "local", filter, handler };
    let isActive = true;
    this.#routes.add(filter, subscription);
    return () => {
      if (isActive) this.#routes.remove(filter, subscription);
      isActive = false;
    };
  }

  /** As `add`, of a session that comes out of the storage. */
  restore(session: Session, stored: StoredSubscription, parsed: ParsedFilter): void {
    const { qos, identifier } = stored;
    this.add(session, stored, { parsed, qos, identifier });
  }

  /** The shared subscriptions that there are. */
  sharedOf(group: string, filter: string): SharedSubscription | undefined {
    return this.#shared.get(groupKey(group, filter));
  }

  #group(parsed: ParsedFilter, session: Session): SharedSubscription {
    const group = parsed.group ?? "";
    const key = groupKey(group, parsed.filter);
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const shared = new SharedSubscription(group, parsed.filter, session.context);
    this.#shared.set(key, shared);
    this.#routes.add(parsed.filter, shared);
    return shared;
  }
}

/** Of a request what outlives it. */
type StorableRequest = Pick<
  SubscriptionRequest,
  "filter" | "noLocal" | "retainAsPublished" | "retainHandling"
>;

export interface GrantedDetails {
  readonly parsed: ParsedFilter;
  readonly qos: 0 | 1 | 2;
  /** 0 for none. */
  readonly identifier: number;
}

/** A group's name holds no slash [MQTT-4.8.2-1], so this is unambiguous. */
function groupKey(group: string, filter: string): string {
  return `${group}/${filter}`;
}
