/**
 * A storage engine as one broker sees it, from its start to its end or to a crash: slow, full now and then, and
 * forgetful of all that is not synced when the power goes. Of a batch that is under way then, the disk has everything or
 * nothing.
 */
import { TstackError } from "../../src/base/index.ts";
import type {
  CommitOutcome,
  QueuePage,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
} from "../../src/broker/index.ts";
import type { Chance } from "../fuzz/chance.ts";
import { describeChange } from "./describe.ts";
import { type Batch, copyBatch, type Disk } from "./disk.ts";
import type { History } from "./history.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Timeline } from "./timeline.ts";

/** The broker's process, which may end at any moment. */
export interface Process {
  readonly isAlive: boolean;
  /** The world is about to be used: false when the power went just before. */
  touch(): boolean;
}

interface Surroundings {
  readonly disk: Disk;
  /** No step of the disk takes longer; with 0 everything is answered at once. */
  readonly delayMax: number;
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly history: History;
  readonly process: Process;
  readonly sabotage: Sabotage;
}

const never = new Promise<never>(() => undefined);

export class SimulatedStorage implements Storage {
  readonly durability = "fsync";
  readonly location = "simulated";
  /** No commit succeeds before. */
  fullUntil = 0;
  readonly #around: Surroundings;
  #underWay: { readonly batch: Batch; isWritten: boolean } | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  restore(): Promise<RestoredState> | RestoredState {
    return this.#answer("restore", () => this.#around.disk.restore());
  }

  commit(changes: readonly StorageChange[]): Promise<CommitOutcome> | CommitOutcome {
    const { history, process, sabotage, timeline, delayMax } = this.#around;
    if (!process.touch()) return never;
    history.record(`  commit ${changes.map(describeChange).join(", ")}`);
    history.expect(this.#underWay === undefined, () => "two batches are under way at once");
    if (sabotage.answersEarly === true) return this.#commitLate(changes);
    if (delayMax > 0 || timeline.now < this.fullUntil) return this.#commitSlowly(changes);
    return this.#write(changes);
  }

  #commitSlowly(changes: Batch): Promise<CommitOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<CommitOutcome>();
    // A caller that changes what it has handed over shows in one of the two.
    const batch = this.#around.chance.happens(0.5) ? copyBatch(changes) : changes;
    const underWay = { batch, isWritten: false };
    this.#underWay = underWay;
    const answer = (settle: () => void): void => {
      this.#underWay = undefined;
      settle();
    };
    this.#later("the disk syncs", () => {
      if (this.#around.timeline.now < this.fullUntil) {
        const error = new TstackError("STORAGE_FULL", "the simulated disk is full");
        this.#later("the storage is full", () => answer(() => reject(error)));
        return;
      }
      underWay.isWritten = true;
      const outcome = this.#write(batch);
      this.#later("the storage answers", () => answer(() => resolve(outcome)));
    });
    return promise;
  }

  /** Sabotage: answered before it is safe. */
  #commitLate(changes: Batch): CommitOutcome {
    const { disk } = this.#around;
    const outcome = disk.write(this.#altered(changes));
    this.#later("the disk syncs", () => disk.sync());
    return outcome;
  }

  #write(changes: Batch): CommitOutcome {
    const { disk, sabotage, chance } = this.#around;
    const outcome = disk.write(this.#altered(changes));
    if (!chance.happens(sabotage.skippedSyncs ?? 0)) disk.sync();
    return outcome;
  }

  #altered(changes: Batch): Batch {
    const batch = copyBatch(changes);
    return this.#around.sabotage.alter?.(batch) ?? batch;
  }

  readWaiting(page: QueuePage): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[] {
    const { sabotage, disk } = this.#around;
    return this.#answer(`queue ${page.queue} after ${page.after}`, () => {
      const waiting = disk.readWaiting(page);
      return sabotage.alterWaiting?.(waiting) ?? waiting;
    });
  }

  readUnderWay(queue: number): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[] {
    return this.#answer(`what is under way in queue ${queue}`, () =>
      this.#around.disk.readUnderWay(queue),
    );
  }

  async close(): Promise<void> {}

  /** The power goes, whatever is being done. */
  crash(): void {
    const { disk, chance, history, sabotage } = this.#around;
    const underWay = this.#underWay;
    if (underWay !== undefined && !underWay.isWritten) {
      const { batch } = underWay;
      if (sabotage.tear !== undefined) this.#write(sabotage.tear(batch));
      else if (chance.happens(0.5)) {
        history.record("the batch under way is on the disk, and nobody was told");
        this.#write(batch);
      }
    }
    disk.crash();
  }

  #answer<Value>(what: string, find: () => Value): Promise<Value> | Value {
    const { history, chance, process, delayMax } = this.#around;
    if (!process.touch()) return never;
    history.record(`  read ${what}`);
    if (delayMax === 0) return find();
    // As of any moment from the question to the answer.
    const early = chance.happens(0.5) ? find() : undefined;
    const { promise, resolve } = Promise.withResolvers<Value>();
    this.#later(`the storage answers: ${what}`, () => resolve(early ?? find()));
    return promise;
  }

  #later(title: string, run: () => void): void {
    const { timeline, chance, process, delayMax } = this.#around;
    const act = (): void => {
      if (process.isAlive) run();
    };
    timeline.after(chance.below(delayMax + 1), act, { title });
  }
}
