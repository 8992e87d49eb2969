/**
 * A connection whose bytes move only when the test says so, in each direction as far as it says: what is under way
 * when it is cut is lost. Everything that the broker says and hears is told to a witness, also what gets lost later.
 */
import assert from "node:assert/strict";
import type { Transport, TransportSink } from "../../src/broker/index.ts";
import { encodePacket, type Packet, type ProtocolVersion } from "../../src/codec/index.ts";
import { type PacketListener, PacketStream } from "./packet-stream.ts";
import type { TestBroker } from "./test-broker.ts";

export interface LinkListeners {
  readonly brokerSaid: PacketListener;
  readonly brokerHears: PacketListener;
  readonly clientHears: PacketListener;
}

export class LossyLink implements Transport {
  readonly remoteAddress = "memory";
  readonly listener = "test";
  readonly version: ProtocolVersion;
  /** Of the broker's last write, while the transport is busy. */
  pendingBytes = 0;
  isPaused = false;
  /** The broker has ended it. */
  isEnded = false;
  isCut = false;
  /** What a listener found wrong with what the broker said: the broker does not let errors of a write pass. */
  fault: unknown;
  #isBusy = false;
  #toBroker = Buffer.alloc(0) as Buffer;
  #toClient = Buffer.alloc(0) as Buffer;
  readonly #sink: TransportSink;
  readonly #brokerSaid: PacketStream;
  readonly #brokerHears: PacketStream;
  readonly #clientHears: PacketStream;

  constructor(broker: TestBroker, version: ProtocolVersion, listeners: LinkListeners) {
    this.version = version;
    this.#brokerSaid = new PacketStream(version, listeners.brokerSaid);
    this.#brokerHears = new PacketStream(version, listeners.brokerHears);
    this.#clientHears = new PacketStream(version, listeners.clientHears);
    this.#sink = broker.core.accept(this);
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whether the broker reads and the client is there to be written to. */
  get isOpen(): boolean {
    return !this.isEnded && !this.isCut;
  }

  /** Whether anything is under way that could move. */
  get isMoving(): boolean {
    return this.#toClient.length > 0 || (this.#toBroker.length > 0 && !this.isPaused);
  }

  write(bytes: Uint8Array): void {
    assert.ok(this.isOpen, "a write after the end");
    this.#toClient = Buffer.concat([this.#toClient, bytes]);
    if (this.#isBusy) this.pendingBytes += bytes.length;
    try {
      this.#brokerSaid.read(Buffer.from(bytes));
    } catch (error) {
      this.fault ??= error;
    }
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isEnded = true;
  }

  /** From now on nothing that is written leaves the broker's side, until `drain`. */
  stall(): void {
    this.#isBusy = true;
  }

  drain(): void {
    this.#isBusy = false;
    if (this.pendingBytes === 0) return;
    this.pendingBytes = 0;
    if (this.isOpen) this.#sink.drained();
  }

  /** The client sends: that is under way then. */
  send(packet: Packet): void {
    this.#toBroker = Buffer.concat([this.#toBroker, encodePacket(packet, this.version)]);
  }

  /** So many thousandths of the bytes under way to the broker get there. */
  moveToBroker(thousandths: number): void {
    if (this.isPaused) return;
    const count = Math.ceil((this.#toBroker.length * thousandths) / 1000);
    const bytes = this.#toBroker.subarray(0, count);
    this.#toBroker = this.#toBroker.subarray(count);
    if (bytes.length === 0 || this.isCut) return;
    if (!this.isEnded) this.#brokerHears.read(bytes);
    this.#sink.receive(bytes);
    if (bytes.length <= 65_536) bytes.fill(0xee); // they were only lent
  }

  /** So many thousandths of the bytes under way to the client get there; none that the transport is busy with. */
  moveToClient(thousandths: number): void {
    const free = this.#toClient.length - this.pendingBytes;
    const count = Math.ceil((free * thousandths) / 1000);
    const bytes = this.#toClient.subarray(0, count);
    this.#toClient = this.#toClient.subarray(count);
    if (bytes.length > 0) this.#clientHears.read(bytes);
  }

  /** The connection is gone, and what is under way with it. */
  cut(): void {
    if (this.isCut) return;
    this.isCut = true;
    this.#sink.closed();
  }
}
