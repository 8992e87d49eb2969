/**
 * One session from its beginning to its end: what it is subscribed to, surely or perhaps, what it was promised, and what
 * has arrived in it.
 */
import type { QoS } from "../../../src/codec/index.ts";
import type { Conversation } from "./conversation.ts";
import { Flights } from "./flights.ts";
import { Lifetime } from "./lifetime.ts";
import { matches, parseShared } from "./matches.ts";
import type { MessageRecord } from "./message-book.ts";
import type { RetainedModel } from "./retained-model.ts";

export interface SubscriptionOptions {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0 for none. */
  readonly identifier: number;
}

export interface Wish {
  readonly options: SubscriptionOptions;
  /** When the broker heard it. */
  readonly moment: number;
}

export class SubscriptionModel {
  readonly filter: string;
  /** When the broker first heard of it. */
  readonly from: number;
  readonly isShared: boolean;
  /** What it may be: as it was granted last, and as was asked for since. */
  wishes: Wish[] = [];
  /** All that it ever had. */
  readonly identifiers = new Set<number>();
  readonly #everQos = new Set<QoS>();
  /** It ever brought, or may have brought, the client its own messages; and the publishers' RETAIN. */
  #everLocal = false;
  #everAsPublished = false;
  /** There without a doubt from this moment on. */
  sureFrom = Number.POSITIVE_INFINITY;
  /** When the broker last heard that it should go. */
  leavingSince = Number.NEGATIVE_INFINITY;
  /** Gone without a doubt from this moment on. */
  goneFrom = Number.POSITIVE_INFINITY;

  constructor(filter: string, wish: Wish) {
    this.filter = filter;
    this.from = wish.moment;
    this.isShared = parseShared(filter) !== undefined;
    this.wish(wish);
  }

  wish(wish: Wish): void {
    this.wishes.push(wish);
    this.identifiers.add(wish.options.identifier);
    this.#everQos.add(wish.options.qos);
    this.#everLocal ||= !wish.options.noLocal;
    this.#everAsPublished ||= wish.options.retainAsPublished;
  }

  granted(wish: Wish, moment: number): void {
    this.wishes = this.wishes.slice(Math.max(0, this.wishes.indexOf(wish)));
    if (this.leavingSince < wish.moment) this.sureFrom = Math.min(this.sureFrom, moment);
  }

  leaving(moment: number): void {
    this.leavingSince = moment;
    this.inDoubt();
  }

  inDoubt(): void {
    this.sureFrom = Number.POSITIVE_INFINITY;
  }

  /** Whether a message that the broker was first given at `moment` must come through it at QoS 1 or 2. */
  obliges(record: MessageRecord, clientIdentifier: string, moment: number): boolean {
    if (this.sureFrom > moment || this.wishes[0].moment > moment) return false;
    if (!matches(this.filter, record.topic)) return false;
    return this.wishes.every(
      ({ options }) =>
        options.qos > 0 && !(options.noLocal && record.publisher === clientIdentifier),
    );
  }

  /** Whether it may be why a message comes that the broker was first given at `record.heardFirst`. */
  mayBring(record: MessageRecord, clientIdentifier: string): boolean {
    if (this.goneFrom < record.heardFirst || !matches(this.filter, record.topic)) return false;
    return this.#everLocal || record.publisher !== clientIdentifier;
  }

  /** Whether what was published at QoS `published` may come through it at `qos`: no higher and no lower than asked for. */
  mayBringAt(qos: QoS, published: QoS): boolean {
    return this.#everQos.values().some((granted) => Math.min(granted, published) === qos);
  }

