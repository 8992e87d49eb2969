/** The broker under load, its memory, its figures, and two clients that must go on as if nothing were. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  encodePacket,
  PacketType,
  type Properties,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import type { Limits } from "../../src/index.ts";
import { connectPacket, RawClient, type TransportName } from "../conformance/harness/index.ts";
import { expectPublish, puback, publish, subscribe, subscribed } from "../conformance/packets.ts";

const program = join(import.meta.dirname, "broker-process.ts");
const megabyte = 1_048_576;

export class OverloadedBroker {
  readonly #child: ChildProcess;
  readonly #urls: Readonly<Record<TransportName, string>>;
  readonly #clients: RawClient[] = [];
  #restingBytes = 0;

  private constructor(child: ChildProcess, urls: Record<TransportName, string>) {
    this.#child = child;
    this.#urls = urls;
  }

  static async start(
    context: TestContext,
    limits: Partial<Limits> = {},
  ): Promise<OverloadedBroker> {
    const child = fork(program, [JSON.stringify(limits)]);
    const [urls] = await once(child, "message");
    const broker = new OverloadedBroker(child, urls as Record<TransportName, string>);
    context.after(() => {
      for (const client of broker.#clients) client.destroy();
      child.kill("SIGKILL");
    });
    broker.#restingBytes = await broker.#residentBytes();
    return broker;
  }

  get tcpPort(): number {
    return Number(new URL(this.#urls.tcp).port);
  }

  async connect(
    clientIdentifier: string,
    {
      transport = "tcp",
      ...fields
    }: Parameters<RawClient["connect"]>[0] & {
      transport?: TransportName;
    } = {},
  ): Promise<RawClient> {
    const client = await RawClient.open(this.#urls[transport], 5);
    this.#clients.push(client);
    await client.connect({ clientIdentifier, ...fields });
    return client;
  }

  async #residentBytes(): Promise<number> {
    this.#child.send("rss");
    const [bytes] = await once(this.#child, "message");
    return bytes as number;
  }

  /** Megabytes that the process has grown by since its start. */
  async grownMegabytes(): Promise<number> {
    return ((await this.#residentBytes()) - this.#restingBytes) / megabyte;
  }

  /** A figure of `$SYS`, no older than this call, once it is at least so much or what `isEnough` says. */
  async waitForFigure(
    name: string,
    isEnough: number | ((figure: number) => boolean),
  ): Promise<number> {
    const watcher = await this.connect("watcher");
    const topic = `$SYS/broker/${name}`;
    // The uptime changes in each round, and goes first.
    await subscribed(watcher, [topic, "$SYS/broker/uptime"]);
    let figure = Number.NaN;
    for (let rounds = 0; ; ) {
      const message = await watcher.expectPacket(PacketType.publish);
      if (message.topic === topic) figure = Number(Buffer.from(message.payload).toString());
      else if (!message.retain) rounds++;
      if (rounds < 2) continue;
      if (typeof isEnough === "number" ? figure >= isEnough : isEnough(figure)) return figure;
    }
  }
}

/** A publisher and a subscriber with nothing to do with the load. */
export class Pair {
  readonly #subscriber: RawClient;
  readonly #publisher: RawClient;
  #isRunning = true;
  #running: Promise<void> | undefined;
  /** Messages that have made their way, and the longest that one took. */
  exchanged = 0;
  slowestMilliseconds = 0;

  get slowest(): string {
    return this.slowestMilliseconds.toFixed(0);
  }

  private constructor(subscriber: RawClient, publisher: RawClient) {
    this.#subscriber = subscriber;
    this.#publisher = publisher;
  }

  static async start(broker: OverloadedBroker, qos: 0 | 1 = 0): Promise<Pair> {
    const subscriber = await broker.connect("pair-subscriber");
    await subscribed(subscriber, { filter: "pair", qos });
    const pair = new Pair(subscriber, await broker.connect("pair-publisher"));
    pair.#running = pair.#run();
    return pair;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      const begun = performance.now();
      this.#publisher.send(publish("pair", `${this.exchanged}`, { qos: 1 }));
      const { qos, packetIdentifier = 0 } = await expectPublish(this.#subscriber, {
        payload: `${this.exchanged++}`,
      });
      if (qos === 1) this.#subscriber.send(puback(packetIdentifier));
      await this.#publisher.expectPacket(PacketType.puback);
      this.slowestMilliseconds = Math.max(this.slowestMilliseconds, performance.now() - begun);
      await sleep(5);
    }
  }

  /** Every message of the pair has arrived, each within a second. */
  async stop(): Promise<void> {
    while (this.exchanged < 10) await sleep(10);
    this.#isRunning = false;
    await this.#running;
    assert.ok(this.slowestMilliseconds < 1000, `one took ${this.slowestMilliseconds} ms`);
  }
}

/** A client that writes as fast as its socket takes it. */
export class Flood {
  readonly #socket: Socket;
  bytesRead = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (bytes) => {
      this.bytesRead += bytes.length;
    });
    socket.on("error", () => socket.destroy());
  }

  static async start(
    context: TestContext,
    broker: OverloadedBroker,
    clientIdentifier = "flood",
    properties: Properties = {},
  ): Promise<Flood> {
    const socket = connect(broker.tcpPort, "127.0.0.1");
    context.after(() => socket.destroy());
    const flood = new Flood(socket);
    await flood.#ask(encodePacket(connectPacket(5, { clientIdentifier, properties }), 5));
    return flood;
  }

  subscribe(filter: string, qos: QoS = 0): Promise<void> {
    return this.#ask(encodePacket(subscribe({ filter, qos }), 5));
  }

  /** Sends something and waits for its answer, which is not counted. */
  async #ask(bytes: Buffer): Promise<void> {
    this.#socket.write(bytes);
    await once(this.#socket, "data");
    this.bytesRead = 0;
  }

  async waitForBytes(count: number): Promise<void> {
    while (this.bytesRead < count) await sleep(10);
  }

  /** No more is read: what the broker answers piles up. */
  stopReading(): void {
    this.#socket.pause();
  }

  /** Whether the last `write` ended with a socket that takes no more. */
  get isStuck(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Writes copies of `packet` for so long, and answers how many the socket took. */
  async write(packet: PublishPacket, milliseconds: number): Promise<number> {
    const frame = encodePacket(packet, 5);
    const copies = Math.max(1, Math.floor(262_144 / frame.length));
    const batch = Buffer.concat(Array.from({ length: copies }, () => frame));
    const until = performance.now() + milliseconds;
    let written = 0;
    while (performance.now() < until && !this.#socket.destroyed) {
      written += copies;
      if (this.#socket.write(batch)) await sleep(0);
      else {
        const drained = once(this.#socket, "drain").then(() => true);
        const isDrained = await Promise.race([
          drained,
          sleep(Math.max(0, until - performance.now()), false),
        ]);
        if (!isDrained) break;
      }
    }
    return written;
  }
}
