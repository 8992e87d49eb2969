/**
 * One connection of a load: opens, reads packets in place without an object for each message, and gathers
 * the acknowledgements of a chunk into one write. It never reconnects; it tells its owner what it
 * receives, and how it ended where the owner did not end it.
 */
import type { Duplex } from "node:stream";
import {
  type ConnackPacket,
  type ConnectPacket,
  decodePacketBody,
  encodePacket,
  FrameReader,
  PacketType,
  type SubackPacket,
  type SubscribePacket,
} from "../../codec/index.ts";
import { whenDrained } from "../../listeners/index.ts";
import {
  describeCode,
  describeEndpoint,
  type Endpoint,
  explainEnd,
  openTransport,
  ProgramFailure,
  type Reason,
} from "../client/index.ts";
import type { AddressBook } from "./address-book.ts";
import type { Wire } from "./wire.ts";

export interface ClientOwner {
  /** The payload of a PUBLISH; `bytes` are others after the call. */
  message(bytes: Buffer, start: number, end: number, isRetained: boolean): void;
  /** PUBACK or PUBCOMP, or a PUBREC that refuses. */
  acknowledged(packetIdentifier: number, reasonCode: number): void;
  /** The connection was ready and is gone. */
  lost(client: Client, failure: ProgramFailure): void;
}

export interface ClientSetting {
  readonly endpoint: Endpoint;
  readonly connect: ConnectPacket;
  /** Sent after CONNACK; the client is ready with its SUBACK. */
  readonly subscribe?: SubscribePacket;
}

const answerSecondsMax = 30;
const farewellMilliseconds = 2000;
/** The largest that MQTT has. */
const packetBytesMax = 268_435_460;
const failureCodes = 0x80;

const connackByte = 0x20;
const puback = 0x40;
const pubrec = 0x50;
const pubrel = 0x62;
const pubcomp = 0x70;
const pingreq = Buffer.from([0xc0, 0]);
const disconnect = Buffer.from([0xe0, 0]);

type Phase = "connecting" | "subscribing" | "ready" | "ended";

export class Client {
  readonly #setting: ClientSetting;
  readonly #wire: Wire;
  readonly #owner: ClientOwner;
  readonly #isV5: boolean;
  readonly #where: string;
  /** A socket without TLS hands bytes to the system within `write`, unless that is full. */
  readonly #takesAtOnce: boolean;
  readonly #reader = new FrameReader(packetBytesMax);
  readonly #opened = Promise.withResolvers<ConnackPacket>();
  readonly #closed = Promise.withResolvers<void>();
  #stream: Duplex | undefined;
  #phase: Phase = "connecting";
  #connack: ConnackPacket | undefined;
  #answerTimer: NodeJS.Timeout | undefined;
  #acknowledgementBytes = 0;
  #pingSentAt = 0;
  #keepAliveMicroseconds = 0;
  #refusal: Reason | undefined;
  #farewell: Reason | undefined;
  #cause: Error | undefined;
  #isDrainAwaited = false;
  /** By the wire's clock. */
  openedAt = 0;
  #writtenAt = 0;

  constructor(setting: ClientSetting, wire: Wire, owner: ClientOwner) {
    this.#setting = setting;
    this.#wire = wire;
    this.#owner = owner;
    this.#isV5 = setting.connect.protocolVersion === 5;
    this.#where = describeEndpoint(setting.endpoint);
    this.#takesAtOnce = setting.endpoint.scheme === "mqtt" || setting.endpoint.scheme === "unix";
  }

  get identifier(): string {
    return this.#setting.connect.clientIdentifier;
  }

  /** The socket still holds bytes. */
  get isBusy(): boolean {
    return this.#stream === undefined || this.#stream.writableLength > 0;
  }

  get isReady(): boolean {
    return this.#phase === "ready";
  }

