/**
 * Retained values: a writer that sets and deletes them, and a look at them after each restart, before the writer is back and
 * could write over what was lost. A topic must hold what was acknowledged last, or something that was sent after it.
 */
import type { BrokerChild } from "./broker-child.ts";
import type { Chance } from "./chance.ts";
import type { Faults } from "./faults.ts";
import { Peer, type PeerOptions } from "./peer.ts";

interface RetainedTopic {
  readonly topic: string;
  /** By number: whether that message deletes. */
  readonly deletes: boolean[];
  /** The number of the last one that was acknowledged; -1 for none. */
  acknowledged: number;
}

interface RetainedWorld {
  readonly broker: BrokerChild;
  readonly chance: Chance;
  readonly faults: Faults;
}

const topicsOfWriter = 4;
const deleteShare = 0.15;
const windowMessages = 5;
const lookMillisecondsMax = 5000;
/** What must not be there comes no later than this behind what must. */
const graceMilliseconds = 30;

export class RetainedWriter {
  readonly topics: readonly RetainedTopic[];
  readonly #peer: Peer;
  readonly #qos: 1 | 2;
  readonly #chance: Chance;
  readonly #note: (text: string) => void;
  #quota = 0;
  #underWay = 0;
  acknowledged = 0;

  constructor(
    options: PeerOptions & { readonly qos: 1 | 2 },
    prefix: string,
    world: RetainedWorld,
  ) {
    this.#qos = options.qos;
    this.#chance = world.chance;
    this.#note = options.note;
    this.topics = Array.from({ length: topicsOfWriter }, (_, index) => ({
      topic: `${prefix}/${options.name}/${index}`,
      deletes: [],
      acknowledged: -1,
    }));
    this.#peer = new Peer(options, world.broker, { online: () => this.#pump() });
  }

  get underWay(): number {
    return this.#underWay;
  }

  beginRound(quota: number): void {
    this.#quota = quota;
    this.#peer.come();
    this.#pump();
  }

  /** Until the next round begins. */
  pause(): void {
    this.#quota = 0;
    this.#peer.leave();
  }

  /** Settles what is under way, and writes nothing more. */
  stop(): void {
    this.#quota = 0;
    this.#peer.come();
  }

  close(): void {
    this.#peer.close();
  }

  #pump(): void {
    while (this.#peer.isOnline && this.#quota > 0 && this.#underWay < windowMessages) {
      this.#quota -= 1;
      this.#write(this.#chance.pick(this.topics));
    }
  }

  #write(retained: RetainedTopic): void {
    const number = retained.deletes.length;
    const isDelete = this.#chance.happens(deleteShare);
    retained.deletes.push(isDelete);
    this.#underWay += 1;
    const message = { topic: retained.topic, payload: isDelete ? "" : String(number) };
    this.#peer.publish(message, { qos: this.#qos, retain: true }, ({ refusal }) => {
      this.#underWay -= 1;
      if (refusal === undefined) {
        retained.acknowledged = Math.max(retained.acknowledged, number);
        this.acknowledged += 1;
        this.#pump();
      } else {
        this.#quota = 0; // until the next round
        this.#note(`the broker refused retained messages: ${refusal}`);
      }
    });
  }
}

/** Looks at all retained topics; each look is a clean session of its own. */
export class RetainedLook {
  readonly #filter: string;
  readonly #topics: readonly RetainedTopic[];
  readonly #world: RetainedWorld;
  readonly #options: PeerOptions;
  /** Values looked at. */
  looked = 0;

  constructor(
    options: PeerOptions,
    writers: readonly RetainedWriter[],
    prefix: string,
    world: RetainedWorld,
  ) {
    this.#options = options;
    this.#topics = writers.flatMap(({ topics }) => topics);
    this.#filter = `${prefix}/#`;
    this.#world = world;
  }

  /** Only while no writer is connected. Adds nothing when the broker goes meanwhile, which `signal` says too. */
  async look(signal: AbortSignal): Promise<void> {
    const found = await this.#collect(signal);
    if (found === undefined || signal.aborted) return;
    for (const retained of this.#topics) this.#judge(retained, found.get(retained.topic));
    this.looked += this.#topics.length;
  }

  /** The numbers by topic; undefined when the connection ended before everything was there. */
  #collect(signal: AbortSignal): Promise<Map<string, number> | undefined> {
    const found = new Map<string, number>();
    const missing = new Set(this.#topics.filter(mustBeThere).map(({ topic }) => topic));
    const { promise, resolve } = Promise.withResolvers<Map<string, number> | undefined>();
    const finish = () => setTimeout(() => resolve(found), graceMilliseconds);
    const peer = new Peer({ ...this.#options, isClean: true }, this.#world.broker, {
      online: () => {
        void peer.subscribe(this.#filter, 1).then((granted) => {
          if (granted && missing.size === 0) finish();
        });
      },
      offline: () => resolve(undefined),
      message: ({ topic, payload }) => {
        found.set(topic, Number(payload.toString()));
        if (missing.delete(topic) && missing.size === 0) finish();
      },
    });
    const late = setTimeout(() => resolve(peer.isOnline ? found : undefined), lookMillisecondsMax);
    const gone = () => resolve(undefined);
    signal.addEventListener("abort", gone);
    peer.come();
    return promise.finally(() => {
      signal.removeEventListener("abort", gone);
      clearTimeout(late);
      peer.close();
    });
  }

  #judge({ topic, deletes, acknowledged }: RetainedTopic, found: number | undefined): void {
    const since = deletes.slice(Math.max(acknowledged, 0));
    const wanted =
      acknowledged < 0
        ? "nothing"
        : deletes[acknowledged]
          ? `deletion ${acknowledged}`
          : `value ${acknowledged}`;
    const last = `acknowledged last was ${wanted}`;
    const { faults } = this.#world;
    if (found === undefined) {
      if (acknowledged >= 0 && !since.includes(true))
        faults.add("retained", `${topic} is gone; ${last}`);
    } else if (!(found >= Math.max(acknowledged, 0) && found < deletes.length) || deletes[found]) {
      faults.add("retained", `${topic} holds value ${found}; ${last}`);
    }
  }
}

/** No message that was acknowledged or may have been taken deletes it. */
function mustBeThere({ deletes, acknowledged }: RetainedTopic): boolean {
  return acknowledged >= 0 && !deletes.slice(acknowledged).includes(true);
}
