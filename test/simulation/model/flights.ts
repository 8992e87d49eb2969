/**
 * What is on its way from the broker in one session, by packet identifier, as the packets tell: no identifier names two
 * messages, PUBREL is not followed by its PUBLISH, the Receive Maximum holds. What a crash may have taken back is marked.
 */
import { type Packet, PacketType, type PublishPacket } from "../../../src/codec/index.ts";
import { nameIn } from "../names.ts";

interface Flight {
  readonly name: string;
  readonly qos: number;
  /** PUBREC has come. */
  isReceived: boolean;
  /** The broker may have forgotten it, or that PUBREC has come. */
  isUncertain: boolean;
}

export class Flights {
  /** The names of messages that the client has taken, as far as the broker was told. */
  readonly taken = new Set<string>();
  readonly #flights = new Map<number, Flight>();
  /** Identifiers on this connection that count against the Receive Maximum. */
  readonly #open = new Set<number>();

  connected(): void {
    this.#open.clear();
  }

  /** After a crash. What was not safe when it was said may be something else now: QoS 2 always was. */
  crashed(isStored: boolean): void {
    for (const flight of this.#flights.values()) {
      if (flight.qos === 1 || flight.isReceived || !isStored) flight.isUncertain = true;
    }
    this.#open.clear();
  }

  /** The session may be another. */
  becomeUncertain(): void {
    for (const flight of this.#flights.values()) flight.isUncertain = true;
  }

  /** Of a group's member: QoS 1 goes to another when its connection is lost. */
  connectionEnded(mayBeShared: (name: string) => boolean): void {
    for (const flight of this.#flights.values()) {
      if (flight.qos === 1 && mayBeShared(flight.name)) flight.isUncertain = true;
    }
  }

  heard(packet: Packet): void {
    switch (packet.type) {
      case PacketType.puback:
      case PacketType.pubcomp:
        this.#finish(packet.packetIdentifier);
        break;
      case PacketType.pubrec: {
        const flight = this.#flights.get(packet.packetIdentifier);
        if (flight === undefined) break;
        flight.isReceived = true;
        this.taken.add(flight.name);
        break;
      }
    }
  }

  #finish(identifier: number): void {
    const flight = this.#flights.get(identifier);
    if (flight !== undefined) this.taken.add(flight.name);
    this.#flights.delete(identifier);
    this.#open.delete(identifier);
  }

  /** What is wrong with it; undefined when nothing is. */
  said(packet: PublishPacket, receiveMaximum: number): string | undefined {
    const { qos, dup, packetIdentifier = 0 } = packet;
    if (qos === 0) return dup ? "QoS 0 with DUP" : undefined;
    const name = nameIn(packet.payload);
    const known = this.#flights.get(packetIdentifier);
    if (known !== undefined && !known.isUncertain) {
      if (!dup) return `identifier ${packetIdentifier} is in use for ${known.name}`;
      if (known.name !== name)
        return `${packetIdentifier} was ${known.name} and is sent again as ${name}`;
      if (known.isReceived) return `${name} is sent again after its PUBREC`;
    }
    this.#flights.set(packetIdentifier, { name, qos, isReceived: false, isUncertain: false });
    this.#open.add(packetIdentifier);
    if (this.#open.size > receiveMaximum)
      return `${this.#open.size} are under way, beyond the Receive Maximum`;
    return undefined;
  }
}
