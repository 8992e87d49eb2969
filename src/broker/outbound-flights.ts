/**
 * The QoS 1 and 2 messages of one session that are on their way to its client: identifiers, resending, and for a stored
 * session their rows. A QoS 2 message leaves only when its identifier is safe: otherwise a crash could let that name
 * another message, which the client would take for a duplicate (DESIGN.md, section 5). Nothing overtakes it.
 */
import type { QoS } from "../codec/index.ts";
import type { CommitWaiter } from "./commit-waiters.ts";
import type { Connection } from "./connection.ts";
import { FlightState, InFlightWindow } from "./in-flight-window.ts";
import { Message } from "./message.ts";
import { PendingRow } from "./pending-row.ts";
import { type EncodedPublish, newVariant } from "./publish-encoder.ts";
import { QueuedMessage } from "./queued-message.ts";
import type { Session } from "./session.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import type { StoredDelivery } from "./storage-port.ts";
import type { StoredQueue } from "./stored-queue.ts";

interface Flying {
  readonly packetIdentifier: number;
  readonly queued: QueuedMessage;
}

const noIdentifiers: readonly number[] = [];

export class OutboundFlights implements CommitWaiter {
  readonly #session: Session;
  #window: InFlightWindow | undefined;
  #windowMax = 0;
  /** To be sent again after a reconnect, as soon as the client's Receive Maximum lets them. */
  #resending: Flying[] = [];
  /** They have their identifiers and wait until those are safe, or for such a one before them. */
  #waiting: { readonly flying: Flying; readonly epoch: number; readonly dup: boolean }[] = [];
  #isAwaitingJournal = false;

  constructor(session: Session) {
    this.#session = session;
  }

  get count(): number {
    return this.#window?.count ?? 0;
  }

  get hasToResend(): boolean {
    return this.#resending.length > 0;
  }

  /** How many more the client's Receive Maximum lets out. */
  get room(): number {
    return this.#windowMax - this.count;
  }

