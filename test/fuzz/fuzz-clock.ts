/**
 * Time that the fuzzer moves, timer by timer, and ticks that end when it says so. Unlike the clock of the other tests it
 * waits for nothing, so that a round is the same each time.
 */
import type { Clock } from "../../src/base/index.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class FuzzClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<Timer>();
  #ticks: (() => void)[] = [];

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
    this.#ticks.push(callback);
  }

  get hasTicks(): boolean {
    return this.#ticks.length > 0;
  }

  get timerCount(): number {
    return this.#timers.size;
  }

  /** Ends the tick: what asks for the next one meanwhile waits for that. */
  endTick(): void {
    const ticks = this.#ticks;
    this.#ticks = [];
    for (const callback of ticks) callback();
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
