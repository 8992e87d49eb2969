/**
 * Lets publishers take turns at a fixed rate: message k of all is due at the beginning plus k intervals,
 * and belongs to publisher k modulo their number, whether earlier ones were late or not. What counts as
 * latency begins when a message is due, so that a broker that stops everything for a second is seen to do so.
 */
import type { Publisher, Schedule } from "./publisher.ts";
import type { Wire } from "./wire.ts";

/** Timers are late by up to a millisecond: nearer than this the pacer asks again and again. */
const timerMicroseconds = 2000;

export class Pacer implements Schedule {
  readonly #wire: Wire;
  readonly #publishers: readonly Publisher[];
  readonly #intervalMicroseconds: number;
  readonly #isPrecise: boolean;
  readonly #run = (): void => this.#tick();
  #startedAt = 0;
  #issued = 0;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param options.isPrecise keeps a core busy, for schedules finer than a timer. */
  constructor(
    wire: Wire,
    publishers: readonly Publisher[],
    options: { readonly ratePerSecond: number; readonly isPrecise: boolean },
  ) {
    this.#wire = wire;
    this.#publishers = publishers;
    this.#intervalMicroseconds = 1_000_000 / (options.ratePerSecond * publishers.length);
    this.#isPrecise = options.isPrecise;
  }

  start(): void {
    this.#startedAt = this.#wire.clock();
    this.#tick();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
  }

  dueAt(publisher: number, number: number): number {
    const turn = number * this.#publishers.length + publisher;
    return this.#startedAt + turn * this.#intervalMicroseconds;
  }

  #tick(): void {
    if (this.#isStopped) return;
    const passed = this.#wire.clock() - this.#startedAt;
    const due = Math.floor(passed / this.#intervalMicroseconds) + 1;
    const publishers = this.#publishers;
    if (this.#issued < due) {
      for (; this.#issued < due; this.#issued += 1) {
        const publisher = publishers[this.#issued % publishers.length];
        publisher.owed += 1;
        publisher.touch();
      }
      this.#wire.endTick();
    }
    const wait = due * this.#intervalMicroseconds - passed;
    if (wait > timerMicroseconds) {
      const milliseconds = (wait - (this.#isPrecise ? timerMicroseconds : 0)) / 1000;
      this.#timer = setTimeout(this.#run, milliseconds);
    } else if (this.#isPrecise) setImmediate(this.#run);
    else this.#timer = setTimeout(this.#run, 1);
  }
}
