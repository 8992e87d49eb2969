/**
 * A client that keeps its session and does what the standard asks of it: it remembers what it has sent until that is
 * acknowledged, sends it again with DUP when it comes back, and takes each message of QoS 2 once. When it answers is
 * up to the test.
 */
import assert from "node:assert/strict";
import {
  type AcknowledgementPacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import { LossyLink } from "./lossy-link.ts";
import { nameOf, SessionWitness } from "./session-witness.ts";
import type { TestBroker } from "./test-broker.ts";

/** What it has sent and what is not yet at its end. */
interface Outgoing {
  readonly packet: PublishPacket;
  /** PUBREC has come: PUBLISH must not be sent again, PUBREL must. */
  isReceived: boolean;
}

export interface Subscribed {
  readonly filter: string;
  readonly qos: QoS;
}

export interface ConnectOptions {
  readonly version: ProtocolVersion;
  /** Only a 5.0 client can say it. */
  readonly receiveMaximum: number;
  readonly expirySeconds: number;
  readonly cleanStart?: boolean;
}

const subscribeIdentifier = 65_535;

export class PersistentClient {
  readonly clientIdentifier: string;
  readonly witness: SessionWitness;
  readonly #subscribed: Subscribed | undefined;
  link: LossyLink | undefined;
  /** CONNACK has come. */
  isConnected = false;
  /** The names of all messages that came, QoS 2 without duplicates. */
  readonly arrivals: { readonly name: string; readonly qos: QoS }[] = [];
  /** The names of what the broker has acknowledged: it is the broker's from then on. */
  readonly acknowledged = new Set<string>();
  /** What the client owes on this connection, the oldest first. */
  readonly answers: AcknowledgementPacket[] = [];
  packetsHeard = 0;
  readonly #broker: TestBroker;
  /** By packet identifier, in the order in which it was sent, what has got its PUBREC in that of PUBREC. */
  readonly #outgoing = new Map<number, Outgoing>();
  /** The names of QoS 2 messages that came and are not released, by packet identifier. */
  readonly #incoming = new Map<number, string>();

  constructor(broker: TestBroker, clientIdentifier: string, subscribed?: Subscribed) {
    this.#broker = broker;
    this.clientIdentifier = clientIdentifier;
    this.#subscribed = subscribed;
    this.witness = new SessionWitness(subscribed?.filter.startsWith("$share/"));
  }

  get hasUnacknowledged(): boolean {
    return this.#outgoing.size > 0;
  }

  /** On a new connection, whether there is an old one or not: that is the broker's to end. */
  connect({ version, receiveMaximum, expirySeconds, cleanStart = false }: ConnectOptions): void {
    const isV5 = version === ProtocolVersion.v5;
    if (cleanStart) this.#forget();
    this.leave();
    const window = isV5 ? receiveMaximum : 65_535;
    const link: LossyLink = new LossyLink(this.#broker, version, {
      brokerSaid: (packet) => this.witness.brokerSaid(packet, window),
      brokerHears: (packet) => this.witness.brokerHears(packet),
      clientHears: (packet) => {
        if (this.link === link) this.#hear(packet);
      },
    });
    this.link = link;
    link.send({
      type: PacketType.connect,
      protocolVersion: version,
      cleanStart,
      keepAliveSeconds: 0,
      clientIdentifier: this.clientIdentifier,
      properties: isV5 ? { sessionExpiryInterval: expirySeconds, receiveMaximum } : {},
    });
  }

  /** It knows its connection no more. */
  leave(): void {
    this.link = undefined;
    this.isConnected = false;
    this.answers.length = 0;
  }

  /** In a new session; in one that was kept the subscription is there. */
  subscribe(): void {
    if (this.#subscribed === undefined) return;
    const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    this.#send({
      type: PacketType.subscribe,
      packetIdentifier: subscribeIdentifier,
      subscriptions: [{ ...this.#subscribed, ...options }],
      properties: {},
    });
  }

  publish(topic: string, name: string, qos: QoS, payloadBytes: number): void {
    const packet: PublishPacket = {
      type: PacketType.publish,
      topic,
      payload: Buffer.from(name.padEnd(payloadBytes, " x")),
      qos,
      retain: false,
      dup: false,
      properties: {},
    };
    if (qos > 0) {
      packet.packetIdentifier = this.#freeIdentifier();
      this.#outgoing.set(packet.packetIdentifier, { packet, isReceived: false });
    }
    this.#send(packet);
  }

  /** Sends one of the answers that it owes. */
  answer(index: number): void {
    const [answer] = this.answers.splice(index, 1);
    if (answer !== undefined) this.#send(answer);
  }

  #send(packet: Packet): void {
    assert.ok(this.link !== undefined);
    this.link.send(packet);
  }

  /** The lowest: it is used again at once. */
  #freeIdentifier(): number {
    let identifier = 1;
    while (this.#outgoing.has(identifier)) identifier++;
    return identifier;
  }

  #forget(): void {
    this.#outgoing.clear();
    this.#incoming.clear();
    this.witness.forget();
  }

  #hear(packet: Packet): void {
    this.packetsHeard++;
    switch (packet.type) {
      case PacketType.connack:
        this.isConnected = true;
        this.#sendAgain();
        break;
      case PacketType.publish:
        this.#take(packet);
        break;
      case PacketType.puback:
        this.acknowledged.add(nameOf(this.#outgoingWith(packet.packetIdentifier).packet));
        this.#outgoing.delete(packet.packetIdentifier);
        break;
      case PacketType.pubrec: {
        const { packetIdentifier } = packet;
        const outgoing = this.#outgoingWith(packetIdentifier);
        this.acknowledged.add(nameOf(outgoing.packet));
        outgoing.isReceived = true;
        this.#outgoing.delete(packetIdentifier);
        this.#outgoing.set(packetIdentifier, outgoing);
        this.#owe(PacketType.pubrel, packetIdentifier);
        break;
      }
      case PacketType.pubrel:
        this.#incoming.delete(packet.packetIdentifier);
        this.#owe(PacketType.pubcomp, packet.packetIdentifier);
        break;
      case PacketType.pubcomp:
        this.#outgoingWith(packet.packetIdentifier);
        this.#outgoing.delete(packet.packetIdentifier);
        break;
    }
  }

  #take(packet: PublishPacket): void {
    const { qos, dup, packetIdentifier = 0 } = packet;
    const name = nameOf(packet);
    const known = qos === 2 ? this.#incoming.get(packetIdentifier) : undefined;
    if (known === undefined) this.arrivals.push({ name, qos });
    else assert.deepEqual({ name, dup }, { name: known, dup: true }, "it has that already");
    if (qos === 2) this.#incoming.set(packetIdentifier, name);
    if (qos > 0) this.#owe(qos === 1 ? PacketType.puback : PacketType.pubrec, packetIdentifier);
  }

  #outgoingWith(packetIdentifier: number): Outgoing {
    const outgoing = this.#outgoing.get(packetIdentifier);
    assert.ok(outgoing !== undefined, `an answer to ${packetIdentifier}, which it has not sent`);
    return outgoing;
  }

  #owe(type: AcknowledgementPacket["type"], packetIdentifier: number): void {
    this.answers.push({ type, packetIdentifier, reasonCode: 0, properties: {} });
  }

  /** [MQTT-4.4.0-1] PUBLISH with DUP and PUBREL, under their identifiers and in their order. */
  #sendAgain(): void {
    for (const [packetIdentifier, { packet, isReceived }] of this.#outgoing) {
      if (!isReceived) this.#send({ ...packet, dup: true });
      else this.#send({ type: PacketType.pubrel, packetIdentifier, reasonCode: 0, properties: {} });
    }
  }
}
