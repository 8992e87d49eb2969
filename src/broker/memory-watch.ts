/**
 * Looks a few times a second, while there are connections, whether the broker's memory is within memoryBytesMax. Above it
 * `isShort` holds until it is below nine tenths: whoever could make it more is refused or slowed down, and asks here.
 */
import type { Clock, Limits, Log } from "../base/index.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";

const lookMilliseconds = 250;
/** Below this part of the limit everything is as before: the state does not flutter. */
const enoughFrom = 0.9;

/** Whoever is not read before the next look. */
export interface Waiting {
  looked(): void;
}

export interface MemoryContext {
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
  readonly deadlines: Deadlines;
  /** Open connections. */
  readonly connectionCount: number;
}

export class MemoryWatch {
  isShort = false;
  /** At the last look. */
  bytes = 0;
  /** How often it has become short. */
  shortages = 0;
  readonly #context: MemoryContext;
  /** Undefined: nobody knows, so it is never short. */
  readonly #memoryBytes: (() => number) | undefined;
  readonly #waiting = new Set<Waiting>();
  readonly #deadline: Deadline = { at: 0, due: () => this.#lookAgain(), place: -1 };
  #isWatching = false;

  constructor(context: MemoryContext, memoryBytes: (() => number) | undefined) {
    this.#context = context;
    this.#memoryBytes = memoryBytes;
  }

  get isKnown(): boolean {
    return this.#memoryBytes !== undefined;
  }

  /** A connection opens. */
  watch(): void {
    if (this.#isWatching || this.#memoryBytes === undefined) return;
    this.#isWatching = true;
    this.#lookAgain();
  }

  /** `looked` is called at the next look, unless `forget` comes before. */
  waitForLook(waiting: Waiting): void {
    this.#waiting.add(waiting);
  }

  forget(waiting: Waiting): void {
    this.#waiting.delete(waiting);
  }

  #lookAgain(): void {
    this.#isWatching = this.#context.connectionCount > 0;
    if (this.#isWatching) {
      const { clock, deadlines } = this.#context;
      deadlines.move(this.#deadline, clock.now() + lookMilliseconds);
    }
    this.#look();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const one of waiting) one.looked();
  }

  #look(): void {
    const { limits, log } = this.#context;
    this.bytes = this.#memoryBytes?.() ?? 0;
    const { bytes } = this;
    const { memoryBytesMax } = limits;
    if (!this.isShort && bytes > memoryBytesMax) {
      this.isShort = true;
      this.shortages++;
      log.warn(
        { bytes, memoryBytesMax },
        "memory is short: new clients, subscriptions and retained topics are refused, publishers slowed down",
      );
    } else if (this.isShort && bytes < memoryBytesMax * enoughFrom) {
      this.isShort = false;
      log.info({ bytes, memoryBytesMax }, "there is enough memory again");
    }
  }
}