  /** A connection takes the session up; what was under way is sent again [MQTT-4.4.0-1], 3.1.1: [MQTT-4.4.0-1]. */
  attach(connection: Connection, receiveMaximum: number): void {
    this.#windowMax = receiveMaximum; // [MQTT-4.9.0-1]
    this.#resending = [];
    if (this.#window === undefined) return;
    const { journal } = this.#session.context;
    for (const { packetIdentifier, state, queued, pubrel } of this.#window.inOrder()) {
      // [MQTT-4.3.3-5], 3.1.1: [MQTT-4.3.3-1]
      if (state === FlightState.awaitingPubcomp)
        connection.answers.acknowledge(0x62, packetIdentifier, !journal.isSafe(pubrel?.epoch ?? 0));
      // [MQTT-4.3.2-3] [MQTT-4.3.3-3], 3.1.1: [MQTT-4.3.2-1]
      else if (queued !== undefined) this.#resending.push({ packetIdentifier, queued });
    }
  }

  detach(): void {
    this.#resending = [];
    this.#waiting = [];
    if (!this.#session.isStored) return;
    for (const { queued } of this.#window?.inOrder() ?? []) queued?.message.leavePage();
  }

  /** What was under way before a restart. */
  restore(deliveries: readonly StoredDelivery[]): void {
    if (deliveries.length === 0) return;
    this.#window ??= new InFlightWindow();
    for (const { row, content } of deliveries) {
      const message = content && Message.restore(content);
      const stored = new PendingRow(row, message);
      stored.message = row.message;
      const { packetIdentifier, qos, retain, subscriptionIdentifiers } = row;
      if (message === undefined) {
        const state = FlightState.awaitingPubcomp;
        this.#window.restore({ packetIdentifier, state, queued: undefined, pubrel: stored });
        continue;
      }
      const options = { qos, retain, identifiers: subscriptionIdentifiers };
      const queued = new QueuedMessage(message, options, undefined, stored);
      queued.wasSent = true; // as far as anybody knows
      const state = stateOf(qos);
      this.#window.restore({ packetIdentifier, state, queued, pubrel: undefined });
    }
  }

  /** Of a QoS 1 or 2 message that nobody keeps [MQTT-4.3.2-1] [MQTT-4.3.3-1], 3.1.1: [MQTT-4.3.2-1] [MQTT-4.3.3-1]. */
  take(qos: QoS): number {
    this.#window ??= new InFlightWindow();
    return this.#window.take(stateOf(qos), undefined);
  }

  /**
   * Sends a message for the first time: DUP 0 [MQTT-4.3.2-2] [MQTT-4.3.3-2], 3.1.1: [MQTT-4.3.2-1] [MQTT-4.3.3-1].
   * `encoded` are its bytes for the variant being delivered, where they are known.
   */
  send(queued: QueuedMessage, encoded?: EncodedPublish): void {
    if (queued.qos === 0) {
      this.#write({ packetIdentifier: 0, queued }, false);
      return;
    }
    this.#window ??= new InFlightWindow();
    const packetIdentifier = this.#window.take(stateOf(queued.qos), queued);
    const { storedQueue } = this.#session;
    if (storedQueue !== undefined) this.#record(queued, packetIdentifier, storedQueue);
    if (encoded === undefined || queued.qos === 2 || this.#waiting.length > 0) {
      this.#writeWhenSafe({ packetIdentifier, queued }, false);
      return;
    }
    queued.wasSent = true;
    const { connection, context } = this.#session;
    connection?.sendPublish(queued.message, context.delivery.variant, encoded, packetIdentifier);
  }

  /** The row of a message that is under way: it has one, waits in a shared subscription, or gets one. */
  #record(queued: QueuedMessage, packetIdentifier: number, storedQueue: StoredQueue): void {
    const { journal } = this.#session.context;
    const { queue } = storedQueue;
    const { row, message, qos, retain, identifiers: subscriptionIdentifiers } = queued;
    const mustBeSafe = qos === 2;
    if (row?.queue === queue) {
      journal.assign(row, packetIdentifier, mustBeSafe);
      return;
    }
    const position = storedQueue.nextPosition();
    const place = { queue, position, packetIdentifier, qos, retain, subscriptionIdentifiers };
    const own = new PendingRow(place, message);
    if (row === undefined) journal.addRow(own, mustBeSafe);
    queued.row = row === undefined ? own : journal.move(row, own, mustBeSafe);
  }

  /** The next that has to be sent again, if there is room; what was sent also when it has expired [MQTT-4.3.3-7]. */
  resendNext(): boolean {
    const again = this.#resending.shift();
    if (again === undefined) return false;
    const { queued, packetIdentifier } = again;
    const { context, drops } = this.#session;
    if (!queued.wasSent && queued.message.hasExpired(context.clock.now())) {
      drops.count("expired", 1); // it has an identifier and never left [MQTT-3.3.2-5]
      this.finish(packetIdentifier);
      return true;
    }
    this.#writeWhenSafe(again, queued.wasSent); // [MQTT-3.3.1-1] DUP, 3.1.1: [MQTT-3.3.1-1] [MQTT-2.3.1-3]
    return true;
  }

  #writeWhenSafe(flying: Flying, dup: boolean): void {
    const { journal } = this.#session.context;
    const { qos, row } = flying.queued;
    const epoch = qos === 2 && row !== undefined ? row.safeEpoch : 0;
    if (this.#waiting.length === 0 && journal.isSafe(epoch)) {
      this.#write(flying, dup);
      return;
    }
    this.#waiting.push({ flying, epoch, dup });
    this.#waitForJournal();
  }

  /** Once, however often what waits comes and goes meanwhile. */
  #waitForJournal(): void {
    if (this.#isAwaitingJournal) return;
    this.#isAwaitingJournal = true;
    this.#session.context.journal.wait(this);
  }

  committed(): void {
    const { journal } = this.#session.context;
    this.#isAwaitingJournal = false;
    while (this.#waiting.length > 0 && journal.isSafe(this.#waiting[0].epoch)) {
      const next = this.#waiting.shift();
      if (next !== undefined) this.#write(next.flying, next.dup);
    }
    if (this.#waiting.length > 0) this.#waitForJournal();
    // One that was too large for the client has left its place to the next.
    if (this.#session.hasBacklog) this.#session.pump();
  }

  #write({ queued, packetIdentifier }: Flying, dup: boolean): void {
    const { message } = queued;
    const { isV5, context, connection } = this.#session;
    const variant = newVariant();
    variant.isV5 = isV5;
    variant.qos = queued.qos;
    variant.retain = queued.retain;
    variant.dup = dup; // [MQTT-3.3.1-3], 3.1.1: [MQTT-3.3.1-3]
    variant.identifiers = isV5 ? queued.identifiers : noIdentifiers;
    if (message.expiresAt !== Number.POSITIVE_INFINITY)
      variant.expirySeconds = message.secondsLeft(context.clock.now());
    queued.wasSent = true;
    connection?.sendPublish(message, variant, undefined, packetIdentifier);
  }

  /** What the client says to the message with this identifier; free when there is none. */
  stateOf(packetIdentifier: number): FlightState {
    return this.#window?.stateOf(packetIdentifier) ?? FlightState.free;
  }

  /** The last word on a message: its identifier is free again, and there is room for another. */
  finish(packetIdentifier: number): void {
    const row = this.#window?.rowOf(packetIdentifier);
    this.#window?.release(packetIdentifier);
    if (row !== undefined) this.#session.context.journal.remove(row);
    this.#cancelResending(packetIdentifier);
  }

  /** PUBREC has come: of the message nothing is kept but its identifier. */
  released(packetIdentifier: number): void {
    const { storedQueue, context } = this.#session;
    const row = this.#window?.rowOf(packetIdentifier);
    let pubrel: PendingRow | undefined;
    if (row !== undefined && storedQueue !== undefined) {
      const { queue } = storedQueue;
      const position = storedQueue.nextPosition(); // PUBREL in the order of PUBREC
      const place = { queue, position, packetIdentifier, qos: 2, retain: false } as const;
      pubrel = new PendingRow({ ...place, subscriptionIdentifiers: noIdentifiers }, undefined);
      context.journal.remove(row);
      context.journal.addRow(pubrel, true);
    } else if (row !== undefined) context.journal.remove(row);
    this.#window?.awaitPubcomp(packetIdentifier, pubrel);
    this.#cancelResending(packetIdentifier);
  }

  /** The client answers what it got on its last connection: it has it [MQTT-4.3.3-6]. */
  #cancelResending(packetIdentifier: number): void {
    if (this.#resending.length > 0)
      this.#resending = this.#resending.filter((one) => one.packetIdentifier !== packetIdentifier);
    if (this.#waiting.length > 0)
      this.#waiting = this.#waiting.filter(
        ({ flying }) => flying.packetIdentifier !== packetIdentifier,
      );
  }

  /** Those of a shared subscription that go to another member, the last first; they are under way no more. */
  *takeBack(goes: (queued: QueuedMessage) => boolean): Generator<QueuedMessage> {
    for (const { packetIdentifier, state, queued } of this.#window?.inOrder().reverse() ?? []) {
      // [MQTT-4.8.2-4] QoS 2 stays
      if (state !== FlightState.awaitingPuback || queued === undefined || !goes(queued)) continue;
      this.#window?.release(packetIdentifier);
      yield queued;
    }
  }

  /** The client has left the group: what it was sent through it is between the two of them alone. */
  leave(shared: SharedSubscription): void {
    for (const { queued } of this.#window?.inOrder() ?? []) {
      if (queued?.row === undefined || queued.row.queue !== shared.stored) continue;
      this.#session.context.journal.remove(queued.row);
      queued.row = undefined;
    }
  }

  get hasRoom(): boolean {
    const underWay = this.count - this.#resending.length;
    return underWay < this.#windowMax; // [MQTT-3.3.4-9] [MQTT-4.9.0-2]
  }

  /** For a message that is not under way yet: what is must be kept until it is acknowledged, so its bytes count. */
  get hasRoomForMore(): boolean {
    const { queueBytesMax } = this.#session.context.limits;
    return this.hasRoom && (this.#window?.bytes ?? 0) < queueBytesMax;
  }
}

function stateOf(qos: QoS): FlightState {
  return qos === 1 ? FlightState.awaitingPuback : FlightState.awaitingPubrec;
}
