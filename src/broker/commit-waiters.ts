/** Who waits for an epoch to be safe: each is told once, in the order of epochs, and none keeps another from being told. */
import type { Log } from "../base/index.ts";

/** Something that waits until what was recorded before is safe. */
export interface CommitWaiter {
  /** All epochs up to this one are safe. Called once for each `wait`. */
  committed(epoch: number): void;
}

export class CommitWaiters {
  readonly #log: Log;
  #waiting: { readonly epoch: number; readonly waiter: CommitWaiter }[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** The last epoch that somebody waits for; undefined where nobody does. */
  get lastEpoch(): number | undefined {
    return this.#waiting.at(-1)?.epoch;
  }

  /** `epoch` is never before that of who came last. */
  add(epoch: number, waiter: CommitWaiter): void {
    this.#waiting.push({ epoch, waiter });
  }

  /** Who is told may wait again: for a later epoch. */
  tell(safeEpoch: number): void {
    const waiting = this.#waiting;
    let told = 0;
    while (told < waiting.length && waiting[told].epoch <= safeEpoch) told++;
    if (told === 0) return;
    this.#waiting = waiting.slice(told);
    for (let index = 0; index < told; index++) {
      try {
        waiting[index].waiter.committed(safeEpoch);
      } catch (error) {
        this.#log.error({ error }, "a bug in tStack; please report it"); // and the others are told all the same
      }
    }
  }
}
