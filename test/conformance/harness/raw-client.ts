/**
 * A client without opinions: it sends exactly the bytes it is given and says exactly what came. It answers nothing by
 * itself, and cuts packets with its own few lines, not with the broker's frame reader. Every wait ends after
 * `waitMilliseconds` with an error that shows what came instead.
 */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnackPacket,
  type ConnectPacket,
  decodePacket,
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type SubscriptionRequest,
} from "../../../src/codec/index.ts";
import { type ByteStream, openByteStream } from "./byte-stream.ts";
import { connectPacket, subscribePacket } from "./packets.ts";

/** A packet, or bytes as they are, or bytes as hexadecimal digits with any white space. */
export type Sendable = Packet | Uint8Array | string;
export type PacketOf<Type extends PacketType> = Extract<Packet, { type: Type }>;

const waitMilliseconds = 3000;

const typeNames = new Map<number, string>(
  Object.entries(PacketType).map(([name, type]) => [type, name.toUpperCase()]),
);

export class RawClient {
  readonly version: ProtocolVersion;
  /** Of the last `connect`. */
  connack: ConnackPacket | undefined;
  #stream: ByteStream | undefined;
  #received = Buffer.alloc(0);
  #closedWhy: string | undefined;
  #wake: () => void = () => undefined;

  constructor(version: ProtocolVersion) {
    this.version = version;
  }

