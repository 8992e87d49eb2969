/**
 * Writes to carbon, and knows that carbon forgets: it keeps points in memory until its writer comes to them, so one
 * that is killed, or just restarted, loses what it had read. What was delivered within the last `resendSeconds` is
 * therefore kept here, and is sent again, before anything new and by itself, as soon as carbon is back: the same path
 * and second is the same point to it. Always holds: one delivery is under way at a time, in the order of `write`.
 */
import { KeptDeliveries } from "../kept-deliveries.ts";
import { type MappedMessage, type Sink, SinkRefusal, type SinkWorld } from "../sink.ts";
import { Carbon } from "./carbon.ts";
import { createPointMaker, encodePlaintext, type GraphitePoint } from "./format.ts";
import { encodePickle } from "./pickle.ts";
import type { GraphiteSettings } from "./settings.ts";

const returnMilliseconds = 1000;

export function describeGraphite({ host, port }: GraphiteSettings): string {
  return `Graphite at ${host.includes(":") ? `[${host}]` : host}:${port}`;
}

export class GraphiteSink implements Sink {
  readonly #destination: string;
  readonly #resendSeconds: number;
  readonly #say: (line: string) => void;
  readonly #carbon: Carbon;
  readonly #kept: KeptDeliveries;
  readonly #encode: (points: readonly GraphitePoint[]) => Buffer;
  readonly #makePoints: ReturnType<typeof createPointMaker>;
  /** The end of what was begun last. */
  #turn: Promise<unknown> = Promise.resolve();
  #return: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(settings: GraphiteSettings, { say }: SinkWorld) {
    this.#destination = describeGraphite(settings);
    this.#resendSeconds = settings.resendSeconds;
    this.#say = say;
    this.#carbon = new Carbon({ ...settings, destination: this.#destination });
    this.#kept = new KeptDeliveries(settings.resendSeconds);
    this.#encode = settings.protocol === "pickle" ? encodePickle : encodePlaintext;
    this.#makePoints = createPointMaker(settings);
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    const refused = new Map<number, string>();
    const points = batch.flatMap((message, index) => {
      const made = this.#makePoints(message);
      if (made.refusal !== undefined) refused.set(index, made.refusal);
      return made.points;
    });
    if (points.length > 0) await this.#inTurn(() => this.#deliver(points));
    if (refused.size === 0) return points.length;
    const [first] = refused.values();
    throw new SinkRefusal(`${this.#destination} cannot have some of it: ${first}`, { refused });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#return);
    await this.#inTurn(() => this.#takeLeave());
    this.#carbon.close();
  }

  async #deliver(points: readonly GraphitePoint[]): Promise<void> {
    await this.#findCarbon();
    const bytes = this.#encode(points);
    await this.#carbon.deliver(bytes);
    this.#kept.add({ bytes, points: points.length, deliveredAt: now() });
    // It has read this and is gone already.
    if (!this.#carbon.isWatched) this.#returnLater();
  }

  /** A carbon that is known to have, or to be sent, everything that is kept. */
  async #findCarbon(): Promise<void> {
    if (this.#carbon.isWatched) return;
    await this.#carbon.watch(() => this.#carbonGone());
    if (this.#kept.deliveries.length === 0) return;
    try {
      for (const { bytes } of this.#kept.deliveries) await this.#carbon.deliver(bytes);
    } catch (error) {
      // All of it has to come again, so this carbon does not count.
      this.#carbon.close();
      this.#returnLater();
      throw error;
    }
    this.#kept.renew(now());
    const { points } = this.#kept;
    this.#say(`${this.#destination} is back: ${points} values of before were sent again`);
  }

  #carbonGone(): void {
    this.#kept.removeOld(now());
    this.#returnLater();
  }

  /** Nothing new may come for long, and what is kept must not wait for it. */
  #returnLater(): void {
    if (this.#isClosed || this.#kept.deliveries.length === 0) return;
    clearTimeout(this.#return);
    this.#return = setTimeout(() => {
      this.#inTurn(() => this.#findCarbon()).catch(() => this.#returnLater());
    }, returnMilliseconds);
  }

  /** The last chance of what is kept, where carbon is known to have gone. */
  async #takeLeave(): Promise<void> {
    if (this.#carbon.isWatched || this.#kept.deliveries.length === 0) return;
    try {
      await this.#findCarbon();
    } catch (error) {
      const { points } = this.#kept;
      const since = `of its last ${this.#resendSeconds} s`;
      const reason = error instanceof Error ? error.message : String(error);
      this.#say(`${this.#destination} may have lost up to ${points} values ${since}: ${reason}`);
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Seconds of a clock that nobody sets. */
function now(): number {
  return performance.now() / 1000;
}
