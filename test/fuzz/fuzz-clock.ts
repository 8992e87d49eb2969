/**
 * The clock of the other tests, but its ticks end when the fuzzer says so: it waits for nothing, so that a round is the
 * same each time.
 */
import { VirtualClock } from "../conformance/harness/index.ts";

export class FuzzClock extends VirtualClock {
  #ticks: (() => void)[] = [];

  override atEndOfTick(callback: () => void): void {
    this.#ticks.push(callback);
  }

  get hasTicks(): boolean {
    return this.#ticks.length > 0;
  }

  /** Ends the tick: what asks for the next one meanwhile waits for that. */
  endTick(): void {
    const ticks = this.#ticks;
    this.#ticks = [];
    for (const callback of ticks) callback();
  }
}
