/**
 * Stands on both sides of a connection whose listener has a mount point: between its frame reader and its handlers, and between
 * its outbox and its transport. Packets with topics are decoded and written anew, so that no name passes as it came; what cannot be
 * decoded ends the connection here, as the handlers would end it.
 */
import { assert, malformed, TstackError } from "../base/index.ts";
import {
  type ConnectPacket,
  decodePacketBody,
  encodePacket,
  encodeWithin,
  FrameReader,
  type FrameSink,
  type LocatedFrame,
  locateFrame,
  type Packet,
  PacketType,
  type Properties,
  ProtocolVersion,
  type PublishPacket,
  scanPublish,
  topicAliasPropertyBytes,
} from "../codec/index.ts";
import { newPublishHeader } from "./delivery.ts";
import { Message } from "./message.ts";
import type { MountPoint } from "./mount-point.ts";
import { findOwnTopic } from "./own-topics.ts";
import type { Transport } from "./ports.ts";
import { hasPaddedLength } from "./publisher.ts";

/** The connection between the two sides. */
export interface MountedOwner extends FrameSink {
  readonly protocolVersion: ProtocolVersion;
  readonly session:
    | {
        readonly subscriptions: ReadonlyMap<string, unknown>;
        abandon(packetIdentifier: number, isLoss: boolean): void;
      }
    | undefined;
  fail(error: unknown): void;
}

const packetBytesMost = 268_435_460;
const maximumPacketSizeMost = 0xffff_ffff;
/** What two lengths in a packet may shrink by. */
const lengthBytesMax = 6;

export class MountedStream implements FrameSink, Pick<Transport, "pendingBytes" | "write"> {
  readonly #owner: MountedOwner;
  readonly #transport: Transport;
  readonly #mountPoint: MountPoint;
  readonly #outgoing = new FrameReader(Number.POSITIVE_INFINITY);
  /** The client's Maximum Packet Size. */
  #packetBytesMax = Number.POSITIVE_INFINITY;
  /** Topics, as outside, of aliases that the broker has set in packets which the client did not get. */
  readonly #untold = new Map<number, string>();

  constructor(owner: MountedOwner, transport: Transport, mountPoint: MountPoint) {
    this.#owner = owner;
    this.#transport = transport;
    this.#mountPoint = mountPoint;
  }

  get pendingBytes(): number {
    return this.#transport.pendingBytes;
  }