  /** Resolves when the broker has accepted it, and its subscription. @throws {ProgramFailure} */
  open(book: AddressBook): Promise<ConnackPacket> {
    const { endpoint, connect } = this.#setting;
    this.openedAt = this.#wire.clock();
    const isWebSocket = endpoint.scheme === "ws" || endpoint.scheme === "wss";
    const subprotocol = connect.protocolVersion === 3 ? "mqttv3.1" : "mqtt";
    const onread = {
      buffer: this.#wire.readBuffer,
      callback: (length: number, buffer: Uint8Array) => {
        this.#receive((buffer as Buffer).subarray(0, length));
        return true;
      },
    };
    const stream = openTransport(
      endpoint,
      subprotocol,
      isWebSocket ? { lookup: book.lookup } : { lookup: book.lookup, onread },
    );
    this.#stream = stream;
    if (isWebSocket) stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("error", (error) => {
      this.#cause ??= error;
    });
    stream.on("close", () => this.#finish());
    this.#answerTimer = setTimeout(() => {
      this.#cause ??= new Error(`no answer to CONNECT for ${answerSecondsMax} seconds`);
      stream.destroy();
    }, answerSecondsMax * 1000);
    stream.write(encodePacket(connect, connect.protocolVersion));
    this.#opened.promise.then(
      () => {
        if ("remoteAddress" in stream && typeof stream.remoteAddress === "string") {
          book.settle(stream.remoteAddress);
        }
      },
      () => undefined, // told to whoever opens
    );
    return this.#opened.promise;
  }

  /** Sends the first `length` bytes of the wire's slab. */
  sendSlab(length: number): void {
    const stream = this.#stream;
    if (stream === undefined || length === 0 || this.#phase === "ended") return;
    const bytes = this.#wire.slab.subarray(0, length);
    this.#writtenAt = this.#wire.now;
    if (this.#takesAtOnce) {
      stream.write(bytes);
      if (stream.writableLength > 0) this.#wire.leaveSlab();
    } else stream.write(Buffer.from(bytes));
  }

  /** Calls back, once, when the socket has handed over what it holds. */
  awaitDrain(drained: () => void): void {
    if (this.#isDrainAwaited || this.#stream === undefined) return;
    this.#isDrainAwaited = true;
    whenDrained(this.#stream, () => {
      this.#isDrainAwaited = false;
      drained();
    });
  }

  /** Sends PINGREQ where the keep alive asks for it; ends the connection where the last had no answer. */
  keepAlive(now: number): void {
    if (this.#keepAliveMicroseconds === 0 || this.#phase !== "ready") return;
    if (this.#pingSentAt > 0 && now - this.#pingSentAt > this.#keepAliveMicroseconds) {
      this.#cause ??= new Error("no answer to PINGREQ");
      this.#stream?.destroy();
    } else if (this.#pingSentAt === 0 && now - this.#writtenAt > this.#keepAliveMicroseconds / 2) {
      this.#pingSentAt = now;
      this.#writtenAt = now;
      this.#stream?.write(pingreq);
    }
  }

  /** Says goodbye; resolves when the connection is closed, or soon after. */
  async end(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || stream.destroyed) return;
    const wasReady = this.#phase === "ready" || this.#phase === "subscribing";
    this.#phase = "ended";
    clearTimeout(this.#answerTimer);
    if (wasReady) {
      stream.end(disconnect);
      const timer = setTimeout(() => stream.destroy(), farewellMilliseconds);
      await this.#closed.promise;
      clearTimeout(timer);
    } else stream.destroy();
  }

  #receive(chunk: Buffer): void {
    if (this.#phase === "ended") return;
    this.#wire.now = this.#wire.clock();
    try {
      if (this.#phase === "connecting" && !this.#reader.incomplete && chunk[0] !== connackByte) {
        throw new Error("what answers there speaks no MQTT");
      }
      this.#reader.read(chunk, this);
    } catch (error) {
      this.#fail(error as Error);
    }
    this.#sendAcknowledgements();
  }

  /** One packet, called by the frame reader. */
  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean {
    const first = bytes[start];
    if (this.#phase === "connecting") this.#control(bytes, start, bodyStart, end);
    else if (first >= 0x30 && first < 0x40) this.#publish(bytes, first, bodyStart, end);
    else if (first === puback || first === pubcomp) {
      const code = end - bodyStart > 2 ? bytes[bodyStart + 2] : 0;
      this.#owner.acknowledged((bytes[bodyStart] << 8) | bytes[bodyStart + 1], code);
    } else if (first === pubrec) this.#pubrec(bytes, bodyStart, end);
    else if (first === pubrel) this.#acknowledge(pubcomp, bytes, bodyStart);
    else this.#control(bytes, start, bodyStart, end);
    return true;
  }

  #publish(bytes: Buffer, first: number, bodyStart: number, end: number): void {
    let position = bodyStart + 2 + ((bytes[bodyStart] << 8) | bytes[bodyStart + 1]);
    if ((first & 6) !== 0) {
      this.#acknowledge((first & 4) === 0 ? puback : pubrec, bytes, position);
      position += 2;
    }
    if (this.#isV5) {
      let length = 0;
      let byte = 0x80;
      for (let shift = 0; byte >= 0x80 && shift < 28; shift += 7) {
        byte = bytes[position++];
        length += (byte & 0x7f) << shift;
      }
      position += length;
    }
    if (position > end) this.#fail(new Error("what it sends is no MQTT"));
    else this.#owner.message(bytes, position, end, (first & 1) !== 0);
  }

  #pubrec(bytes: Buffer, bodyStart: number, end: number): void {
    const code = end - bodyStart > 2 ? bytes[bodyStart + 2] : 0;
    if (code < failureCodes) this.#acknowledge(pubrel, bytes, bodyStart);
    else this.#owner.acknowledged((bytes[bodyStart] << 8) | bytes[bodyStart + 1], code);
  }

  /** Gathers an acknowledgement of four bytes, with the packet identifier that stands at `position`. */
  #acknowledge(first: number, bytes: Buffer, position: number): void {
    if (this.#acknowledgementBytes + 4 > this.#wire.slab.length) this.#sendAcknowledgements();
    const { slab } = this.#wire;
    const at = this.#acknowledgementBytes;
    slab[at] = first;
    slab[at + 1] = 2;
    slab[at + 2] = bytes[position];
    slab[at + 3] = bytes[position + 1];
    this.#acknowledgementBytes = at + 4;
  }

  #sendAcknowledgements(): void {
    this.sendSlab(this.#acknowledgementBytes);
    this.#acknowledgementBytes = 0;
  }

  /** The packets of which there are few. */
  #control(bytes: Buffer, start: number, bodyStart: number, end: number): void {
    const { protocolVersion } = this.#setting.connect;
    const packet = decodePacketBody(bytes[start], bytes, bodyStart, end, protocolVersion);
    switch (packet.type) {
      case PacketType.connack:
        this.#welcome(packet);
        break;
      case PacketType.suback:
        this.#subscribed(packet);
        break;
      case PacketType.pingresp:
        this.#pingSentAt = 0;
        break;
      case PacketType.disconnect:
        this.#farewell = {
          code: packet.reasonCode,
          reasonString: packet.properties.reasonString,
        };
        this.#stream?.destroy();
        break;
      default:
        throw new Error(`it sent a packet of type ${packet.type}, which no server sends`);
    }
  }

  #welcome(connack: ConnackPacket): void {
    if (connack.reasonCode !== 0) {
      const { reasonCode: code, properties } = connack;
      this.#refusal = { code, reasonString: properties.reasonString };
      this.#stream?.destroy();
      return;
    }
    const { connect, subscribe } = this.#setting;
    const seconds = connack.properties.serverKeepAlive ?? connect.keepAliveSeconds; // [MQTT-3.1.2-21]
    this.#keepAliveMicroseconds = seconds * 1_000_000;
    this.#writtenAt = this.#wire.now;
    this.#connack = connack;
    if (subscribe === undefined) {
      this.#ready(connack);
      return;
    }
    this.#phase = "subscribing";
    this.#stream?.write(encodePacket(subscribe, connect.protocolVersion));
  }

  #subscribed({ reasonCodes, properties }: SubackPacket): void {
    const refused = reasonCodes.findIndex((code) => code >= failureCodes);
    if (refused === -1) {
      if (this.#connack !== undefined) this.#ready(this.#connack);
      return;
    }
    const filter = this.#setting.subscribe?.subscriptions[refused]?.filter;
    const reason = describeCode(reasonCodes[refused], properties.reasonString);
    this.#opened.reject(
      new ProgramFailure(`${this.#where}: subscribing to ${filter} was refused: ${reason}`),
    );
    this.#stream?.destroy();
  }

  #ready(connack: ConnackPacket): void {
    clearTimeout(this.#answerTimer);
    this.#phase = "ready";
    this.#opened.resolve(connack);
  }

  #fail(error: Error): void {
    this.#cause ??= error;
    this.#stream?.destroy();
  }

  /** The stream is closed, whoever closed it. */
  #finish(): void {
    clearTimeout(this.#answerTimer);
    const phase = this.#phase;
    this.#phase = "ended";
    this.#closed.resolve();
    const failure = explainEnd({
      where: this.#where,
      everOnline: this.#connack !== undefined,
      refusal: this.#refusal,
      farewell: this.#farewell,
      cause: this.#cause,
    });
    if (phase === "ready") this.#owner.lost(this, failure);
    else this.#opened.reject(failure); // nothing happens where it was settled before
  }
}