  static async open(url: string, version: ProtocolVersion): Promise<RawClient> {
    const client = new RawClient(version);
    const subprotocol = version === ProtocolVersion.v3_1 ? "mqttv3.1" : "mqtt";
    client.#stream = await openByteStream(url, subprotocol, {
      received(bytes) {
        client.#received = Buffer.concat([client.#received, bytes]);
        client.#wake();
      },
      closed(why) {
        client.#closedWhy ??= why;
        client.#wake();
      },
    });
    return client;
  }

  get isClosed(): boolean {
    return this.#closedWhy !== undefined;
  }

  /** Everything in one write. */
  send(...parts: Sendable[]): void {
    this.#stream?.write(Buffer.concat(parts.map((part) => toBytes(part, this.version))));
  }

  /** The next bytes are exactly these, in hexadecimal digits; they are then taken. */
  async expectBytes(hexadecimal: string): Promise<void> {
    const expected = fromHexadecimal(hexadecimal);
    await this.#waitFor(
      () => this.#received.length >= expected.length,
      `the bytes ${expected.toString("hex")}`,
    );
    const actual = this.#received.subarray(0, expected.length).toString("hex");
    assert.equal(actual, expected.toString("hex"), this.#describe("the expected bytes"));
    this.#received = this.#received.subarray(expected.length);
  }

  /** The next packet, as the bytes it came in. */
  async expectFrame(what = "a packet"): Promise<Buffer> {
    await this.#waitFor(() => frameLength(this.#received) !== undefined, what);
    const length = frameLength(this.#received) ?? 0;
    const frame = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return frame;
  }

  /** The next packet, whatever it is. */
  async expectAny(): Promise<Packet> {
    return decodePacket(await this.expectFrame(), this.version);
  }

  /** The next packet is of this type. */
  async expectPacket<Type extends PacketType>(type: Type): Promise<PacketOf<Type>> {
    const frame = await this.expectFrame(typeNames.get(type));
    const packet = decodePacket(frame, this.version);
    assert.equal(
      typeNames.get(packet.type),
      typeNames.get(type),
      `unexpected packet ${describePacket(frame, this.version)}`,
    );
    return packet as PacketOf<Type>;
  }

  /** The broker closes the connection, and says nothing more before it does. */
  async expectClosed(): Promise<void> {
    await this.#waitFor(() => this.isClosed || this.#received.length > 0, "the end");
    assert.equal(this.#received.length, 0, this.#describe("the end"));
  }

  /** 5.0: DISCONNECT with this code and the end; 3.x, which has no such packet: the end. */
  async expectDisconnected(reasonCode: number): Promise<void> {
    if (this.version === ProtocolVersion.v5) {
      const packet = await this.expectPacket(PacketType.disconnect);
      assert.equal(hexadecimalCode(packet.reasonCode), hexadecimalCode(reasonCode));
    }
    await this.expectClosed();
  }

  /** CONNACK with this code, no session, and the end. */
  async expectRefused(reasonCode: number): Promise<ConnackPacket> {
    const packet = await this.expectPacket(PacketType.connack);
    assert.equal(hexadecimalCode(packet.reasonCode), hexadecimalCode(reasonCode));
    assert.equal(packet.sessionPresent, false);
    await this.expectClosed();
    return packet;
  }

  /** Nothing comes for so long, and the connection stays open. Where the client is connected, `ping` is quicker. */
  async expectSilence(milliseconds: number): Promise<void> {
    await sleep(milliseconds);
    assert.ok(!this.isClosed && this.#received.length === 0, this.#describe("silence"));
  }

  /**
   * PINGREQ, and the next packet is its PINGRESP: everything sent before has been handled, and brought this client
   * nothing that has not been expected.
   */
  async ping(): Promise<void> {
    this.send("c000");
    await this.expectPacket(PacketType.pingresp);
  }

  /** Sends CONNECT with `fields` and the defaults of `connectPacket`; the answer has to be a yes. */
  async connect(fields: Partial<ConnectPacket> = {}): Promise<ConnackPacket> {
    this.send(connectPacket(this.version, fields));
    const connack = await this.expectPacket(PacketType.connack);
    assert.equal(hexadecimalCode(connack.reasonCode), "0x00");
    this.connack = connack;
    return connack;
  }

  /** One filter, at QoS 2 unless `options` ask for less; it has to be granted as asked. */
  async subscribe(filter: string, options: Partial<SubscriptionRequest> = {}): Promise<void> {
    this.send(subscribePacket(filter, options));
    const suback = await this.expectPacket(PacketType.suback);
    assert.deepEqual(suback.reasonCodes, [options.qos ?? 2]);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  /** Closes the connection without a word of MQTT, in good order. */
  end(): void {
    this.#stream?.end();
  }

  /** Breaks the connection. */
  destroy(): void {
    this.#stream?.destroy();
  }

  async #waitFor(condition: () => boolean, what: string): Promise<void> {
    const until = performance.now() + waitMilliseconds;
    while (!condition()) {
      const left = until - performance.now();
      if (this.isClosed || left <= 0) throw new Error(this.#describe(what));
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  #describe(what: string): string {
    const state = this.isClosed ? `connection over: ${this.#closedWhy}` : "connection open";
    return `expected ${what}; came ${describeBytes(this.#received, this.version)}; ${state}`;
  }
}

export function fromHexadecimal(text: string): Buffer {
  const digits = text.replaceAll(/\s/g, "");
  assert.match(digits, /^(?:[0-9a-f]{2})*$/i, `no hexadecimal bytes: ${text}`);
  return Buffer.from(digits, "hex");
}

function toBytes(part: Sendable, version: ProtocolVersion): Uint8Array {
  if (typeof part === "string") return fromHexadecimal(part);
  return part instanceof Uint8Array ? part : encodePacket(part, version);
}

/** Bytes of the first packet; undefined while it is not whole. */
export function frameLength(bytes: Buffer): number | undefined {
  let remaining = 0;
  for (let at = 1; at < bytes.length && at <= 4; at++) {
    remaining += (bytes[at] & 0x7f) * 128 ** (at - 1);
    if (bytes[at] >= 0x80) continue;
    const length = at + 1 + remaining;
    return bytes.length >= length ? length : undefined;
  }
  return undefined;
}

function describeBytes(bytes: Buffer, version: ProtocolVersion): string {
  if (bytes.length === 0) return "nothing";
  const length = frameLength(bytes);
  return length === undefined
    ? bytes.toString("hex")
    : describePacket(bytes.subarray(0, length), version);
}

function describePacket(frame: Buffer, version: ProtocolVersion): string {
  const bytes = `${frame.subarray(0, 64).toString("hex")} (${frame.length} bytes)`;
  const name = typeNames.get(frame[0] >> 4);
  try {
    return `${name} ${bytes} ${JSON.stringify(decodePacket(frame, version))}`;
  } catch (error) {
    return `${name} ${bytes} that cannot be read: ${error}`;
  }
}

function hexadecimalCode(code: number): string {
  return `0x${code.toString(16).padStart(2, "0")}`;
}
