/** Two clients with nothing to do with the load: QoS 1 in both directions, each message counted and timed. */
import { setTimeout as sleep } from "node:timers/promises";
import { PacketType } from "../../../src/codec/index.ts";
import { connectPacket } from "../../conformance/harness/index.ts";
import { puback, publish, subscribe } from "../../conformance/packets.ts";
import { SoakSocket } from "./soak-socket.ts";

class Bystander {
  readonly #client: SoakSocket;
  readonly #to: string;
  /** When each message was sent that has not arrived, and each that has not been acknowledged. */
  readonly #sent = new Map<number, number>();
  readonly #unacknowledged = new Map<number, number>();
  readonly arrived: (number: number) => void;
  #number = 0;
  slowestMilliseconds = 0;

  constructor(client: SoakSocket, to: string, arrived: (number: number) => void) {
    this.#client = client;
    this.#to = to;
    this.arrived = arrived;
    client.onPacket = (packet) => {
      if (packet.type === PacketType.puback)
        this.#settle(this.#unacknowledged, packet.packetIdentifier);
      if (packet.type !== PacketType.publish) return;
      client.send(puback(packet.packetIdentifier ?? 0));
      this.arrived(Number(Buffer.from(packet.payload).toString()));
    };
  }

  get count(): number {
    return this.#number;
  }

  get isLost(): boolean {
    return this.#client.isClosed;
  }

  /** How long the oldest message has been under way that has not arrived or not been acknowledged. */
  get waitingMilliseconds(): number {
    const oldest = Math.min(...this.#sent.values(), ...this.#unacknowledged.values());
    return Math.max(0, performance.now() - oldest);
  }

  get missing(): number {
    return this.#sent.size + this.#unacknowledged.size;
  }

  publish(): void {
    const number = ++this.#number;
    const packetIdentifier = ((number - 1) % 65_535) + 1;
    const now = performance.now();
    this.#sent.set(number, now);
    this.#unacknowledged.set(packetIdentifier, now);
    this.#client.send(publish(this.#to, `${number}`, { qos: 1, packetIdentifier }));
  }

  wasSeen(number: number): void {
    this.#settle(this.#sent, number);
  }

  #settle(waiting: Map<number, number>, key: number): void {
    const since = waiting.get(key);
    if (since === undefined) return;
    waiting.delete(key);
    this.slowestMilliseconds = Math.max(this.slowestMilliseconds, performance.now() - since);
  }

  end(): void {
    this.#client.destroy();
  }
}

export class Bystanders {
  readonly #pair: Bystander[] = [];
  #isRunning = true;
  #running: Promise<void> | undefined;

  static async start(port: number): Promise<Bystanders> {
    const bystanders = new Bystanders();
    const [left, right] = [new SoakSocket(port), new SoakSocket(port)];
    for (const [client, name] of [
      [left, "left"],
      [right, "right"],
    ] as const) {
      await client.ask(connectPacket(5, { clientIdentifier: name, keepAliveSeconds: 30 }));
      await client.ask(subscribe({ filter: `to/${name}`, qos: 1 }));
    }
    const pair = bystanders.#pair;
    pair.push(new Bystander(left, "to/right", (number) => pair[1].wasSeen(number)));
    pair.push(new Bystander(right, "to/left", (number) => pair[0].wasSeen(number)));
    bystanders.#running = bystanders.#run();
    return bystanders;
  }

  async #run(): Promise<void> {
    while (this.#isRunning) {
      for (const one of this.#pair) one.publish();
      await sleep(50);
    }
  }

  get count(): number {
    return this.#pair.reduce((sum, { count }) => sum + count, 0);
  }

  /** What any message took or has been taking. */
  get slowestMilliseconds(): number {
    return Math.max(
      ...this.#pair.flatMap((one) => [one.slowestMilliseconds, one.waitingMilliseconds]),
    );
  }

  /** No more are sent; answers what never came, or never was acknowledged, within `milliseconds`. */
  async finish(milliseconds: number): Promise<number> {
    this.#isRunning = false;
    await this.#running;
    const missing = (): number => this.#pair.reduce((sum, one) => sum + one.missing, 0);
    const until = performance.now() + milliseconds;
    while (missing() > 0 && performance.now() < until) await sleep(20);
    const isLost = this.#pair.some((one) => one.isLost);
    for (const one of this.#pair) one.end();
    return isLost ? Math.max(1, missing()) : missing();
  }
}
