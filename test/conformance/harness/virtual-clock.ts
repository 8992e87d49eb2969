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

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Moves on and calls back everything that comes due until then, what is newly set among it. */
  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    while (this.step(until)) {
      // one timer each time round
    }
  }

  advanceSeconds(seconds: number): void {
    this.advance(seconds * 1000);
  }

  /** Goes to the next timer that is due until then and calls it back; false, and all the way, when there is none. */
  step(until: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (next === undefined || timer.at < next.at)) next = timer;
    }
    this.#now = Math.max(this.#now, next?.at ?? until);
    if (next === undefined) return false;
    this.#timers.delete(next);
    next.callback();
    return true;
  }
}
