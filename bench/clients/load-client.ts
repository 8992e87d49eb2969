/**
 * A client for loads that `mqload` cannot make, on our own codec, over TCP or WebSocket. It hands every packet after
 * CONNACK to `onFrame`, as offsets; it decodes nothing by itself.
 */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import {
  decodePacket,
  encodePacket,
  FrameReader,
  type FrameSink,
  PacketType,
  ProtocolVersion,
} from "../../src/codec/index.ts";
import { user } from "../settings.ts";

type OnFrame = (bytes: Buffer, start: number, bodyStart: number, end: number) => void;

const packetBytesMax = 268_435_455;

export class LoadClient implements FrameSink {
  /** Called for each packet. */
  onFrame: OnFrame = () => {};
  /** Called when all packets of a chunk have been handed over. */
  onChunkEnd: () => void = () => {};
  readonly #reader = new FrameReader(packetBytesMax);
  #write: (bytes: Buffer) => void = () => {};
  #close: () => void = () => {};
  #isClosing = false;

  /** `url` is `mqtt://host:port` or `ws://host:port/path`. */
  static async connect(url: URL, clientIdentifier: string): Promise<LoadClient> {
    const client = await LoadClient.open(url);
    checkConnack(await client.request(encodeConnect(clientIdentifier, true)));
    return client;
  }

  /** A transport without CONNECT yet. */
  static async open(url: URL): Promise<LoadClient> {
    const client = new LoadClient();
    if (url.protocol === "ws:") await client.#openWebSocket(url);
    else await client.#openSocket(url);
    return client;
  }

  send(bytes: Buffer): void {
    this.#write(bytes);
  }

  close(): void {
    this.#isClosing = true;
    this.#close();
  }

  /** Sends a packet, and waits for the next that comes. */
  async request(bytes: Buffer): Promise<Buffer> {
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    this.onFrame = (from, start, _bodyStart, end) => resolve(from.subarray(start, end));
    this.send(bytes);
    return promise;
  }

  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    this.onFrame(bytes, start, bodyStart, end);
    return true;
  }

  /** A load without one of its clients is another load. */
  #lose(): void {
    if (!this.#isClosing) throw new Error("the broker has closed a connection");
  }

  #receive(chunk: Buffer): void {
    this.#reader.read(chunk, this);
    this.onChunkEnd();
  }

  async #openSocket(url: URL): Promise<void> {
    const socket: Socket = connect(Number(url.port), url.hostname);
    await once(socket, "connect");
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("close", () => this.#lose());
    this.#write = (bytes) => socket.write(bytes);
    this.#close = () => socket.destroy();
  }

  async #openWebSocket(url: URL): Promise<void> {
    const webSocket = new WebSocket(url, "mqtt");
    await once(webSocket, "open");
    webSocket.on("message", (bytes) => this.#receive(bytes as Buffer));
    webSocket.on("close", () => this.#lose());
    this.#write = (bytes) => webSocket.send(bytes);
    this.#close = () => webSocket.terminate();
  }
}

/** Of MQTT 3.1.1. `cleanStart` false: what waits for the client follows the CONNACK. */
export function encodeConnect(clientIdentifier: string, cleanStart: boolean): Buffer {
  return encodePacket(
    {
      type: PacketType.connect,
      protocolVersion: ProtocolVersion.v3_1_1,
      cleanStart,
      keepAliveSeconds: 0,
      clientIdentifier,
      userName: user.name,
      password: Buffer.from(user.password),
      properties: {},
    },
    ProtocolVersion.v3_1_1,
  );
}

/** Throws when the broker has refused. Answers whether it had a session. */
export function checkConnack(bytes: Buffer): boolean {
  const packet = decodePacket(bytes, ProtocolVersion.v3_1_1);
  if (packet.type !== PacketType.connack || packet.reasonCode !== 0) {
    throw new Error(`the broker refuses: ${JSON.stringify(packet)}`);
  }
  return packet.sessionPresent;
}

/** A SUBSCRIBE of QoS 0 for all of `filters`. */
export function encodeSubscribe(packetIdentifier: number, filters: readonly string[]): Buffer {
  const subscriptions = filters.map((filter) => ({
    filter,
    qos: 0 as const,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
  }));
  return encodePacket(
    { type: PacketType.subscribe, packetIdentifier, subscriptions, properties: {} },
    ProtocolVersion.v3_1_1,
  );
}

/** Throws when the broker has granted less than all. */
export function checkSuback(bytes: Buffer): void {
  const packet = decodePacket(bytes, ProtocolVersion.v3_1_1);
  const isGranted =
    packet.type === PacketType.suback && packet.reasonCodes.every((code) => code < 0x80);
  if (!isGranted) throw new Error(`not all filters were granted: ${bytes.toString("hex", 0, 40)}`);
}
