/**
 * The end of a tick: every outbox that gathered bytes is written once. Many packets that arrive together leave
 * together; nothing waits for a timer. One that fails ends its own connection and no other.
 */
import type { Clock } from "../base/index.ts";
import type { Counters } from "./counters.ts";
import type { Outbox } from "./outbox.ts";
import { SlabPool } from "./slab-pool.ts";

export class TickEnd {
  readonly slabs = new SlabPool();
  readonly counters: Counters;
  readonly #clock: Clock;
  readonly #run = (): void => this.run();
  #dirty: Outbox[] = [];
  #spare: Outbox[] = [];

  constructor(clock: Clock, counters: Counters) {
    this.#clock = clock;
    this.counters = counters;
  }

  add(outbox: Outbox): void {
    if (this.#dirty.length === 0) this.#clock.atEndOfTick(this.#run);
    this.#dirty.push(outbox);
  }

  /** Outboxes that become dirty meanwhile belong to the next tick. */
  run(): void {
    const dirty = this.#dirty;
    this.#dirty = this.#spare;
    for (const outbox of dirty) {
      try {
        outbox.endTick();
      } catch (error) {
        outbox.owner.fail(error);
      }
    }
    dirty.length = 0;
    this.#spare = dirty;
  }
}
