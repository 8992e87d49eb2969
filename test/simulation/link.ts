/**
 * A connection over a network that is slow, holds bytes back, and breaks: what is under way in either direction arrives
 * in pieces, later, or never. Each side learns of the end in its own time.
 */
import type { Transport, TransportSink } from "../../src/broker/index.ts";
import { encodePacket, type Packet, type ProtocolVersion } from "../../src/codec/index.ts";
import { type PacketListener, PacketStream } from "../broker/packet-stream.ts";
import type { Chance } from "../fuzz/chance.ts";
import type { History } from "./history.ts";
import type { Process } from "./simulated-storage.ts";
import type { Timeline } from "./timeline.ts";

export interface LinkListeners {
  readonly brokerSaid: PacketListener;
  readonly brokerHears: PacketListener;
  readonly clientHears: PacketListener;
  /** The broker has ended it or was told of its end. */
  readonly overForBroker: () => void;
  readonly overForClient: () => void;
}

interface LinkSurroundings {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly process: Process;
  readonly delayMax: number;
}

/** More at once are the broker's to keep. */
const lentBytesMax = 65_536;
const stallMillisecondsMax = 5000;
/** A connection whose client is gone without a word: so long the broker may believe in it. */
const halfOpenMillisecondsMax = 100_000;

export class Link implements Transport {
  readonly remoteAddress: string;
  readonly listener = "simulation";
  readonly version: ProtocolVersion;
  pendingBytes = 0;
  readonly #around: LinkSurroundings;
  readonly #listeners: LinkListeners;
  readonly #saidStream: PacketStream;
  readonly #heardStream: PacketStream;
  readonly #clientStream: PacketStream;
  #sink: TransportSink | undefined;
  #toBroker = Buffer.alloc(0) as Buffer;
  #toClient = Buffer.alloc(0) as Buffer;
  #isMovingToBroker = false;
  #isMovingToClient = false;
  #isStalled = false;
  #isPaused = false;
  /** The broker takes and gives nothing any more. */
  #isOverForBroker = false;
  #isOverForClient = false;

  constructor(
    name: string,
    version: ProtocolVersion,
    around: LinkSurroundings,
    listeners: LinkListeners,
  ) {
    this.remoteAddress = name;
    this.version = version;
    this.#around = around;
    this.#listeners = listeners;
    this.#saidStream = new PacketStream(version, listeners.brokerSaid);
    this.#heardStream = new PacketStream(version, listeners.brokerHears);
    this.#clientStream = new PacketStream(version, listeners.clientHears);
  }

  /** The broker has accepted it. */
  open(sink: TransportSink): void {
    this.#sink = sink;
  }

  /** The client sends: that is under way then. */
  send(packet: Packet): void {
    this.#toBroker = Buffer.concat([this.#toBroker, encodePacket(packet, this.version)]);
    this.#moveToBroker();
  }

  write(bytes: Uint8Array): void {
    const { process, history } = this.#around;
    if (!process.touch()) return;
    if (this.#isOverForBroker) {
      history.report(`${this.remoteAddress}: a write after the end`);
      return;
    }
    const copy = Buffer.from(bytes);
    this.#toClient = Buffer.concat([this.#toClient, copy]);
    if (this.#isStalled) this.pendingBytes += copy.length;
    this.#guard(() => this.#saidStream.read(copy));
    this.#moveToClient();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#moveToBroker();
  }

  end(): void {
    if (!this.#around.process.isAlive || this.#isOverForBroker) return;
    this.#around.history.record(`${this.remoteAddress}: the broker ends it`);
    this.#endForBroker();
    this.#later("closes", () => {
      this.#sink?.closed();
      this.#endForClient();
    });
  }

