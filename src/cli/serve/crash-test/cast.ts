/**
 * Everyone who takes part in a crash test: publishers and subscribers of both versions and QoS levels, sessions that are there,
 * come and go or stay away, members of a shared subscription, retained values, subscriptions that change.
 */
import type { BrokerChild } from "./broker-child.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { MessageStream } from "./message-stream.ts";
import { Publisher } from "./publisher.ts";
import { Receipts } from "./receipts.ts";
import { RetainedLook, RetainedWriter } from "./retained-topics.ts";
import { Subscriber, type SubscriberOptions } from "./subscriber.ts";
import { WaveringSubscriber } from "./wavering-subscriber.ts";

interface World {
  readonly broker: BrokerChild;
  readonly chance: Chance;
  readonly faults: Faults;
}

type Role = Omit<SubscriberOptions, "note" | "filter">;

const publishers = [
  { name: "publisher-1", protocolVersion: 4, qos: 1 },
  { name: "publisher-2", protocolVersion: 5, qos: 1 },
  { name: "publisher-3", protocolVersion: 4, qos: 2 },
  { name: "publisher-4", protocolVersion: 5, qos: 2 },
] as const;

const subscribers: readonly Role[] = [
  { name: "online", protocolVersion: 4, qos: 2, attendance: "always", isMoody: false },
  {
    name: "moody",
    protocolVersion: 5,
    qos: 2,
    attendance: "always",
    isMoody: true,
    subscriptionIdentifier: 268_435_455,
  },
  {
    name: "qos-1",
    protocolVersion: 5,
    qos: 1,
    attendance: "always",
    isMoody: true,
    receiveMaximum: 20, // not with QoS 2, where MQTT.js counts what was released before a reconnect
    subscriptionIdentifier: 7,
  },
  { name: "visitor", protocolVersion: 4, qos: 2, attendance: "visits", isMoody: true },
  { name: "offline", protocolVersion: 4, qos: 2, attendance: "at the end", isMoody: false },
];

const members: readonly Role[] = [
  { name: "member-1", protocolVersion: 5, qos: 2, attendance: "always", isMoody: false },
  { name: "member-2", protocolVersion: 5, qos: 2, attendance: "always", isMoody: true },
  { name: "member-3", protocolVersion: 5, qos: 2, attendance: "visits", isMoody: true },
];

const retainedWriters = [
  { name: "retained-1", protocolVersion: 4, qos: 1 },
  { name: "retained-2", protocolVersion: 5, qos: 2 },
] as const;

/** Of each publisher in a round; and how many of them may be unacknowledged. */
const quotas = [50, 200, 600] as const;
const windows = [1, 10, 100] as const;
const retainedQuota = 300;

export class Cast {
  readonly streams: readonly MessageStream[];
  readonly receipts: readonly Receipts[];
  readonly #subscribers: readonly Subscriber[];
  readonly #world: World;
  readonly #note: (text: string) => void;
  #publishers: readonly Publisher[] = [];
  readonly retainedWriters: readonly RetainedWriter[];
  readonly retainedLook: RetainedLook;
  readonly wavering: WaveringSubscriber;
  /** Of the broker: aborted when it is killed. */
  #life = new AbortController();

  constructor(world: World, note: (text: string) => void) {
    this.#world = world;
    this.#note = note;
    this.streams = publishers.flatMap(({ name, qos }) =>
      ["a", "b"].map((letter) => new MessageStream(`crash/messages/${name}/${letter}`, qos)),
    );
    const shared = this.#openReceipts("the shared subscription", false);
    const filter = "crash/messages/#";
    this.#subscribers = [
      ...subscribers.map((role) =>
        this.#openSubscriber(role, filter, this.#openReceipts(role.name, true, role.qos)),
      ),
      ...members.map((role) => this.#openSubscriber(role, `$share/members/${filter}`, shared)),
    ];
    this.receipts = [...new Set(this.#subscribers.map(({ receipts }) => receipts))];
    const retained = "crash/retained";
    this.retainedWriters = retainedWriters.map(
      (options) => new RetainedWriter({ ...options, note }, retained, world),
    );
    const looker = { name: "retained-look", protocolVersion: 4, note } as const;
    this.retainedLook = new RetainedLook(looker, this.retainedWriters, retained, world);
    const options = { name: "wavering", protocolVersion: 5, note } as const;
    this.wavering = new WaveringSubscriber(options, "crash/wavering", world);
  }

  /** Every subscription is acknowledged before anything is published. */
  async introduce(): Promise<void> {
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.introduce()));
    this.#publishers = publishers.map(({ name, protocolVersion }) => {
      const streams = this.streams.filter(({ topic }) => topic.includes(`/${name}/`));
      return new Publisher({ name, protocolVersion, note: this.#note }, this.#world, streams);
    });
  }

  /** Not acknowledged yet. */
  get underWay(): number {
    return [...this.#publishers, ...this.retainedWriters].reduce(
      (sum, { underWay }) => sum + underWay,
      0,
    );
  }

  /** PUBLISH packets that subscribers have got. */
  get messages(): number {
    return this.#subscribers.reduce((sum, { messages }) => sum + messages, 0);
  }

  get isDrained(): boolean {
    return this.underWay === 0 && this.receipts.every(({ isComplete }) => isComplete);
  }

  get sessionCount(): number {
    return this.#subscribers.length + this.#publishers.length + this.retainedWriters.length + 1;
  }

  /** Sets everything in motion; what changes what is checked waits for the checks. Resolves when they are done. */
  async beginRound(milliseconds: number, isChecked: boolean): Promise<void> {
    const { chance } = this.#world;
    for (const stream of this.streams) stream.beginRound();
    for (const subscriber of this.#subscribers) subscriber.beginRound(milliseconds);
    for (const publisher of this.#publishers) {
      publisher.beginRound(chance.pick(quotas), chance.pick(windows));
    }
    const life = new AbortController();
    this.#life = life;
    if (isChecked) await this.#check(life.signal);
    if (life.signal.aborted) return; // the broker has been killed meanwhile
    for (const writer of this.retainedWriters) writer.beginRound(retainedQuota);
    void this.wavering.waver();
  }

  /** The broker has just been killed: the checks of the next round come before these begin again. */
  pause(): void {
    this.#life.abort();
    for (const writer of this.retainedWriters) writer.pause();
    this.wavering.rest();
  }

  /** After the last restart: nothing new is sent, everyone comes, everything is taken. */
  async drain(): Promise<void> {
    for (const publisher of this.#publishers) publisher.stop();
    for (const subscriber of this.#subscribers) subscriber.drain();
    this.#life = new AbortController();
    await this.#check(this.#life.signal);
    for (const writer of this.retainedWriters) writer.stop();
  }

  /** What can be said now is added to the faults. */
  addMissing(isDrained: boolean): void {
    for (const receipts of this.receipts) receipts.addMissing(isDrained);
  }

  close(): void {
    this.#life.abort();
    const all = [...this.#publishers, ...this.#subscribers, ...this.retainedWriters, this.wavering];
    for (const each of all) each.close();
  }

  async #check(signal: AbortSignal): Promise<void> {
    await Promise.all([this.retainedLook.look(signal), this.wavering.probe(signal)]);
  }

  #openReceipts(name: string, isOrdered: boolean, qos: 1 | 2 = 2): Receipts {
    return new Receipts({ name, qos, isOrdered }, this.streams, this.#world.faults);
  }

  #openSubscriber(role: Role, filter: string, receipts: Receipts): Subscriber {
    return new Subscriber({ ...role, filter, note: this.#note }, this.#world, receipts);
  }
}
