/** A storage in memory that answers a commit when the test lets it, or fails it: a disk that is slow, full or gone. */
import { TstackError } from "../../src/base/index.ts";
import type {
  CommitOutcome,
  QueuePage,
  Storage,
  StorageChange,
  StoredDelivery,
} from "../../src/broker/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";

export class SlowStorage implements Storage {
  readonly durability = "fsync";
  readonly location = "a slow disk";
  readonly #kept = new MemoryStorage();
  #release: (() => void) | undefined;
  isSlow = false;
  isBroken = false;

  restore() {
    return this.#kept.restore();
  }

  async commit(changes: readonly StorageChange[]): Promise<CommitOutcome> {
    if (this.isBroken) throw new TstackError("STORAGE_FULL", "the disk is full");
    if (this.isSlow) await new Promise<void>((resolve) => (this.#release = resolve));
    return this.#kept.commit(changes);
  }

  /** The commit that is under way is done. */
  release(): void {
    this.#release?.();
  }

  readWaiting(page: QueuePage): readonly StoredDelivery[] {
    return this.#kept.readWaiting(page);
  }

  readUnderWay(queue: number): readonly StoredDelivery[] {
    return this.#kept.readUnderWay(queue);
  }

  close(): Promise<void> {
    return this.#kept.close();
  }
}
