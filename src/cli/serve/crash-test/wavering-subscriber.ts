/**
 * A persistent session that subscribes and unsubscribes all the time. After each restart it publishes to each of its topics
 * once: what comes back says which subscriptions the broker has, and those must be the acknowledged ones.
 */
import type { BrokerChild } from "./broker-child.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { Peer, type PeerOptions } from "./peer.ts";

interface Topic {
  readonly name: string;
  /** Undefined while a change is under way, and after one whose answer did not come. */
  isSubscribed: boolean | undefined;
}

const topicCount = 8;
const probeMillisecondsMax = 5000;
const graceMilliseconds = 30;

export class WaveringSubscriber {
  readonly #peer: Peer;
  readonly #name: string;
  readonly #topics: readonly Topic[];
  readonly #chance: Chance;
  readonly #faults: Faults;
  readonly #note: (text: string) => void;
  #isKnown = false;
  #isWavering = false;
  /** Of the probes on their way. */
  #round = 0;
  #came = new Set<string>();
  #notice: () => void = () => undefined;
  changes = 0;
  probed = 0;

  constructor(
    options: PeerOptions,
    prefix: string,
    world: { readonly broker: BrokerChild; readonly chance: Chance; readonly faults: Faults },
  ) {
    this.#name = options.name;
    this.#note = options.note;
    this.#chance = world.chance;
    this.#faults = world.faults;
    this.#topics = Array.from({ length: topicCount }, (_, index) => ({
      name: `${prefix}/${index}`,
      isSubscribed: false,
    }));
    this.#peer = new Peer(options, world.broker, {
      online: (sessionPresent) => this.#greet(sessionPresent),
      offline: () => this.#notice(),
      message: ({ topic, payload }) => {
        if (payload.toString() !== String(this.#round)) return; // a probe of an earlier round again
        this.#came.add(topic);
        this.#notice();
      },
    });
    this.#peer.come();
  }

  /** Changes one subscription after the other, from now until `rest`, or until the connection ends. */
  async waver(): Promise<void> {
    this.#isWavering = true;
    while (this.#isWavering && this.#peer.isOnline) {
      const topic = this.#chance.pick(this.#topics);
      const wanted =
        topic.isSubscribed === undefined ? this.#chance.happens(0.5) : !topic.isSubscribed;
      topic.isSubscribed = undefined;
      const done = await (wanted
        ? this.#peer.subscribe(topic.name, 1)
        : this.#peer.unsubscribe(topic.name));
      if (done === undefined) return;
      if (!done) {
        this.#note(`${this.#name}: subscriptions were refused`);
        return;
      }
      topic.isSubscribed = wanted;
      this.changes += 1;
      this.#isKnown = true;
    }
  }

  rest(): void {
    this.#isWavering = false;
  }

  /** Compares, and adds nothing when the broker goes meanwhile, which `signal` says too. */
  async probe(signal: AbortSignal): Promise<void> {
    this.#isWavering = false;
    this.#round += 1;
    this.#came = new Set();
    const isOver = () => signal.aborted || !this.#peer.isOnline;
    signal.addEventListener("abort", () => this.#notice(), { once: true });
    await this.#waitFor(() => signal.aborted || this.#peer.isOnline, probeMillisecondsMax);
    if (isOver()) return;
    let acknowledged = 0;
    for (const { name } of this.#topics) {
      this.#peer.publish(
        { topic: name, payload: String(this.#round) },
        { qos: 1 },
        ({ refusal }) => {
          if (refusal === undefined) acknowledged += 1;
          this.#notice();
        },
      );
    }
    const isThere = () =>
      this.#topics.every(({ name, isSubscribed }) => !isSubscribed || this.#came.has(name));
    await this.#waitFor(
      () => isOver() || (acknowledged === topicCount && isThere()),
      probeMillisecondsMax,
    );
    await this.#waitFor(isOver, graceMilliseconds);
    if (isOver() || acknowledged < topicCount) return;
    for (const topic of this.#topics) this.#judge(topic);
    this.probed += topicCount;
  }

  close(): void {
    this.#isWavering = false;
    this.#peer.close();
  }

  #judge(topic: Topic): void {
    const found = this.#came.has(topic.name);
    if (topic.isSubscribed !== undefined && found !== topic.isSubscribed) {
      const last = topic.isSubscribed ? "SUBACK" : "UNSUBACK";
      const text = `${this.#name} ${found ? "gets" : "does not get"} ${topic.name}, whose last answer was ${last}`;
      this.#faults.add("subscription", text);
      topic.isSubscribed = found;
    } else if (found) topic.isSubscribed = true; // what did not come may only be late
  }

  #greet(sessionPresent: boolean): void {
    if (this.#isKnown && !sessionPresent) {
      this.#faults.add("session", `the session of ${this.#name}, with its subscriptions`);
      for (const topic of this.#topics) topic.isSubscribed = false;
    }
    this.#notice();
  }

  /** Looks again whenever something came, until `isSo` or the time is over. */
  #waitFor(isSo: () => boolean, milliseconds: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    this.#notice = () => {
      if (isSo()) resolve();
    };
    this.#notice();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#notice = () => undefined;
    });
  }
}
