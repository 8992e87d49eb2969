/**
 * One publisher. Its PUBLISH is encoded once; a batch is that frame again and again in one buffer, with
 * packet identifier, sequence number and time put in, and one write. How many it may send now is the least
 * of: what was asked for, what its pace owes, what the window leaves, and what has room in the buffer.
 */
import {
  encodePacket,
  PacketType,
  type Properties,
  type ProtocolVersion,
} from "../../codec/index.ts";
import type { ProgramFailure } from "../client/index.ts";
import { Client, type ClientOwner, type ClientSetting } from "./client.ts";
import { markBytes, sequenceOffset, timeOffset } from "./payload-mark.ts";
import type { Tally } from "./tally.ts";
import type { Pump, Wire } from "./wire.ts";

/** What the clients of one run have in common. */
export interface RunContext {
  readonly wire: Wire;
  readonly tally: Tally;
  onLost(client: Client, failure: ProgramFailure): void;
}

export interface PublisherMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly properties: Properties;
}

export interface PublisherLimits {
  readonly messagesMax: number;
  /** Of messages under way: not acknowledged (QoS 1 and 2), or not delivered in a closed loop. */
  readonly inFlightMax: number;
  /** How many times each message is received in all, where the publisher has to wait for that; else 0. */
  readonly copies: number;
}

/** When messages are due, for a publisher that keeps a pace. */
export interface Schedule {
  /** The wire's clock at which this publisher's message of this number is due. */
  dueAt(publisher: number, number: number): number;
}

const identifierMax = 65_535;

export class Publisher implements ClientOwner, Pump {
  readonly client: Client;
  sent = 0;
  /** Deliveries of its messages, all subscribers together. */
  delivered = 0;
  /** With a pace: how many have become due. */
  owed = 0;
  /** Nothing more is sent. */
  isStopped = true;
  readonly #number: number;
  readonly #wire: Wire;
  readonly #tally: Tally;
  readonly #message: PublisherMessage;
  readonly #context: RunContext;
  #limits: PublisherLimits = { messagesMax: 0, inFlightMax: 1, copies: 0 };
  #schedule: Schedule | undefined;
  #frame: Buffer = Buffer.alloc(0);
  #identifierAt = 0;
  /** Where the mark begins in the frame; -1 without one. */
  #markAt = -1;
  /**
   * QoS 1 and 2: when each message under way was sent, 0 for a free place. Packet identifiers go round in
   * a multiple of its length, so that each has one place.
   */
  #sentAt = new Float64Array(0);
  #identifiers = 0;
  #isTouched = false;

  constructor(
    number: number,
    setting: ClientSetting,
    message: PublisherMessage,
    context: RunContext,
  ) {
    this.#number = number;
    this.#message = message;
    this.#context = context;
    this.#wire = context.wire;
    this.#tally = context.tally;
    this.client = new Client(setting, context.wire, this);
    this.#encode(setting.connect.protocolVersion);
  }

  get packetBytes(): number {
    return this.#frame.length;
  }

  /** Sends from now on: at the pace of `schedule`, or as fast as the limits let it. */
  start(limits: PublisherLimits, schedule?: Schedule): void {
    this.#limits = limits;
    this.#schedule = schedule;
    if (this.#message.qos > 0) {
      const window = limits.inFlightMax;
      this.#sentAt = new Float64Array(window);
      this.#identifiers = identifierMax - (identifierMax % window);
    }
    this.isStopped = false;
    if (schedule === undefined) this.touch();
  }

