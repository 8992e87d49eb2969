/**
 * What one client has asked of the broker so far, read from the bytes it sent with the codec, and so which answers may
 * come and must: the same packet identifiers, in the order in which they were sent.
 */
import { malformed, TstackError } from "../../src/base/index.ts";
import {
  type ConnectPacket,
  decodePacketBody,
  FrameReader,
  type Packet,
  PacketType,
  ProtocolVersion,
} from "../../src/codec/index.ts";

interface Request {
  readonly packetIdentifier: number;
  /** How many reason codes the answer has. */
  readonly count: number;
}

export class Requests {
  /** As it was sent; undefined before, and where it could not be read. */
  connect: ConnectPacket | undefined;
  /** What came can be read no further: the broker must end the connection. */
  fault: string | undefined;
  readonly #reader = new FrameReader(Number.POSITIVE_INFINITY);
  /** By the type of the answer. */
  readonly #awaited = new Map<PacketType, Request[]>();
  readonly #onPacket: (packet: Packet) => void;

  constructor(onPacket: (packet: Packet) => void) {
    this.#onPacket = onPacket;
  }

  /** Bytes on their way to the broker. */
  read(bytes: Buffer): void {
    if (this.fault !== undefined) return;
    try {
      this.#reader.read(bytes, {
        frame: (chunk, start, bodyStart, end) => {
          const packet = decodePacketBody(chunk[start], chunk, bodyStart, end, this.#version);
          const version =
            packet.type === PacketType.connect ? packet.protocolVersion : this.#version;
          const isPadded = chunk[bodyStart - 1] === 0 && bodyStart - start > 2;
          if (isPadded && version === ProtocolVersion.v5) throw malformed("a padded length");
          this.#note(packet);
          return true;
        },
      });
    } catch (error) {
      if (!(error instanceof TstackError)) throw error;
      this.fault = error.message;
    }
  }

  get #version(): ProtocolVersion {
    return this.connect?.protocolVersion ?? ProtocolVersion.v3_1_1;
  }

  /** The request that an answer of this type belongs to; undefined when there is none. */
  take(type: PacketType, packetIdentifier: number): Request | undefined {
    const awaited = this.#awaited.get(type);
    return awaited?.[0]?.packetIdentifier === packetIdentifier ? awaited.shift() : undefined;
  }

  /** The type of an answer that has not come; undefined when all have. */
  get missing(): PacketType | undefined {
    for (const [type, awaited] of this.#awaited) if (awaited.length > 0) return type;
    return undefined;
  }

  #note(packet: Packet): void {
    switch (packet.type) {
      case PacketType.connect:
        this.connect ??= packet;
        break;
      case PacketType.publish:
        if (packet.qos === 0) break;
        this.#await(packet.qos === 1 ? PacketType.puback : PacketType.pubrec, packet);
        break;
      case PacketType.pubrel:
        this.#await(PacketType.pubcomp, packet);
        break;
      case PacketType.subscribe:
        this.#await(PacketType.suback, packet, packet.subscriptions.length);
        break;
      case PacketType.unsubscribe:
        this.#await(PacketType.unsuback, packet, packet.filters.length);
        break;
      case PacketType.pingreq:
        this.#await(PacketType.pingresp, {});
        break;
    }
    this.#onPacket(packet);
  }

  #await(
    type: PacketType,
    { packetIdentifier = 0 }: { packetIdentifier?: number },
    count = 0,
  ): void {
    const awaited = this.#awaited.get(type) ?? [];
    awaited.push({ packetIdentifier, count });
    this.#awaited.set(type, awaited);
  }
}
