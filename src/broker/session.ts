/**
 * One session: what a client identifier is subscribed to, what is on its way to it and what waits for it, with or
 * without a connection. Messages of QoS 1 and 2 leave in the order in which they came [MQTT-4.6.0-1], 3.1.1: [MQTT-4.6.0-1]:
 * while anything waits, everything queues behind it.
 */
import type { QoS } from "../codec/index.ts";
import type { Connection } from "./connection.ts";
import type { Deadline } from "./deadlines.ts";
import { Drops } from "./drops.ts";
import { FlightState, InFlightWindow } from "./in-flight-window.ts";
import type { Message } from "./message.ts";
import { MessageQueue } from "./message-queue.ts";
import { copyBytesMax } from "./outbox.ts";
import { type EncodedPublish, lowerQos, newVariant } from "./publish-encoder.ts";
import type { PublishRange } from "./publish-range.ts";
import type { QueuedMessage } from "./queued-message.ts";
import type { RetainedWalk } from "./retained-walk.ts";
import type { SessionContext } from "./session-context.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import type { Subscription } from "./subscription.ts";
import type { Will } from "./wills.ts";

/** While more than this waits in the outbox, queues and retained messages stay where they are. */
const outboxFillBytes = 262_144;

/** Steps through the retained messages of one tick that find nothing. */
const emptyStepsMax = 50;

export class Session {
  readonly clientIdentifier: string;
  readonly context: SessionContext;
  readonly drops: Drops;
  readonly subscriptions = new Map<string, Subscription>();
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
  /** Packet identifiers of QoS 2 messages that came and are not yet released [MQTT-4.3.3-10], 3.1.1: [MQTT-4.3.3-2]. */
  receivedIdentifiers: Set<number> | undefined;

  #window: InFlightWindow | undefined;
  #windowMax = 0;
  /** Identifiers to be sent again after a reconnect, as soon as the client's Receive Maximum lets them. */
  #resending: { packetIdentifier: number; queued: QueuedMessage }[] = [];
  #queue: MessageQueue | undefined;
  /** By filter, the first subscription first. */
  #walks: Map<string, RetainedWalk> | undefined;
  #memberships: Map<SharedSubscription, Subscription> | undefined;
  /** Steps through retained messages that found nothing. */
  #emptySteps = 0;

  constructor(clientIdentifier: string, isV5: boolean, context: SessionContext) {
    this.clientIdentifier = clientIdentifier;
    this.isV5 = isV5;
    this.context = context;
    this.drops = new Drops(clientIdentifier, context);
    this.expirySeconds = 0;
  }

  get persists(): boolean {
    return this.expirySeconds > 0;
  }

  get queuedMessages(): number {
    return this.#queue?.length ?? 0;
  }

  get queuedBytes(): number {
    return this.#queue?.bytes ?? 0;
  }

  get inFlightMessages(): number {
    return this.#window?.count ?? 0;
  }

  /** A connection takes the session up; what was under way is sent again [MQTT-4.4.0-1], 3.1.1: [MQTT-4.4.0-1]. */
  attach(connection: Connection, receiveMaximum: number): void {
    this.connection = connection;
    this.#windowMax = receiveMaximum; // [MQTT-4.9.0-1]
    this.#resending = [];
    if (this.#window !== undefined) {
      for (const { packetIdentifier, state, queued } of this.#window.inOrder()) {
        // [MQTT-4.3.3-5], 3.1.1: [MQTT-4.3.3-1]
        if (state === FlightState.awaitingPubcomp) connection.sendPubrel(packetIdentifier);
        // [MQTT-4.3.2-3] [MQTT-4.3.3-3], 3.1.1: [MQTT-4.3.2-1]
        else if (queued !== undefined) this.#resending.push({ packetIdentifier, queued });
      }
    }
    this.pump();
  }

