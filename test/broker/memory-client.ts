/**
 * A client in memory, for what no socket does on command: a transport that is busy, that breaks in the middle of a
 * write, or whose peer answers before the write has returned.
 */
import assert from "node:assert/strict";
import type { Transport, TransportAcceptor, TransportSink } from "../../src/broker/index.ts";
import {
  type ConnectPacket,
  decodePacketBody,
  encodePacket,
  FrameReader,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubscriptionRequest,
} from "../../src/codec/index.ts";

export class MemoryClient implements Transport {
  readonly remoteAddress: string;
  readonly listener = "test";
  readonly version: ProtocolVersion;
  readonly packets: Packet[] = [];
  pendingBytes = 0;
  /** While set, the transport takes nothing: see `drain`. */
  isBusy = false;
  isPaused = false;
  isEnded = false;
  /** Called in each write, after its bytes were taken over. */
  onWrite: (() => void) | undefined;
  #sink: TransportSink | undefined;
  readonly #reader = new FrameReader(Number.POSITIVE_INFINITY);
  #held: Uint8Array[] = [];
  #identifier = 0;

  constructor(
    broker: { readonly core: TransportAcceptor },
    version: ProtocolVersion = ProtocolVersion.v5,
    remoteAddress = "memory",
  ) {
    this.version = version;
    this.remoteAddress = remoteAddress;
    this.#sink = broker.core.accept(this);
  }

  write(bytes: Uint8Array): void {
    assert.ok(!this.isEnded, "a write after the end");
    this.#held.push(bytes);
    this.pendingBytes += bytes.length;
    if (!this.isBusy) this.#take();
    this.onWrite?.();
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
    this.#take();
  }

  destroy(): void {
    this.isEnded = true;
  }

  /** The operating system has taken everything. */
  drain(): void {
    this.isBusy = false;
    this.#take();
    this.#sink?.drained();
  }

  /** The connection is lost; as a transport may, in the middle of a write. */
  lose(cause?: Error): void {
    const sink = this.#sink;
    this.#sink = undefined;
    this.isEnded = true;
    sink?.closed(cause);
  }

  get isLost(): boolean {
    return this.#sink === undefined;
  }

  send(...packets: Packet[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encodePacket(packet, this.version))));
  }

  sendBytes(bytes: Buffer): void {
    this.#sink?.receive(bytes);
    if (bytes.length <= 65_536) bytes.fill(0xee); // they were only lent
  }

  connect(clientIdentifier: string, fields: Partial<ConnectPacket> = {}): void {
    this.send({
      type: PacketType.connect,
      protocolVersion: this.version,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientIdentifier,
      properties: {},
      ...fields,
    });
  }

  subscribe(filter: string, qos: QoS = 0, options: Partial<SubscriptionRequest> = {}): void {
    this.send({
      type: PacketType.subscribe,
      packetIdentifier: this.#nextIdentifier(),
      subscriptions: [
        { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0, ...options },
      ],
      properties: {},
    });
  }

  publish(topic: string, payload: string, fields: Partial<PublishPacket> = {}): void {
    this.send(this.publishPacket(topic, payload, fields));
  }

  publishPacket(
    topic: string,
    payload: string,
    fields: Partial<PublishPacket> = {},
  ): PublishPacket {
    const packet: PublishPacket = {
      type: PacketType.publish,
      topic,
      payload: Buffer.from(payload),
      qos: 0,
      retain: false,
      dup: false,
      properties: {},
      ...fields,
    };
    if (packet.qos > 0) packet.packetIdentifier ??= this.#nextIdentifier();
    return packet;
  }

  acknowledge(...identifiers: number[]): void {
    for (const packetIdentifier of identifiers) {
      this.send({ type: PacketType.puback, packetIdentifier, reasonCode: 0, properties: {} });
    }
  }

  get publishes(): PublishPacket[] {
    return this.packets.filter((packet) => packet.type === PacketType.publish);
  }

  /** The payloads that came, as text. */
  get payloads(): string[] {
    return this.publishes.map(({ payload }) => Buffer.from(payload).toString());
  }

  get packetTypes(): number[] {
    return this.packets.map(({ type }) => type);
  }

  #nextIdentifier(): number {
    this.#identifier++;
    return this.#identifier;
  }

  #take(): void {
    const held = this.#held;
    this.#held = [];
    this.pendingBytes = 0;
    for (const bytes of held) {
      this.#reader.read(Buffer.from(bytes), {
        frame: (chunk, start, bodyStart, end) => {
          this.packets.push(decodePacketBody(chunk[start], chunk, bodyStart, end, this.version));
          return true;
        },
      });
    }
  }
}
