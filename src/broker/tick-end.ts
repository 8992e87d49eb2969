/**
 * The end of a tick: the journal is asked first, what it has made safe goes out at once; then every outbox that gathered
 * bytes is written, once. Many packets that arrive together leave together. One that fails ends its own connection
 * and no other.
 */
import type { Clock } from "../base/index.ts";
import type { Counters } from "./counters.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";
import { SlabPool } from "./slab-pool.ts";

export class TickEnd {
  readonly slabs = new SlabPool();
  readonly counters: Counters;
  readonly #clock: Clock;
  readonly #run = (): void => this.run();
  /** Set by the journal, which needs this first. */
  journal: Pick<Journal, "endTick"> | undefined;
  #isArmed = false;
  #dirty: Outbox[] = [];
  #spare: Outbox[] = [];

  constructor(clock: Clock, counters: Counters) {
    this.#clock = clock;
    this.counters = counters;
  }

  add(outbox: Outbox): void {
    this.#dirty.push(outbox);
    this.arm();
  }

  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    this.#clock.atEndOfTick(this.#run);
  }

  /** Outboxes that become dirty meanwhile belong to the next tick. */
  run(): void {
    const needsMore = this.journal?.endTick() === true; // may make more outboxes dirty
    this.#isArmed = false;
    if (needsMore) this.arm();
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