  /** The connection is gone. What was sent through shared subscriptions and not acknowledged may go to others. */
  detach(): void {
    this.connection = undefined;
    this.#resending = [];
    if (this.#window === undefined || this.#memberships === undefined) return;
    const groups = new Set<SharedSubscription>();
    for (const { packetIdentifier, state, queued } of this.#window.inOrder().reverse()) {
      // [MQTT-4.8.2-4] QoS 2 stays
      if (state !== FlightState.awaitingPuback || queued?.shared === undefined) continue;
      if (!queued.shared.hasOtherMember(this)) continue;
      this.#window.release(packetIdentifier);
      queued.shared.takeBack(queued);
      groups.add(queued.shared);
    }
    for (const group of groups) group.distribute();
  }

  /** The session is over: nothing of it is kept. QoS 2 under way goes to nobody else [MQTT-4.8.2-5]. */
  end(): void {
    this.detach();
    for (const subscription of [...this.subscriptions.values()])
      this.context.dropSubscription(subscription);
    this.#memberships = undefined;
    this.#walks = undefined;
    this.#window = undefined;
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
  }

  /** Whether a message with this QoS could be sent right now. */
  canTake(qos: QoS): boolean {
    const outbox = this.connection?.outbox;
    if (outbox === undefined || outbox.isClosed) return false;
    if (outbox.bytes >= this.context.limits.outboxBytesMax) return false;
    return (
      qos === 0 ||
      // [MQTT-4.6.0-5] nothing overtakes what waits, 3.1.1: [MQTT-4.6.0-6]
      (this.#hasRoomForMore() && this.queuedMessages === 0 && this.#resending.length === 0)
    );
  }

  /** One of the many that get `message`; `encoded` are the bytes they share, good only now. */
  deliver(message: Message, encoded: EncodedPublish): void {
    if (this.#walks !== undefined && !message.retain) this.#bringForward(message.topic);
    const connection = this.connection;
    const { variant } = this.context.delivery;
    if (variant.qos === 0) {
      if (connection === undefined) return;
      const { dropReason } = connection;
      if (dropReason !== undefined) this.drops.count(dropReason, 1);
      else connection.sendPublish(message, variant, encoded, 0);
      return;
    }
    const { qos, retain, identifiers } = variant;
    if (connection === undefined || !this.canTake(qos)) {
      this.#enqueue(message, (kept) => {
        return { message: kept, qos, retain, identifiers, shared: undefined };
      });
      return;
    }
    const queued = this.persists
      ? { message: message.keep(), qos, retain, identifiers, shared: undefined }
      : undefined;
    connection.sendPublish(message, variant, encoded, this.#takeIdentifier(qos, queued));
  }

  /** A range of QoS 1 frames as they stand; false where that cannot be, and nothing has happened. */
  takeRange(range: PublishRange): boolean {
    const { connection } = this;
    // A session that outlives its connection keeps each message.
    if (connection === undefined || this.persists || this.awaitsRetained) return false;
    if (!this.canTake(1)) return false;
    if (!connection.takesRanges || range.frameBytesMax > connection.maximumPacketSize) return false;
    const bytes = range.end - range.start;
    const room = this.#windowMax - this.inFlightMessages;
    if (room < range.count || bytes > copyBytesMax) return false;
    connection.outbox.appendRange(range, () => this.#takeIdentifier(1, undefined));
    connection.countPublishes(range.count, bytes);
    return true;
  }

  /** A message for this session alone, which `canTake` it. */
  deliverNow(queued: QueuedMessage): void {
    const identifier = queued.qos === 0 ? 0 : this.#takeIdentifier(queued.qos, queued);
    this.#send(queued, identifier, false); // DUP 0 [MQTT-4.3.2-2] [MQTT-4.3.3-2], 3.1.1: [MQTT-4.3.2-1] [MQTT-4.3.3-1]
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

  /** Whether retained messages are still to come: until then each message is looked at alone. */
  get awaitsRetained(): boolean {
    return this.#walks !== undefined;
  }

  /** What the client says to the message with this identifier; free when there is none. */
  flightState(packetIdentifier: number): FlightState {
    return this.#window?.stateOf(packetIdentifier) ?? FlightState.free;
  }

  /** The last word on a message: its identifier is free again, and there is room for another. */
  finish(packetIdentifier: number): void {
    this.#window?.release(packetIdentifier);
    this.#cancelResending(packetIdentifier);
    if (this.hasBacklog) this.pump();
  }

  released(packetIdentifier: number): void {
    this.#window?.awaitPubcomp(packetIdentifier);
    this.#cancelResending(packetIdentifier);
  }

  /** The client answers what it got on its last connection: it has it [MQTT-4.3.3-6]. */
  #cancelResending(packetIdentifier: number): void {
    if (this.#resending.length === 0) return;
    this.#resending = this.#resending.filter(
      (flight) => flight.packetIdentifier !== packetIdentifier,
    );
  }

  /** Whether anything waits that `pump` could send. */
  get hasBacklog(): boolean {
    if (this.#resending.length > 0 || this.#walks !== undefined || this.queuedMessages > 0)
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
    if (this.#hasRoom()) {
      const again = this.#resending.shift(); // expired or not [MQTT-4.3.3-7]
      if (again !== undefined) {
        this.#send(again.queued, again.packetIdentifier, true); // [MQTT-3.3.1-1] DUP, 3.1.1: [MQTT-3.3.1-1] [MQTT-2.3.1-3]
        return true;
      }
      const hasRoomForMore = this.#hasRoomForMore();
      const queued = hasRoomForMore ? (this.#queue?.shift() ?? this.#fromShared()) : undefined;
      if (queued !== undefined) {
        if (queued.message.hasExpired(this.context.clock.now()))
          this.drops.count("expired", 1); // [MQTT-3.3.2-5]
        else this.deliverNow(queued);
        return true;
      }
    }
    return this.#sendRetained();
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
    if (subscription.qos > 0 && !this.#hasRoomForMore()) return false;
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
        this.#enqueue(message, () => queued);
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
    return { message, qos, retain: true, identifiers, shared: undefined };
  }

  #enqueue(message: Message, wrap: (kept: Message) => QueuedMessage): void {
    this.#queue ??= new MessageQueue(this.context, this.drops); // [MQTT-4.5.0-1], 3.1.1: [MQTT-3.1.2-5] [MQTT-4.5.0-1]
    this.#queue.offer(message, wrap);
  }

  /** Filters that match little may walk far: the others get their turn, and the walk goes on in the next tick. */
  #mayWalkOn(): boolean {
    this.#emptySteps++;
    if (this.#emptySteps % emptyStepsMax !== 0) return true;
    if (this.#walks !== undefined) this.connection?.outbox.askForTick();
    return false;
  }

  #hasRoom(): boolean {
    const underWay = this.inFlightMessages - this.#resending.length;
    return underWay < this.#windowMax; // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
  }

  /** For a message that is not under way yet: what is must be kept until it is acknowledged, so its bytes count. */
  #hasRoomForMore(): boolean {
    return this.#hasRoom() && (this.#window?.bytes ?? 0) < this.context.limits.queueBytesMax;
  }

  /** [MQTT-4.3.2-1] [MQTT-4.3.3-1], 3.1.1: [MQTT-4.3.2-1] [MQTT-4.3.3-1] */
  #takeIdentifier(qos: QoS, queued: QueuedMessage | undefined): number {
    this.#window ??= new InFlightWindow();
    return this.#window.take(
      qos === 1 ? FlightState.awaitingPuback : FlightState.awaitingPubrec,
      queued,
    );
  }

  #send(queued: QueuedMessage, packetIdentifier: number, dup: boolean): void {
    const { message } = queued;
    const variant = newVariant();
    variant.isV5 = this.isV5;
    variant.qos = queued.qos;
    variant.retain = queued.retain;
    variant.dup = dup; // [MQTT-3.3.1-3], 3.1.1: [MQTT-3.3.1-3]
    variant.identifiers = this.isV5 ? queued.identifiers : variant.identifiers;
    variant.expirySeconds = message.secondsLeft(this.context.clock.now());
    this.connection?.sendPublish(message, variant, undefined, packetIdentifier);
  }

  /** A message beyond the client's Maximum Packet Size: as if it had been delivered [MQTT-3.1.2-25]. */
  abandon(packetIdentifier: number): void {
    this.drops.count("packetTooLarge", 1);
    if (packetIdentifier > 0) this.#window?.release(packetIdentifier);
  }
}
