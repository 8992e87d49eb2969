/** Time that stands still until a test moves it. Timers come due in order, each at its own moment. */
import type { Clock } from "../../../src/index.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class VirtualClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + Math.max(0, milliseconds), callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  atEndOfTick(callback: () => void): void {
    setImmediate(callback);
  }

  /** Moves on and calls back everything that comes due until then, what is newly set among it. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let timer = this.#next(until); timer !== undefined; timer = this.#next(until)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.callback();
    }
    this.#now = until;
  }

  advanceSeconds(seconds: number): void {
    this.advance(seconds * 1000);
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}
