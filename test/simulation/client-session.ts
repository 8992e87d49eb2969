/**
 * What a client keeps of its session: what it has sent until that is acknowledged, to be sent again with DUP, and the
 * QoS 2 identifiers that it has received and not released. When it answers is up to the client.
 */
import {
  type AcknowledgementPacket,
  type Packet,
  PacketType,
  type PublishPacket,
} from "../../src/codec/index.ts";
import { nameIn } from "./names.ts";

interface Outgoing {
  readonly packet: PublishPacket;
  /** PUBREC has come: PUBLISH must not be sent again, PUBREL must. */
  isReceived: boolean;
}

const failureMin = 0x80;

export class ClientSession {
  /** What the client owes on this connection, the oldest first. */
  readonly owed: AcknowledgementPacket[] = [];
  /** By packet identifier, in the order in which it was sent, what has got its PUBREC in that of PUBREC. */
  readonly #outgoing = new Map<number, Outgoing>();
  /** The names of QoS 2 messages that came and are not released, by packet identifier. */
  readonly #incoming = new Map<number, string>();

  get unacknowledged(): number {
    return this.#outgoing.size;
  }

  get isEmpty(): boolean {
    return this.#outgoing.size === 0 && this.#incoming.size === 0;
  }

  /** The session was not there, or another. */
  forget(): void {
    this.#outgoing.clear();
    this.#incoming.clear();
  }

  /** Gives a message of QoS 1 or 2 the lowest identifier that is free. */
  add(packet: PublishPacket): void {
    let identifier = 1;
    while (this.#outgoing.has(identifier)) identifier++;
    packet.packetIdentifier = identifier;
    this.#outgoing.set(identifier, { packet, isReceived: false });
  }

  /** [MQTT-4.4.0-1] PUBLISH with DUP and PUBREL, under their identifiers and in their order. */
  *sentAgain(): Generator<Packet> {
    for (const [packetIdentifier, { packet, isReceived }] of this.#outgoing) {
      if (!isReceived) yield { ...packet, dup: true };
      else yield { type: PacketType.pubrel, packetIdentifier, reasonCode: 0, properties: {} };
    }
  }

  /** Whether a message is new: QoS 2 is taken once. What is wrong with it is thrown. */
  take(packet: PublishPacket): boolean {
    const { qos, packetIdentifier = 0 } = packet;
    if (qos === 0) return true;
    this.#owe(qos === 1 ? PacketType.puback : PacketType.pubrec, packetIdentifier);
    if (qos === 1) return true;
    const name = nameIn(packet.payload);
    const known = this.#incoming.get(packetIdentifier);
    this.#incoming.set(packetIdentifier, known ?? name);
    if (known !== undefined && known !== name) {
      throw new Error(`identifier ${packetIdentifier} is ${known}, not released, and now ${name}`);
    }
    return known === undefined;
  }

  hear(packet: Packet): void {
    switch (packet.type) {
      case PacketType.puback:
      case PacketType.pubcomp:
        this.#outgoing.delete(packet.packetIdentifier);
        break;
      case PacketType.pubrec: {
        const outgoing = this.#outgoing.get(packet.packetIdentifier);
        this.#outgoing.delete(packet.packetIdentifier);
        if (packet.reasonCode >= failureMin) break;
        if (outgoing !== undefined) {
          this.#outgoing.set(packet.packetIdentifier, { ...outgoing, isReceived: true });
        }
        this.#owe(PacketType.pubrel, packet.packetIdentifier);
        break;
      }
      case PacketType.pubrel:
        this.#incoming.delete(packet.packetIdentifier);
        this.#owe(PacketType.pubcomp, packet.packetIdentifier);
        break;
    }
  }

  #owe(type: AcknowledgementPacket["type"], packetIdentifier: number): void {
    this.owed.push({ type, packetIdentifier, reasonCode: 0, properties: {} });
  }
}
