/**
 * A disk: what was written to it can be read, what was synced outlives a crash. It is the list of all batches that were
 * synced, applied again to an empty storage after each crash: nothing else could have survived.
 */

import type {
  CommitOutcome,
  QueuePage,
  RestoredState,
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredWill,
} from "../../src/broker/index.ts";
import { MemoryStorage } from "../../src/storage/index.ts";
import { StorageLedger } from "./storage-ledger.ts";

export type Batch = readonly StorageChange[];

export class Disk {
  /** What is synced. */
  readonly ledger = new StorageLedger();
  #written = new MemoryStorage();
  readonly #synced: Batch[] = [];
  #unsynced: Batch[] = [];

  /** `batch` is the disk's from now on: see `copyBatch`. */
  write(batch: Batch): CommitOutcome {
    const outcome = this.#written.commit(batch);
    this.#unsynced.push(batch);
    return outcome;
  }

  sync(): void {
    for (const batch of this.#unsynced) {
      this.#synced.push(batch);
      this.ledger.apply(batch);
    }
    this.#unsynced = [];
  }

  /** The power goes. */
  crash(): void {
    this.#unsynced = [];
    this.#written = new MemoryStorage();
    for (const batch of this.#synced) this.#written.commit(batch);
  }

  restore(): RestoredState {
    const { sessions, shared, retained, queueLast, messageLast } = this.#written.restore();
    return {
      sessions: Array.from(sessions, (restored) => ({
        ...restored,
        session: { ...restored.session, will: copyWill(restored.session.will) },
      })),
      shared: [...shared],
      retained: Array.from(retained, copyMessage),
      queueLast,
      messageLast,
    };
  }

  readWaiting(page: QueuePage): StoredDelivery[] {
    return this.#written.readWaiting(page).map(copyDelivery);
  }

  readUnderWay(queue: number): StoredDelivery[] {
    return this.#written.readUnderWay(queue).map(copyDelivery);
  }
}

/** As an engine that turns everything into bytes would have it: nothing of the broker's own objects. */
export function copyBatch(changes: Batch): Batch {
  return changes.map(copyChange);
}

function copyChange(change: StorageChange): StorageChange {
  switch (change.kind) {
    case "message":
    case "retained":
      return { ...change, content: copyMessage(change.content) };
    case "row":
    case "moved":
      return { ...change, row: { ...change.row } };
    case "session": {
      const { session } = change;
      return { ...change, session: { ...session, will: copyWill(session.will) } };
    }
    case "subscribed":
      return { ...change, subscription: { ...change.subscription } };
    default:
      return { ...change };
  }
}

function copyDelivery({ row, content }: StoredDelivery): StoredDelivery {
  return { row: { ...row }, content: content && copyMessage(content) };
}

function copyWill(will: StoredWill | undefined): StoredWill | undefined {
  return will && { ...will, message: copyMessage(will.message) };
}

function copyMessage(message: StoredMessage): StoredMessage {
  const { topicEnd, propertiesEnd, expiryOffset, qos, retain, publisher, expiresAt } = message;
  const bytes = Buffer.from(message.bytes);
  return { bytes, topicEnd, propertiesEnd, expiryOffset, qos, retain, publisher, expiresAt };
}
