/**
 * One session: what a client identifier is subscribed to, what is on its way to it and what waits for it, with or
 * without a connection. Messages of QoS 1 and 2 leave in the order in which they came [MQTT-4.6.0-1], 3.1.1: [MQTT-4.6.0-1]:
 * while anything waits, everything queues behind it.
 */
import type { QoS } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import type { Deadline } from "./deadlines.ts";
import { Drops } from "./drops.ts";
import { gapMessage, gapTopic } from "./gaps.ts";
import type { FlightState } from "./in-flight-window.ts";
import type { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import { OutboundFlights } from "./outbound-flights.ts";
import { copyBytesMax } from "./outbox.ts";
import { type EncodedPublish, lowerQos } from "./publish-encoder.ts";
import type { PublishRange } from "./publish-range.ts";
import { type DeliveryOptions, QueuedMessage, type WaitingQueue } from "./queued-message.ts";
import type { RetainedWalk } from "./retained-walk.ts";
import type { SessionContext } from "./session-context.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import type { StoredQueueFigures } from "./storage-port.ts";
import { StoredQueue } from "./stored-queue.ts";
import type { Subscription } from "./subscription.ts";
import type { Will } from "./wills.ts";

/** While more than this waits in the outbox, queues and retained messages stay where they are. */
const outboxFillBytes = 262_144;

/** At most so much is in the packet of a gap marker besides the message. */
const gapOverheadBytes = 20;

/** Steps through the retained messages of one tick that find nothing. */
const emptyStepsMax = 50;

export class Session {
  readonly clientIdentifier: string;
  readonly context: SessionContext;
  readonly drops: Drops;
  readonly subscriptions = new Map<string, Subscription>();
  /** Whose it is; undefined for an anonymous client's. */
  userName: string | undefined;
  isV5: boolean;
  /** The connection that it belongs to, from before CONNACK on. */
  holder: Connection | undefined;
  /** The connection that messages go to, from CONNACK on. */
  connection: Connection | undefined;
  /** 0: it ends with its connection. */
  expirySeconds: number;
  expiryDeadline: Deadline | undefined;
  will: Will | undefined;
  willDeadline: Deadline | undefined;
  /** Of the authorizer, when all that it was granted was looked at; -1 before. */
  reviewedGeneration = -1;
  /** Its last client brought rights along, of which nobody knows when it is away. Not stored. */
  hadGrant = false;
  /** What has ended while its client was away, as people name it: the client hears of it in CONNACK. */
  untold: readonly string[] | undefined;
  /** While its subscriptions come out of the storage: they are not stored again. */
  isBeingRestored = false;
  /** Packet identifiers of QoS 2 messages that came and are not yet released [MQTT-4.3.3-10], 3.1.1: [MQTT-4.3.3-2]. */
  receivedIdentifiers: Set<number> | undefined;

  /** Its number in the storage; 0 for one that ends with its connection. */
  #stored = 0;
  readonly #flights: OutboundFlights;
  #queue: WaitingQueue | undefined;
  /** By filter, the first subscription first. */
  #walks: Map<string, RetainedWalk> | undefined;
  #memberships: Map<SharedSubscription, Subscription> | undefined;
  /** Steps through retained messages that found nothing. */
  #emptySteps = 0;
  #hasEnded = false;

  constructor(clientIdentifier: string, isV5: boolean, context: SessionContext) {
    this.clientIdentifier = clientIdentifier;
    this.isV5 = isV5;
    this.context = context;
    this.drops = new Drops(clientIdentifier, context);
    this.expirySeconds = 0;
    this.#flights = new OutboundFlights(this);
  }

  /** Whether it outlives its connection. */
  get persists(): boolean {
    return this.expirySeconds > 0;
  }

  /** Whether all that happens to it is kept: decided when it begins. */
  get isStored(): boolean {
    return this.#stored > 0;
  }

  /** Its number in the storage. */
  get stored(): number {
    return this.#stored;
  }

  /** From now on it is kept under the number `stored`. */
  store(stored: number, figures?: StoredQueueFigures): void {
    this.#stored = stored;
    if (figures !== undefined && figures.positionLast > 0) this.#openQueue(figures);
  }

  /** Undefined for a session that is not stored. */
  get storedQueue(): StoredQueue | undefined {
    if (this.#stored === 0) return undefined;
    return this.#openQueue() as StoredQueue;
  }

  #openQueue(figures?: StoredQueueFigures): WaitingQueue {
    if (this.#queue !== undefined) return this.#queue;
    const { context, drops } = this;
    if (this.#stored === 0) this.#queue = new MessageQueue(context, drops);
    else {
      const refilled = (): void => this.pump();
      const options = { queue: this.#stored, context, drops, shared: undefined, refilled };
      const stored = new StoredQueue(options, figures);
      if (this.connection !== undefined) stored.open();
      this.#queue = stored;
    }
    return this.#queue;
  }

  /** What is on its way to its client. */
  get flights(): OutboundFlights {
    return this.#flights;
  }

  get queuedMessages(): number {
    return this.#queue?.length ?? 0;
  }

  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  get inFlightMessages(): number {
    return this.#flights.count;
  }

  /** A connection takes the session up. */
  attach(connection: Connection, receiveMaximum: number): void {
    this.connection = connection;
    this.#flights.attach(connection, receiveMaximum);
    if (this.#queue instanceof StoredQueue) this.#queue.open();
    this.pump();
  }

  /** The connection is gone. What was sent through shared subscriptions and not acknowledged may go to others. */
  detach(): void {
    this.connection = undefined;
    this.#flights.detach();
    if (this.#queue instanceof StoredQueue) this.#queue.close();
    if (this.#memberships === undefined) return;
    const groups = new Set<SharedSubscription>();
    const goes = ({ shared }: QueuedMessage): boolean => shared?.hasOtherMember(this) === true;
    for (const queued of this.#flights.takeBack(goes)) {
      if (queued.shared === undefined) continue;
      queued.shared.takeBack(queued);
      groups.add(queued.shared);
    }
    for (const group of groups) group.distribute();
  }

  /** The session is over: nothing of it is kept. QoS 2 under way goes to nobody else [MQTT-4.8.2-5]. */
  end(): void {
    this.#hasEnded = true;
    this.detach();
    if (this.#stored > 0)
      this.context.journal.promise({ kind: "sessionEnded", queue: this.#stored });
    this.#stored = 0;
    for (const subscription of [...this.subscriptions.values()])
      this.context.dropSubscription(subscription);
    this.#memberships = undefined;
    this.#walks = undefined;
    if (this.#queue !== undefined) {
      this.drops.count("sessionEnded", this.#queue.length);
      this.#queue.clear();
    }
    if (this.expiryDeadline !== undefined) this.context.deadlines.cancel(this.expiryDeadline);
    if (this.willDeadline !== undefined) this.context.deadlines.cancel(this.willDeadline);
  }

  join(shared: SharedSubscription, member: Subscription): void {
    this.#memberships ??= new Map();
    this.#memberships.set(shared, member);
  }

  leave(shared: SharedSubscription): void {
    this.#memberships?.delete(shared);
    if (shared.stored > 0) this.#flights.leave(shared);
  }

  /** Whether a message with this QoS could be sent right now. */
  canTake(qos: QoS): boolean {
    const outbox = this.connection?.outbox;
    if (outbox === undefined || outbox.isClosed) return false;
    if (outbox.bytes >= this.context.limits.outboxBytesMax) return false;
    return (
      qos === 0 ||
      // [MQTT-4.6.0-5] nothing overtakes what waits, 3.1.1: [MQTT-4.6.0-6]
      (this.#flights.hasRoomForMore && this.queuedMessages === 0 && !this.#flights.hasToResend)
    );
  }

  /** One of the many that get `message`; `encoded` are the bytes they share, good only now. */
  deliver(message: Message, encoded: EncodedPublish): void {
    if (this.#walks !== undefined && !message.retain) this.#bringForward(message.topic);
    const connection = this.connection;
    const { variant } = this.context.delivery;
    if (this.drops.gaps?.isEmpty === false && this.canTake(variant.qos)) this.#tellGaps();
    if (variant.qos === 0) {
      if (connection === undefined) return;
      const { dropReason } = connection;
      if (dropReason !== undefined) this.drops.count(dropReason, 1, message.topic);
      else connection.sendPublish(message, variant, encoded, 0);
      return;
    }
    const { qos, retain, identifiers } = variant;
    if (connection === undefined || !this.canTake(qos)) this.#enqueue(message, variant);
    else if (this.isStored) {
      const options = { qos, retain, identifiers };
      this.#flights.send(new QueuedMessage(message.keep(), options, undefined, undefined), encoded);
    } else connection.sendPublish(message, variant, encoded, this.#flights.take(qos));
  }

  /** A range of QoS 1 frames as they stand; false where that cannot be, and nothing has happened. */
  takeRange(range: PublishRange): boolean {
    const { connection } = this;
    // Of a stored session each message is kept.
    if (connection === undefined || this.isStored || this.needsEachMessage) return false;
    if (!this.canTake(1)) return false;
    if (!connection.takesRanges || range.frameBytesMax > connection.maximumPacketSize) return false;
    const bytes = range.end - range.start;
    if (this.#flights.room < range.count || bytes > copyBytesMax) return false;
    connection.outbox.appendRange(range, () => this.#flights.take(1));
    connection.countPublishes(range.count, bytes);
    return true;
  }

  /** A message for this session alone, which `canTake` it. */
  deliverNow(queued: QueuedMessage): void {
    if (this.drops.gaps?.isEmpty === false) this.#tellGaps();
    this.#flights.send(queued);
  }

  /** The matching retained messages follow, as the connection has room; no queue limit counts what is not brought forward. */
  startRetained(walk: RetainedWalk): void {
    this.#walks ??= new Map();
    this.#walks.set(walk.subscription.filter, walk);
  }

  stopRetained(filter: string): void {
    this.#walks?.delete(filter);
    if (this.#walks?.size === 0) this.#walks = undefined;
  }

  /** Whether something must go before the next message: each is looked at alone until then. */
  get needsEachMessage(): boolean {
    return this.#walks !== undefined || this.drops.gaps?.isEmpty === false;
  }

  /** QoS 0: one that is lost as well has said nothing wrong. */
  #tellGaps(): void {
    const topic = gapTopic(this.clientIdentifier);
    const subscription = this.subscriptions.get(topic);
    const bytesMax = (this.connection?.maximumPacketSize ?? 0) - gapOverheadBytes;
    for (const gap of this.drops.gaps?.take() ?? []) {
      if (!this.isV5 || subscription === undefined) return;
      const message = gapMessage(topic, gap, this.context.clock.now());
      if (message.size > bytesMax) continue; // to lose a marker is no new gap
      const identifiers = subscription.identifier > 0 ? [subscription.identifier] : [];
      const options = { qos: 0, retain: false, identifiers } as const;
      this.#flights.send(new QueuedMessage(message, options, undefined, undefined));
    }
  }

  /** What the client says to the message with this identifier; free when there is none. */
  flightState(packetIdentifier: number): FlightState {
    return this.#flights.stateOf(packetIdentifier);
  }

  /** The last word on a message: its identifier is free again, and there is room for another. */
  finish(packetIdentifier: number): void {
    this.#flights.finish(packetIdentifier);
    if (this.hasBacklog) this.pump();
  }

  /** Whether anything waits that `pump` could send. */
  get hasBacklog(): boolean {
    if (this.#flights.hasToResend || this.#walks !== undefined || this.queuedMessages > 0)
      return true;
    if (this.#memberships === undefined || this.context.sharedQueues.messages === 0) return false;
    for (const shared of this.#memberships.keys()) if (shared.queuedMessages > 0) return true;
    return false;
  }

  /** Sends what waits, in order, as far as the client's window and the outbox have room. */
  pump(): void {
    const connection = this.connection;
    if (connection === undefined) return;
    const { outbox } = connection;
    // What is written may end the connection, and with it the session.
    while (!outbox.isClosed && outbox.bytes < outboxFillBytes && this.#sendNext()) {
      // one message each time round
    }
  }

  #sendNext(): boolean {
    if (this.#flights.hasRoom) {
      if (this.#flights.resendNext()) return true;
      const { hasRoomForMore } = this.#flights;
      const queued = hasRoomForMore ? (this.#queue?.shift() ?? this.#fromShared()) : undefined;
      if (queued !== undefined) {
        if (queued.message.hasExpired(this.context.clock.now())) this.#expire(queued);
        else this.deliverNow(queued);
        return true;
      }
    }
    return this.#sendRetained();
  }

  /** [MQTT-3.3.2-5] */
  #expire({ row, message }: QueuedMessage): void {
    this.drops.count("expired", 1, message.topic);
    if (row !== undefined) this.context.journal.remove(row);
  }

  #fromShared(): QueuedMessage | undefined {
    if (this.#memberships === undefined || this.context.sharedQueues.messages === 0) {
      return undefined;
    }
    for (const [shared, member] of this.#memberships) {
      const queued = shared.takeFor(member);
      if (queued !== undefined) return queued;
    }
    return undefined;
  }

  #sendRetained(): boolean {
    const walk = this.#walks?.values().next().value;
    if (walk === undefined) return false;
    const { subscription } = walk;
    if (subscription.qos > 0 && !this.#flights.hasRoomForMore) return false;
    const message = walk.next();
    if (walk.isDone) this.stopRetained(subscription.filter);
    if (message === undefined) return this.#mayWalkOn();
    const queued = this.#toRetained(subscription, message);
    if (queued !== undefined) this.deliverNow(queued);
    return true;
  }

  /** A newer message on `topic` must not overtake the retained one [MQTT-4.6.0-5], 3.1.1: [MQTT-4.6.0-6]. */
  #bringForward(topic: string): void {
    const message = this.context.retained.get(topic);
    if (message === undefined) return;
    for (const walk of this.#walks?.values() ?? []) {
      if (!walk.awaits(message)) continue;
      const queued = this.#toRetained(walk.subscription, message);
      if (queued === undefined) continue;
      if (this.canTake(queued.qos)) this.deliverNow(queued);
      else if (queued.qos > 0 && this.#queue?.takes(message) !== false)
        this.#enqueue(message, queued);
      else continue; // nor is there room for the newer one
      walk.skip(message);
    }
  }

  /** A retained message as it goes to a new subscription; undefined where it does not. */
  #toRetained(subscription: Subscription, message: Message): QueuedMessage | undefined {
    if (message.hasExpired(this.context.clock.now())) return undefined;
    if (subscription.noLocal && message.publisher === this.clientIdentifier) return undefined; // [MQTT-3.8.3-3]
    const identifiers = subscription.identifier > 0 ? [subscription.identifier] : [];
    const qos = lowerQos(message.qos, subscription.qos);
    // Sent because of a new subscription: RETAIN is 1, 3.1.1: [MQTT-3.3.1-8]
    const options = { qos, retain: true, identifiers };
    return new QueuedMessage(message, options, undefined, undefined);
  }

  #enqueue(message: Message, options: DeliveryOptions): void {
    if (this.#hasEnded) return; // during this very delivery, by what was written or handled before
    this.#openQueue().offer(message, options); // [MQTT-4.5.0-1], 3.1.1: [MQTT-3.1.2-5] [MQTT-4.5.0-1]
  }

  /** Filters that match little may walk far: the others get their turn, and the walk goes on in the next tick. */
  #mayWalkOn(): boolean {
    this.#emptySteps++;
    if (this.#emptySteps % emptyStepsMax !== 0) return true;
    if (this.#walks !== undefined) this.connection?.outbox.askForTick();
    return false;
  }

  /** A message beyond the client's Maximum Packet Size: as if it had been delivered [MQTT-3.1.2-25]. */
  abandon(packetIdentifier: number, isLoss = true): void {
    if (isLoss) this.drops.count("packetTooLarge", 1);
    if (packetIdentifier > 0) this.#flights.finish(packetIdentifier);
  }
}