  destroy(): void {
    if (!this.#isOverForBroker) this.#toClient = Buffer.alloc(0);
    this.end();
  }

  /** For a while nothing that is written leaves the broker's side. */
  stall(): void {
    if (this.#isStalled || this.#isOverForBroker) return;
    const { timeline, chance, history, process } = this.#around;
    history.record(`${this.remoteAddress}: takes nothing for a while`);
    this.#isStalled = true;
    const drain = (): void => {
      this.#isStalled = false;
      if (this.pendingBytes === 0) return;
      this.pendingBytes = 0;
      if (process.isAlive && !this.#isOverForBroker) this.#guard(() => this.#sink?.drained());
      this.#moveToClient();
    };
    const title = `${this.remoteAddress}: takes bytes again`;
    timeline.after(chance.below(stallMillisecondsMax), drain, { title });
  }

  /** The client is gone; what it has sent may still come, and the broker learns of it soon, or only when it must. */
  lose(isHalfOpen: boolean): void {
    if (this.#isOverForClient) return;
    const { timeline, chance, history, process } = this.#around;
    history.record(
      `${this.remoteAddress}: lost${isHalfOpen ? ", and the broker does not notice" : ""}`,
    );
    this.#isOverForClient = true;
    this.#toClient = Buffer.alloc(0);
    this.#toBroker = this.#toBroker.subarray(0, chance.below(this.#toBroker.length + 1));
    this.#listeners.overForClient();
    const wait = isHalfOpen ? halfOpenMillisecondsMax : this.#around.delayMax;
    const notice = (): void => {
      if (!process.isAlive || this.#isOverForBroker) return;
      this.#endForBroker();
      this.#guard(() => this.#sink?.closed());
    };
    const title = `${this.remoteAddress}: the broker notices that it is lost`;
    timeline.after(chance.below(wait + 1), notice, { title, isBackground: isHalfOpen });
  }

  /** The broker's machine is gone: what it has written may still come. */
  crash(): void {
    this.#isOverForBroker = true;
    if (this.#isOverForClient) return;
    this.#toClient = this.#toClient.subarray(
      0,
      this.#around.chance.below(this.#toClient.length + 1),
    );
    this.#around.timeline.after(
      this.#around.chance.below(this.#around.delayMax + 1),
      () => {
        this.#readToClient(this.#toClient.length);
        this.#endForClient();
      },
      { title: `${this.remoteAddress}: the client notices that the broker is gone` },
    );
  }

  #endForBroker(): void {
    if (this.#isOverForBroker) return;
    this.#isOverForBroker = true;
    this.pendingBytes = 0;
    this.#listeners.overForBroker();
  }

  #endForClient(): void {
    if (this.#isOverForClient) return;
    this.#readToClient(this.#toClient.length);
    this.#isOverForClient = true;
    this.#listeners.overForClient();
  }

  #moveToBroker(): void {
    if (this.#isMovingToBroker || this.#isPaused || this.#toBroker.length === 0) return;
    if (this.#isOverForBroker || this.#sink === undefined) return;
    this.#isMovingToBroker = true;
    this.#later("bytes reach the broker", () => {
      this.#isMovingToBroker = false;
      if (this.#isPaused || this.#isOverForBroker) return;
      const count = this.#piece(this.#toBroker.length);
      const bytes = this.#toBroker.subarray(0, count);
      this.#toBroker = this.#toBroker.subarray(count);
      this.#heardStream.read(bytes);
      this.#sink?.receive(bytes);
      if (bytes.length <= lentBytesMax) bytes.fill(0xee); // they were only lent
      this.#moveToBroker();
    });
  }

  #moveToClient(): void {
    const free = this.#toClient.length - this.pendingBytes;
    if (this.#isMovingToClient || this.#isOverForClient || free <= 0) return;
    this.#isMovingToClient = true;
    const { timeline, chance, delayMax } = this.#around;
    const move = (): void => {
      this.#isMovingToClient = false;
      if (this.#isOverForClient) return;
      this.#readToClient(this.#piece(Math.max(0, this.#toClient.length - this.pendingBytes)));
      this.#moveToClient();
    };
    const title = `${this.remoteAddress}: bytes reach the client`;
    timeline.after(chance.below(delayMax + 1), move, { title });
  }

  #readToClient(count: number): void {
    const bytes = this.#toClient.subarray(0, count);
    this.#toClient = this.#toClient.subarray(count);
    if (bytes.length > 0) this.#guard(() => this.#clientStream.read(bytes));
  }

  /** Mostly all, else up to any byte. */
  #piece(length: number): number {
    const { chance } = this.#around;
    return length === 0 || chance.happens(0.8) ? length : chance.between(1, length);
  }

  /** Something that happens to the broker, as long as it is there. */
  #later(what: string, run: () => void): void {
    const { timeline, chance, process, delayMax } = this.#around;
    const act = (): void => {
      if (process.isAlive) this.#guard(run);
    };
    const title = `${this.remoteAddress}: ${what}`;
    timeline.after(chance.below(delayMax + 1), act, { title });
  }

  #guard(run: () => void): void {
    try {
      run();
    } catch (error) {
      const text = error instanceof Error ? error.stack : String(error);
      this.#around.history.report(`${this.remoteAddress}: ${text}`);
    }
  }
}
