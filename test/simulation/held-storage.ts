/** A storage that answers when the test says so: what is committed meanwhile is held back, and not written. */
import type {
  CommitOutcome,
  QueuePage,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
} from "../../src/broker/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";

export class HeldStorage implements Storage {
  readonly durability = "fsync";
  readonly location = "held";
  readonly commits: (readonly StorageChange[])[] = [];
  readonly #inner = new MemoryStorage();
  #isHeld = false;
  #held: (() => void) | undefined;

  restore(): RestoredState {
    return this.#inner.restore();
  }

  commit(changes: readonly StorageChange[]): Promise<CommitOutcome> | CommitOutcome {
    this.commits.push(changes);
    if (!this.#isHeld) return this.#inner.commit(changes);
    const { promise, resolve } = Promise.withResolvers<CommitOutcome>();
    this.#held = () => resolve(this.#inner.commit(changes));
    return promise;
  }

  hold(): void {
    this.#isHeld = true;
  }

  /** Writes and answers what is held back, and holds back nothing more. */
  letGo(): void {
    this.#isHeld = false;
    this.#held?.();
    this.#held = undefined;
  }

  readWaiting(page: QueuePage): readonly StoredDelivery[] {
    return this.#inner.readWaiting(page);
  }

  readUnderWay(queue: number): readonly StoredDelivery[] {
    return this.#inner.readUnderWay(queue);
  }

  async close(): Promise<void> {}
}
