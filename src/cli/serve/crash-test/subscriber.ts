/**
 * A persistent session that takes messages: always there, now and then, or only at the end; acknowledging at once, slowly, or
 * not at all until the broker has been killed again. What it receives goes to its `Receipts`.
 */
import type { IPublishPacket } from "mqtt";
import type { BrokerChild } from "./broker-child.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { Peer, type PeerOptions } from "./peer.ts";
import type { Receipts } from "./receipts.ts";

export interface SubscriberOptions extends PeerOptions {
  readonly filter: string;
  readonly qos: 1 | 2;
  /** With whose identifier every message comes; 5.0 only. */
  readonly subscriptionIdentifier?: number;
  readonly attendance: "always" | "visits" | "at the end";
  /** Whether it may acknowledge slowly or not at all, and whether its connection may break. */
  readonly isMoody: boolean;
}

type Manner = "prompt" | "slow" | "silent";

/** One in so many messages makes a slow subscriber wait. */
const slowEvery = 8;
const slowMillisecondsMax = 25;
const visitShare = 0.4;
const cutShare = 0.4;

export class Subscriber {
  readonly options: SubscriberOptions;
  readonly receipts: Receipts;
  readonly #peer: Peer;
  readonly #chance: Chance;
  readonly #faults: Faults;
  readonly #subscribed = Promise.withResolvers<void>();
  #isKnown = false;
  #isSubscribed = false;
  #manner: Manner = "prompt";
  #messages = 0;
  #plans: NodeJS.Timeout[] = [];

  constructor(
    options: SubscriberOptions,
    world: { readonly broker: BrokerChild; readonly chance: Chance; readonly faults: Faults },
    receipts: Receipts,
  ) {
    this.options = options;
    this.receipts = receipts;
    this.#chance = world.chance;
    this.#faults = world.faults;
    this.#peer = new Peer(options, world.broker, {
      online: (sessionPresent) => this.#greet(sessionPresent),
      message: (packet) => this.#take(packet),
      acknowledge: (done) => this.#acknowledge(done),
    });
  }

  /** PUBLISH packets, those that came again among them. */
  get messages(): number {
    return this.#messages;
  }

  /** Resolves when its subscription is acknowledged. */
  introduce(): Promise<void> {
    this.#peer.come();
    return this.#subscribed.promise;
  }

  /** What it does in the next `milliseconds`. */
  beginRound(milliseconds: number): void {
    const { attendance, isMoody } = this.options;
    const chance = this.#chance;
    this.#breakSilence();
    this.#manner = isMoody ? chance.pick(["prompt", "slow", "silent"] as const) : "prompt";
    if (attendance === "at the end") this.#peer.leave();
    else if (attendance === "always") this.#peer.come();
    else if (chance.happens(visitShare)) {
      this.#plan(chance.between(0, milliseconds), () => this.#peer.come());
      this.#plan(chance.between(0, milliseconds * 2), () => this.#peer.leave());
    } else this.#peer.leave();
    if (isMoody && chance.happens(cutShare)) {
      this.#plan(chance.between(0, milliseconds), () => this.#peer.cut());
    }
  }

  /** From now on it takes everything. */
  drain(): void {
    this.#breakSilence();
    this.#manner = "prompt";
    this.#peer.come();
  }

  close(): void {
    this.#forgetPlans();
    this.#peer.close();
  }

  #greet(sessionPresent: boolean): void {
    const { name, filter, qos, subscriptionIdentifier } = this.options;
    if (this.#isKnown && !sessionPresent) {
      this.#faults.add("session", `the session of ${name}, with its subscription`);
      this.#isSubscribed = false;
    }
    if (this.#isSubscribed) return;
    void this.#peer.subscribe(filter, qos, subscriptionIdentifier).then((granted) => {
      if (granted === undefined) return; // it subscribes when it is back
      if (!granted) this.options.note(`${name}: the subscription to ${filter} was refused`);
      this.#isKnown = true;
      this.#isSubscribed = true;
      this.#subscribed.resolve();
    });
  }

  #take(packet: IPublishPacket): void {
    this.#messages += 1;
    const { name, subscriptionIdentifier: wanted } = this.options;
    const found = packet.properties?.subscriptionIdentifier;
    if (wanted !== undefined && [found].flat().join() !== String(wanted)) {
      const text = `${name} received ${packet.topic} with subscription identifier ${found}, not ${wanted}`;
      this.#faults.add("subscription", text);
    }
    this.receipts.take(packet.topic, packet.payload as Buffer);
  }

  #acknowledge(done: () => void): void {
    if (this.#manner === "silent") return;
    if (this.#manner === "slow" && this.#chance.happens(1 / slowEvery)) {
      setTimeout(done, this.#chance.between(1, slowMillisecondsMax));
    } else done();
  }

  /** MQTT.js does not read on behind a message that is not acknowledged, so it does not see that the broker went either. */
  #breakSilence(): void {
    this.#forgetPlans();
    if (this.#manner === "silent") this.#peer.cut();
  }

  #plan(milliseconds: number, action: () => void): void {
    this.#plans.push(setTimeout(action, milliseconds));
  }

  #forgetPlans(): void {
    for (const timer of this.#plans) clearTimeout(timer);
    this.#plans = [];
  }
}