  /** Its turn comes at the end of this tick. */
  touch(): void {
    if (this.#isTouched) return;
    this.#isTouched = true;
    this.#wire.touch(this);
  }

  pump(): void {
    this.#isTouched = false;
    const allowed = this.#allowance();
    if (allowed <= 0) return;
    if (this.client.isBusy) {
      this.client.awaitDrain(() => this.touch());
      return;
    }
    const room = Math.floor(this.#wire.slab.length / this.#frame.length);
    const count = this.#takePlaces(Math.min(allowed, room));
    if (count === 0) return;
    this.#fill(count);
    this.sent += count;
    this.#tally.sent += count;
    this.#tally.sentLastAt = this.#wire.now;
    this.client.sendSlab(count * this.#frame.length);
    if (count < allowed) this.touch();
  }

  message(): void {
    // A publisher has no subscription.
  }

  acknowledged(packetIdentifier: number, reasonCode: number): void {
    const tally = this.#tally;
    const place = (packetIdentifier - 1) % this.#sentAt.length;
    const sentAt = this.#sentAt[place];
    if (!(sentAt > 0)) {
      tally.strangeAcknowledgements += 1;
      return;
    }
    this.#sentAt[place] = 0;
    tally.lastAt = this.#wire.now;
    tally.acknowledged += 1;
    tally.acknowledgementLatency.record(this.#wire.now - sentAt);
    if (reasonCode >= 0x80) {
      tally.refused += 1;
      tally.refusalCode ||= reasonCode;
    }
    if (!this.isStopped) this.touch();
  }

  lost(client: Client, failure: ProgramFailure): void {
    this.#context.onLost(client, failure);
  }

  #allowance(): number {
    if (this.isStopped || !this.client.isReady) return 0;
    const { messagesMax, inFlightMax, copies } = this.#limits;
    let allowed =
      (this.#schedule === undefined ? messagesMax : Math.min(messagesMax, this.owed)) - this.sent;
    if (copies > 0) {
      const underWay = Math.ceil((this.sent * copies - this.delivered) / copies);
      allowed = Math.min(allowed, inFlightMax - underWay);
    }
    return allowed;
  }

  /** How many of `wanted` have a free place among those under way. */
  #takePlaces(wanted: number): number {
    if (this.#message.qos === 0) return wanted;
    const sentAt = this.#sentAt;
    let place = this.sent % sentAt.length;
    let taken = 0;
    while (taken < wanted && sentAt[place] === 0) {
      sentAt[place] = this.#wire.now;
      place = place + 1 === sentAt.length ? 0 : place + 1;
      taken += 1;
    }
    return taken;
  }

  /** Puts `count` messages into the slab. */
  #fill(count: number): void {
    const { slab, now } = this.#wire;
    const length = this.#frame.length;
    const { qos } = this.#message;
    if (this.#markAt !== -1) this.#frame.writeDoubleLE(now, this.#markAt + timeOffset);
    const end = count * length;
    this.#frame.copy(slab, 0);
    // Doubling what is there copies large pieces; a copy for each message costs three times as much.
    for (let filled = length; filled < end; filled *= 2) {
      slab.copyWithin(filled, 0, Math.min(filled, end - filled));
    }
    for (let at = 0, number = this.sent; at < end; at += length, number += 1) {
      if (qos > 0) {
        const identifier = (number % this.#identifiers) + 1;
        slab[at + this.#identifierAt] = identifier >> 8;
        slab[at + this.#identifierAt + 1] = identifier & 0xff;
      }
      if (this.#markAt === -1) continue;
      slab.writeUInt32LE(number >>> 0, at + this.#markAt + sequenceOffset);
      if (this.#schedule !== undefined) {
        slab.writeDoubleLE(
          this.#schedule.dueAt(this.#number, number),
          at + this.#markAt + timeOffset,
        );
      }
    }
  }

  #encode(version: ProtocolVersion): void {
    const { topic, payload, qos, retain, properties } = this.#message;
    const packet = { topic, payload, qos, retain, properties, dup: false, packetIdentifier: 1 };
    this.#frame = encodePacket({ type: PacketType.publish, ...packet }, version);
    this.#wire.makeRoom(this.#frame.length);
    const payloadAt = this.#frame.length - payload.length;
    if (payload.length >= markBytes) this.#markAt = payloadAt;
    // Behind first byte, remaining length and topic.
    let topicAt = 1;
    while (this.#frame[topicAt] >= 0x80) topicAt += 1;
    this.#identifierAt = topicAt + 1 + 2 + Buffer.byteLength(topic);
  }
}