  /** Whether a message may come through it with RETAIN 1. */
  mayRetain(retained: RetainedModel, { topic, name, retain }: MessageRecord): boolean {
    if (!retain) return false;
    if (this.#everAsPublished) return true;
    return !this.isShared && retained.mayHaveBeen(topic, name, this.from);
  }
}

interface Arrivals {
  /** By the QoS at which they came. */
  readonly times: [number, number, number];
}

export class Epoch {
  readonly clientIdentifier: string;
  readonly lifetime: Lifetime;
  readonly flights = new Flights();
  readonly subscriptions = new Map<string, SubscriptionModel>();
  /** Those that are gone. */
  readonly past: SubscriptionModel[] = [];
  /** What must arrive, by name. */
  readonly obligations = new Map<string, MessageRecord>();
  readonly arrivals = new Map<string, Arrivals>();
  /** The number of the message that last arrived for the first time, by publisher, topic and QoS. */
  readonly #lastFirst = new Map<string, MessageRecord>();
  /** The connection that its messages go to. */
  conversation: Conversation | undefined;
  /** Another has taken its place at this moment. */
  overSince: number | undefined;

  constructor(clientIdentifier: string, expirySeconds: number) {
    this.clientIdentifier = clientIdentifier;
    this.lifetime = new Lifetime(expirySeconds);
  }

  wish(filter: string, wish: Wish): void {
    const known = this.subscriptions.get(filter);
    if (known === undefined) this.subscriptions.set(filter, new SubscriptionModel(filter, wish));
    else known.wish(wish);
  }

  unsubscribed(filter: string, heardAt: number, moment: number): void {
    const subscription = this.subscriptions.get(filter);
    if (subscription === undefined) return;
    const later = subscription.wishes.filter((wish) => wish.moment > heardAt);
    subscription.goneFrom = moment;
    subscription.inDoubt();
    this.past.push(subscription);
    this.subscriptions.delete(filter);
    for (const wish of later) this.wish(filter, wish);
    this.subscriptions.get(filter)?.leaving(subscription.leavingSince);
  }

  /** What was asked for is not granted; what was there before stays. */
  refused(filter: string, wish: Wish, moment: number): void {
    const subscription = this.subscriptions.get(filter);
    if (subscription === undefined) return;
    subscription.wishes = subscription.wishes.filter((one) => one !== wish);
    if (subscription.wishes.length === 0) this.unsubscribed(filter, moment, moment);
  }

  /** Nothing in it is sure any more: it may have ended, and begun anew without anybody's knowing. */
  becomeUncertain(): void {
    for (const subscription of this.subscriptions.values()) subscription.inDoubt();
    this.obligations.clear();
    this.flights.becomeUncertain();
    this.lifetime.isInDoubt = true;
    this.lifetime.isStored = false;
  }

  *all(): Generator<SubscriptionModel> {
    yield* this.subscriptions.values();
    yield* this.past;
  }

  /** Whether `record`, which the broker was given at `moment`, must come at QoS 1 or 2 by a subscription of its own. */
  isObliged(record: MessageRecord, moment: number): boolean {
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.isShared && subscription.obliges(record, this.clientIdentifier, moment))
        return true;
    }
    return false;
  }

  memberOf(group: string): SubscriptionModel | undefined {
    return this.subscriptions.get(`$share/${group}`);
  }

  /** Whether it asked to leave the group at this moment or later. */
  hasLeft(group: string, moment: number): boolean {
    for (const { filter, leavingSince } of this.all()) {
      if (filter === `$share/${group}` && leavingSince >= moment) return true;
    }
    return false;
  }

  /** Whether it is, was or may be a member of this group. */
  mayBeMember(group: string): boolean {
    for (const { filter } of this.all()) if (filter === `$share/${group}`) return true;
    return false;
  }

  /** Counts an arrival and answers how often it has come at that QoS, those not counted that came as retained. */
  arrived(name: string, qos: QoS, retain: boolean): number {
    const arrivals = this.arrivals.get(name) ?? { times: [0, 0, 0] };
    this.arrivals.set(name, arrivals);
    this.obligations.delete(name);
    return retain ? 0 : ++arrivals.times[qos];
  }

  /** The message of the same publisher, topic and QoS that should have come after this one and came before. */
  overtakenBy(record: MessageRecord, qos: QoS): MessageRecord | undefined {
    const key = `${record.publisher} ${record.topic} ${record.qos} ${qos}`;
    const last = this.#lastFirst.get(key);
    if (last === undefined || last.number < record.number) {
      this.#lastFirst.set(key, record);
      return undefined;
    }
    return last;
  }
}
