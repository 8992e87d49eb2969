/**
 * Which subscribers a topic reaches, worked out once and remembered. A route is current as long as no subscription
 * that could concern it has changed: exact filters mark their own route, wildcards raise the tree's generation,
 * and the topic is matched anew when its next message comes. Nothing is ever flushed as a whole.
 */
import { SubscriptionTree } from "../topics/index.ts";
import { RouteCache } from "./route-cache.ts";
import type { Session } from "./session.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import type { LocalSubscription, Subscription, TreeEntry } from "./subscription.ts";

/** No local divides the deliveries of a session: some reach it only from others, some only from itself. */
export const Reach = { everyone: 0, othersOnly: 1, selfOnly: 2 } as const;
export type Reach = (typeof Reach)[keyof typeof Reach];

export interface Target {
  readonly session: Session;
  readonly reach: Reach;
}

/** Subscribers that get the same bytes, but for the packet identifier. */
export interface DeliveryGroup {
  readonly isV5: boolean;
  /** The highest QoS granted. */
  readonly qos: 0 | 1 | 2;
  readonly retainAsPublished: boolean;
  readonly identifiers: readonly number[];
  readonly targets: Target[];
}

export interface Route {
  readonly topic: string;
  groups: DeliveryGroup[];
  shared: SharedSubscription[];
  locals: LocalSubscription[];
  /** Whether anybody is subscribed. */
  hasSubscribers: boolean;
  generation: number;
  isStale: boolean;
  /** About what it takes in memory. */
  bytes: number;
}

export class Routes {
  readonly #tree = new SubscriptionTree<TreeEntry>();
  readonly #routes: RouteCache;
  /** Raised when sessions change in a way that moves them to another delivery group. */
  #sessionGeneration = 0;
  readonly #matched: TreeEntry[] = [];

  constructor(bytesMax: number) {
    this.#routes = new RouteCache(bytesMax);
  }

  add(filter: string, entry: TreeEntry): void {
    this.#tree.add(filter, entry);
    this.#markStale(filter);
  }

  remove(filter: string, entry: TreeEntry): void {
    this.#tree.remove(filter, entry);
    this.#markStale(filter);
  }

  /** Routes that were given up for others (routesBytesMax). */
  get forgotten(): number {
    return this.#routes.forgotten;
  }

  /** A session has come back with another protocol version. */
  sessionChanged(): void {
    this.#sessionGeneration++;
  }

  /** The current route of `topic`, a valid topic name. */
  find(topic: string): Route {
    const known = this.#routes.get(topic);
    if (known !== undefined) return this.current(known);
    return this.current({
      topic,
      groups: [],
      shared: [],
      locals: [],
      hasSubscribers: false,
      generation: -1,
      isStale: true,
      bytes: 0,
    });
  }

  /** The same route, matched anew if it has to be, or the one that has taken its place. */
  current(route: Route): Route {
    const generation = this.#tree.wildcardGeneration + this.#sessionGeneration;
    if (route.generation === generation && !route.isStale) return route;
    const known = this.#routes.get(route.topic);
    if (known !== undefined && known !== route) return this.current(known);
    this.#routes.remove(route);
    this.#match(route);
    route.generation = generation;
    // One that is not remembered stays stale: nobody would tell it that a subscription has changed.
    route.isStale = !this.#routes.add(route);
    return route;
  }

  #markStale(filter: string): void {
    const route = this.#routes.get(filter);
    if (route !== undefined) route.isStale = true;
  }

  #match(route: Route): void {
    const matched = this.#matched;
    matched.length = 0;
    this.#tree.match(route.topic, matched); // [MQTT-3.3.2-3], 3.1.1: [MQTT-3.3.2-3]
    const bySession = new Map<Session, Subscription[]>();
    route.shared = [];
    route.locals = [];
    for (const entry of matched) {
      if (entry.kind === "shared") route.shared.push(entry);
      else if (entry.kind === "local") route.locals.push(entry);
      else {
        const own = bySession.get(entry.session);
        if (own === undefined) bySession.set(entry.session, [entry]);
        else own.push(entry);
      }
    }
    route.groups = groupTargets(bySession);
    route.hasSubscribers = matched.length > 0;
    matched.length = 0;
  }
}

/** Whether somebody on it keeps messages beyond the end of the broker. */
export function reachesStored({ groups, shared }: Route): boolean {
  return (
    shared.some(({ stored }) => stored > 0) ||
    groups.some(({ targets }) => targets.some(({ session }) => session.isStored))
  );
}

/** One copy for each session, however many of its filters match (DESIGN.md, section 9). */
function groupTargets(bySession: Map<Session, Subscription[]>): DeliveryGroup[] {
  const groups = new Map<string, DeliveryGroup>();
  for (const [session, subscriptions] of bySession) {
    const local = subscriptions.filter((subscription) => !subscription.noLocal);
    if (local.length === subscriptions.length) {
      addTarget(groups, { session, reach: Reach.everyone }, subscriptions);
      continue;
    }
    addTarget(groups, { session, reach: Reach.othersOnly }, subscriptions);
    if (local.length > 0) addTarget(groups, { session, reach: Reach.selfOnly }, local);
  }
  return [...groups.values()];
}

function addTarget(
  groups: Map<string, DeliveryGroup>,
  target: Target,
  subscriptions: Subscription[],
): void {
  let qos: 0 | 1 | 2 = 0;
  let retainAsPublished = false;
  const identifiers: number[] = [];
  for (const subscription of subscriptions) {
    if (subscription.qos > qos) qos = subscription.qos; // [MQTT-3.3.4-2], 3.1.1: [MQTT-3.3.5-1]
    if (subscription.retainAsPublished) retainAsPublished = true;
    // [MQTT-3.3.4-3], [MQTT-3.3.4-4]: every matching identifier goes into the one copy
    if (subscription.identifier > 0) identifiers.push(subscription.identifier);
  }
  const isV5 = target.session.isV5;
  const key = `${isV5} ${qos} ${retainAsPublished} ${identifiers.join()}`;
  const group = groups.get(key);
  if (group !== undefined) group.targets.push(target);
  else groups.set(key, { isV5, qos, retainAsPublished, identifiers, targets: [target] });
}
