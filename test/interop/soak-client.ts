/**
 * One MQTT.js client of the soak: it publishes numbered messages, notes what comes, and loses its connection now and
 * then, politely or not. Its session, and MQTT.js's memory of what is under way, outlive its connections.
 */
import { setTimeout as sleep } from "node:timers/promises";
import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { waitUntil } from "./inbox.ts";

export type QoS = 0 | 1 | 2;
export const everyQoS: readonly QoS[] = [0, 1, 2];
export const streamsPerClient = 2;

/** From 0 to below `below`. */
export type Draw = (below: number) => number;

/** The same numbers for the same seed (mulberry32). */
export function drawFrom(seed: number): Draw {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What one subscriber got of one publisher's stream at one published QoS: sequence numbers in order. */
export interface Arrivals {
  readonly grantedQos: QoS;
  readonly numbers: number[];
}

export function keyOf(publisher: string, stream: number, qos: QoS): string {
  return `soak/${publisher}/${stream}/${qos}`;
}

export class SoakClient {
  readonly name: string;
  readonly arrivals = new Map<string, Arrivals>();
  /** How many were published under each key, from 1 on. */
  readonly published = new Map<string, number>();
  /** What MQTT.js gave back unsent, of QoS 1 and 2: `key number`. Such a message may come, and need not. */
  readonly givenUp = new Set<string>();
  readonly complaints: string[] = [];
  disconnects = { clean: 0, brutal: 0 };
  readonly #client: MqttClient;
  readonly #draw: Draw;
  readonly #stores: { incomingStore: mqtt.Store; outgoingStore: mqtt.Store };
  /** QoS 1 and 2 without their last acknowledgement: MQTT.js forgets to call back for QoS 0 when a write is cut off. */
  readonly #underWay = new Set<string>();
  #isLeaving = false;
  #isFirst = true;

  constructor(name: string, url: string, options: IClientOptions, draw: Draw) {
    this.name = name;
    this.#draw = draw;
    // They must not be emptied at a polite end: the session goes on.
    this.#stores = {
      incomingStore: new mqtt.Store({ clean: false }),
      outgoingStore: new mqtt.Store({ clean: false }),
    };
    this.#client = mqtt.connect(url, {
      ...options,
      ...this.#stores,
      clientId: name,
      clean: false,
      queueQoSZero: false, // its queue lets later messages overtake
      reconnectPeriod: 20 + draw(150),
      ...(options.protocolVersion === 5 ? { properties: { sessionExpiryInterval: 600 } } : {}),
    });
    this.#client.on("error", () => undefined); // it reconnects
    this.#client.on("connect", ({ sessionPresent }) => {
      if (sessionPresent === this.#isFirst) this.complaints.push(`${name}: session present?`);
      this.#isFirst = false;
    });
    this.#client.on("message", (topic, payload, packet) => {
      this.#arrived(topic, payload.toString(), packet.qos);
    });
  }

  get isConnected(): boolean {
    return this.#client.connected && !this.#isLeaving;
  }

  async subscribe(publisher: string, grantedQos: QoS): Promise<void> {
    await waitUntil(
      () => this.isConnected,
      () => `the first connection of ${this.name}`,
    );
    for (let stream = 0; stream < streamsPerClient; stream++) {
      for (const qos of everyQoS) {
        this.arrivals.set(keyOf(publisher, stream, qos), { grantedQos, numbers: [] });
      }
    }
    const [granted] = await this.#client.subscribeAsync(`soak/${publisher}/#`, { qos: grantedQos });
    if (granted.qos !== grantedQos) this.complaints.push(`${this.name} was granted ${granted.qos}`);
  }

  #arrived(topic: string, text: string, qos: number): void {
    const [publishedQos, number] = text.split(" ").map(Number);
    const arrivals = this.arrivals.get(`${topic}/${publishedQos}`);
    if (arrivals === undefined) this.complaints.push(`${this.name} got a strange ${topic}`);
    else if (qos !== Math.min(publishedQos, arrivals.grantedQos))
      this.complaints.push(`${this.name} got ${topic} ${text} at QoS ${qos}`);
    arrivals?.numbers.push(number);
  }

  /** Publishes and breaks its own connection at random until `until`, then waits for its acknowledgements. */
  async live(until: number): Promise<void> {
    await Promise.all([this.#publishUntil(until), this.#disconnectUntil(until)]);
    await waitUntil(
      () => this.isConnected,
      () => `${this.name} to be back`,
    );
    await waitUntil(
      () => this.#underWay.size === 0,
      () => `acknowledgements of ${[...this.#underWay].join(", ")}`,
      10_000,
    );
  }

  async #publishUntil(until: number): Promise<void> {
    while (performance.now() < until) {
      await sleep(this.#draw(300));
      if (this.#isLeaving) continue;
      for (let count = this.#draw(8); count > 0; count--) {
        this.#publish(this.#draw(streamsPerClient), everyQoS[this.#draw(3)]);
      }
    }
  }

  #publish(stream: number, qos: QoS): void {
    const key = keyOf(this.name, stream, qos);
    const number = (this.published.get(key) ?? 0) + 1;
    this.published.set(key, number);
    const padding = ".".repeat(this.#draw(10) === 0 ? 20_000 : this.#draw(50));
    const name = `${key} ${number}`;
    if (qos > 0) this.#underWay.add(name);
    this.#client.publish(
      `soak/${this.name}/${stream}`,
      `${qos} ${number} ${padding}`,
      { qos },
      (error) => {
        if (error && qos > 0) this.givenUp.add(name);
        this.#underWay.delete(name);
      },
    );
  }

  async #disconnectUntil(until: number): Promise<void> {
    for (;;) {
      await sleep(200 + this.#draw(3000));
      if (performance.now() > until) return;
      if (!this.isConnected) continue;
      // MQTT.js never ends when it is asked to while it sends again what was under way.
      if (this.#draw(5) > 2 || this.#underWay.size > 0) {
        this.disconnects.brutal++;
        this.#client.stream.destroy();
      } else {
        this.disconnects.clean++;
        this.#isLeaving = true;
        await this.#client.endAsync();
        await sleep(this.#draw(500));
        this.#client.reconnect(this.#stores);
        this.#isLeaving = false;
      }
    }
  }

  end(): void {
    this.#client.end(true);
  }
}