  /** From the client. */
  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const frame = { bytes, start, bodyStart, end };
    const mounted = this.#mount(frame);
    if (mounted === undefined) return this.#owner.frame(bytes, start, bodyStart, end);
    const whole: LocatedFrame = { bytes: mounted, start: 0, bodyStart: 0, end: 0 };
    locateFrame(whole, 0);
    return this.#owner.frame(mounted, 0, whole.bodyStart, whole.end);
  }

  /** The packet as outside; undefined where it names no topic. */
  #mount(frame: LocatedFrame): Buffer | undefined {
    switch (frame.bytes[frame.start] >> 4) {
      case PacketType.connect:
        return this.#mountConnect(frame);
      case PacketType.publish:
      case PacketType.subscribe:
      case PacketType.unsubscribe:
        return this.#mountTopics(frame);
      default:
        return undefined;
    }
  }

  /** One that cannot be decoded is answered by the handler, which decodes it as well. */
  #mountConnect(frame: LocatedFrame): Buffer | undefined {
    let connect: Packet;
    try {
      connect = this.#decode(frame);
    } catch (error) {
      if (error instanceof TstackError) return undefined;
      throw error;
    }
    assert(connect.type === PacketType.connect, "a packet is of the type that its first byte says");
    const isV5 = connect.protocolVersion === ProtocolVersion.v5;
    // It is refused.
    if (isV5 && hasPaddedLength(frame.bytes, frame.start, frame.bodyStart)) return undefined;
    const { maximumPacketSize } = connect.properties;
    if (connect.will === undefined && maximumPacketSize === undefined) return undefined;
    const outside: ConnectPacket = { ...connect, properties: { ...connect.properties } };
    if (maximumPacketSize !== undefined) {
      this.#packetBytesMax = maximumPacketSize;
      // The size counts inside, and the broker knows the one outside.
      const shrinks = 2 * this.#mountPoint.prefixBytes.length + lengthBytesMax;
      const larger = Math.min(maximumPacketSize + shrinks, maximumPacketSizeMost);
      outside.properties.maximumPacketSize = larger;
    }
    if (connect.will !== undefined) {
      const { will } = connect;
      const topic = this.#mountPoint.toOutside(will.topic) ?? ""; // which no will may have
      outside.will = { ...will, topic, properties: this.#mountResponse(will.properties) };
    }
    return encodePacket(outside, connect.protocolVersion);
  }

  #mountTopics(frame: LocatedFrame): Buffer {
    const version = this.#owner.protocolVersion;
    // [MQTT-1.5.5-1] the fewest bytes; what is written anew has them
    if (
      version === ProtocolVersion.v5 &&
      hasPaddedLength(frame.bytes, frame.start, frame.bodyStart)
    )
      throw malformed("a remaining length in more bytes than needed");
    const packet = this.#decodeTopics(frame);
    const names = this.#mountNames(packet);
    const grown = frame.end - frame.start + names * this.#mountPoint.prefixBytes.length;
    if (grown > packetBytesMost - lengthBytesMax) {
      const message = `a packet of ${grown} bytes with the mount point; there is none above ${packetBytesMost}`;
      throw new TstackError("MQTT_PACKET_TOO_LARGE", message);
    }
    return encodePacket(packet, version);
  }

  /** Of several mistakes in a PUBLISH its handler names another one first than its decoder does. */
  #decodeTopics(frame: LocatedFrame): Packet {
    try {
      return this.#decode(frame);
    } catch (error) {
      if (frame.bytes[frame.start] >> 4 === PacketType.publish) {
        const isV5 = this.#owner.protocolVersion === ProtocolVersion.v5;
        scanPublish(frame, isV5, new Message(), newPublishHeader());
      }
      throw error;
    }
  }

  /** Answers how many names it has mounted at most. */
  #mountNames(packet: Packet): number {
    switch (packet.type) {
      case PacketType.publish:
        if (packet.topic !== "") packet.topic = this.#mustMount(packet.topic);
        packet.properties = this.#mountResponse(packet.properties);
        return 2;
      case PacketType.subscribe:
        for (const subscription of packet.subscriptions) {
          subscription.filter = this.#mountPoint.filterToOutside(subscription.filter);
        }
        return packet.subscriptions.length;
      case PacketType.unsubscribe:
        packet.filters = packet.filters.map((filter) => this.#mountPoint.filterToOutside(filter));
        return packet.filters.length;
      default:
        throw new Error(`assertion failed: packet type ${packet.type} names topics`);
    }
  }

  #mustMount(name: string): string {
    const outside = this.#mountPoint.toOutside(name);
    if (outside !== undefined) return outside;
    const message = "a topic name has more than 65,535 bytes with the mount point of its listener";
    throw new TstackError("MQTT_TOPIC_NAME_INVALID", message);
  }

  #mountResponse(properties: Properties): Properties {
    const { responseTopic } = properties;
    if (responseTopic === undefined) return properties;
    return { ...properties, responseTopic: this.#mountPoint.toOutside(responseTopic) ?? "" };
  }

  /** To the client. */
  write(bytes: Uint8Array): void {
    const pieces: Buffer[] = [];
    const sink: FrameSink = {
      frame: (buffer, start, bodyStart, end) => {
        const piece = this.#unmount({ bytes: buffer, start, bodyStart, end });
        if (piece !== undefined) pieces.push(piece);
        return true;
      },
    };
    this.#outgoing.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), sink);
    if (pieces.length > 0)
      this.#transport.write(pieces.length > 1 ? Buffer.concat(pieces) : pieces[0]);
  }

  /** The packet as inside; undefined where the client gets none. */
  #unmount(frame: LocatedFrame): Buffer | undefined {
    const { bytes, start, end } = frame;
    if (bytes[start] >> 4 === PacketType.publish) return this.#unmountPublish(frame);
    const whole = bytes.subarray(start, end);
    const hasText = this.#owner.protocolVersion === ProtocolVersion.v5;
    const isFine =
      end - start <= this.#packetBytesMax && !whole.includes(this.#mountPoint.prefixBytes);
    return !hasText || isFine ? whole : this.#unmountText(this.#decode(frame));
  }

  #unmountText(packet: Packet): Buffer | undefined {
    const { properties } = packet as { properties?: Properties };
    if (properties?.reasonString !== undefined) {
      properties.reasonString = this.#mountPoint.textToInside(properties.reasonString);
    }
    const bytes = encodeWithin(packet, ProtocolVersion.v5, this.#packetBytesMax); // [MQTT-3.1.2-24]
    if (bytes !== null) return bytes;
    const message = "an answer is beyond its Maximum Packet Size";
    this.#owner.fail(new TstackError("MQTT_PACKET_TOO_LARGE", message));
    return undefined;
  }

  /** A message that has no name inside, or is too large there, counts as sent [MQTT-3.1.2-25]. */
  #unmountPublish(frame: LocatedFrame): Buffer | undefined {
    const packet = this.#decode(frame) as PublishPacket;
    const { packetIdentifier = 0, properties } = packet;
    const { topicAlias = 0, responseTopic } = properties;
    if (responseTopic !== undefined) {
      properties.responseTopic = this.#mountPoint.toInside(responseTopic) ?? responseTopic;
    }
    // Empty where the client knows the alias.
    const topic = packet.topic || (this.#untold.get(topicAlias) ?? "");
    if (topic !== "" && topicAlias > 0) this.#untold.set(topicAlias, topic);
    const name = topic === "" ? "" : this.#mountPoint.toInside(topic);
    if (name === undefined || !this.#mayMatch(name)) {
      this.#owner.session?.abandon(packetIdentifier, false);
      return undefined;
    }
    packet.topic = name;
    const bytes = this.#encodeAliased(packet, topicAlias);
    if (bytes === undefined) this.#owner.session?.abandon(packetIdentifier, true);
    return bytes;
  }

  /** Outside, the wildcard in front of a filter is behind the mount point: what it may not match is kept back here. */
  #mayMatch(name: string): boolean {
    if (!name.startsWith("$") || findOwnTopic(name) !== undefined) return true;
    const filters = [...(this.#owner.session?.subscriptions.keys() ?? [])];
    return filters.some((filter) => this.#mountPoint.matchesInside(filter, name)); // [MQTT-4.7.2-1], 3.1.1: [MQTT-4.7.2-1]
  }

  /** As the broker does, an alias is not told where the packet would be longer for it, or too long for the client. */
  #encodeAliased(packet: PublishPacket, topicAlias: number): Buffer | undefined {
    const nameBytes = Buffer.byteLength(packet.topic);
    if (topicAlias === 0 || nameBytes === 0 || nameBytes > topicAliasPropertyBytes) {
      const bytes = this.#encodePublish(packet);
      if (bytes !== undefined) this.#untold.delete(topicAlias);
      if (bytes !== undefined || topicAlias === 0 || nameBytes === 0) return bytes;
    }
    const { topicAlias: _alias, ...properties } = packet.properties;
    return this.#encodePublish({ ...packet, properties });
  }

  #encodePublish(packet: PublishPacket): Buffer | undefined {
    const bytes = encodePacket(packet, this.#owner.protocolVersion);
    return bytes.length <= this.#packetBytesMax ? bytes : undefined;
  }

  #decode({ bytes, start, bodyStart, end }: LocatedFrame): Packet {
    return decodePacketBody(bytes[start], bytes, bodyStart, end, this.#owner.protocolVersion);
  }
}
