/**
 * A storage as the broker's tests want it: in memory, at once or only when told, full until told otherwise, and counting
 * what is written. What was not answered when the broker is gone was never written. It keeps copies: a broker that changes
 * what it has handed over, or that relies on getting its own objects back, is found out.
 */
import assert from "node:assert/strict";
import { TstackError } from "../../../src/base/index.ts";
import type {
  CommitOutcome,
  Durability,
  QueuePage,
  RestoredSession,
  RestoredShared,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredRow,
} from "../../../src/broker/index.ts";
import { MemoryStorage } from "../../../src/storage/index.ts";

/** Everything that is kept, as it would be found after a restart. */
interface Kept {
  readonly sessions: RestoredSession[];
  readonly shared: RestoredShared[];
  readonly retained: StoredMessage[];
  readonly messageLast: number;
}

export class TestStorage implements Storage {
  readonly durability: Durability;
  readonly location = "a test";
  /** What was handed over, batch by batch; a batch that is tried again is there again. */
  readonly batches: StorageChange[][] = [];
  /** While set, nothing can be written. */
  failure: TstackError | undefined;
  /** While set, nothing can be read. */
  readFailure: TstackError | undefined;
  /** While set, commits are answered by `answer` alone. */
  isHolding = false;
  /** While set, reads are answered by `answerReads` alone. */
  isHoldingReads = false;
  readonly #kept: MemoryStorage;
  #commit: { readonly settle: () => void } | undefined;
  #reads: (() => void)[] = [];
  #isDead = false;

  constructor(durability: Durability = "fsync", kept = new MemoryStorage()) {
    this.durability = durability;
    this.#kept = kept;
  }

  /** The broker is gone, its storage is taken up by another: what it has not answered it forgets. */
  takeOver(): TestStorage {
    this.#isDead = true;
    return new TestStorage(this.durability, this.#kept);
  }

  restore(): RestoredState {
    const { sessions, shared, retained, queueLast, messageLast } = this.#kept.restore();
    return {
      sessions,
      shared,
      retained: Array.from(retained, copyMessage),
      queueLast,
      messageLast,
    };
  }

  commit(changes: readonly StorageChange[]): Promise<CommitOutcome> | CommitOutcome {
    if (this.#isDead) return new Promise(() => undefined);
    assert.equal(this.#commit, undefined, "two batches are under way at once");
    assert.ok(changes.length > 0, "a batch without changes");
    this.batches.push([...changes]);
    if (!this.isHolding) return this.#write(changes);
    const { promise, resolve, reject } = Promise.withResolvers<CommitOutcome>();
    const settle = (): void => {
      this.#commit = undefined;
      try {
        resolve(this.#write(changes));
      } catch (error) {
        reject(error);
      }
    };
    this.#commit = { settle };
    return promise;
  }

  #write(changes: readonly StorageChange[]): CommitOutcome {
    if (this.failure !== undefined) throw this.failure;
    return this.#kept.commit(changes.map(copyChange));
  }

  /** Whether a batch waits to be answered. */
  get isUnderWay(): boolean {
    return this.#commit !== undefined;
  }

  /** Writes the batch that is under way, or fails it, and says so. */
  answer(): void {
    assert.ok(this.#commit !== undefined, "no batch is under way");
    this.#commit.settle();
  }

  /** From now on everything is answered at once. */
  letGo(): void {
    this.isHolding = false;
    this.isHoldingReads = false;
    this.#commit?.settle();
    this.answerReads();
  }

  readWaiting(page: QueuePage): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[] {
    return this.#read(() => this.#kept.readWaiting(page).map(copyDelivery));
  }

  readUnderWay(queue: number): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[] {
    return this.#read(() => this.#kept.readUnderWay(queue).map(copyDelivery));
  }

  #read(find: () => StoredDelivery[]): Promise<StoredDelivery[]> | StoredDelivery[] {
    if (this.#isDead) return new Promise(() => undefined);
    if (!this.isHoldingReads) {
      if (this.readFailure !== undefined) throw this.readFailure;
      return find();
    }
    const found = find(); // as of when it was asked: the longest ago that the port allows
    return new Promise((resolve, reject) => {
      this.#reads.push(() => {
        if (this.readFailure === undefined) resolve(found);
        else reject(this.readFailure);
      });
    });
  }

  get readsUnderWay(): number {
    return this.#reads.length;
  }

  answerReads(): void {
    const reads = this.#reads;
    this.#reads = [];
    for (const settle of reads) settle();
  }

  async close(): Promise<void> {}

  get kept(): Kept {
    const { sessions, shared, retained, messageLast } = this.#kept.restore();
    return {
      sessions: [...sessions],
      shared: [...shared],
      retained: [...retained],
      messageLast,
    };
  }

  /** The rows of a queue that wait. */
  waiting(queue: number): StoredRow[] {
    const page = { queue, after: -1e9, messagesMax: 1e9, bytesMax: 1e9 };
    return this.#kept.readWaiting(page).map(({ row }) => row);
  }

  underWay(queue: number): StoredRow[] {
    return this.#kept.readUnderWay(queue).map(({ row }) => row);
  }

  /** Changes that were handed over, of one kind or of all. */
  handedOver(kind?: StorageChange["kind"]): StorageChange[] {
    return this.batches.flat().filter((change) => kind === undefined || change.kind === kind);
  }

  /** Nothing is left: no session, no group, no row, no message, no retained message. */
  expectEmpty(): void {
    const { sessions, shared, retained, messageLast } = this.kept;
    assert.deepEqual({ sessions, shared, retained }, { sessions: [], shared: [], retained: [] });
    assert.equal(messageLast, 0, "messages that nobody needs");
  }
}

export function storageFull(): TstackError {
  return new TstackError("STORAGE_FULL", "the test's disk is full");
}

function copyMessage(message: StoredMessage): StoredMessage {
  const { topicEnd, propertiesEnd, expiryOffset, qos, retain, publisher, expiresAt } = message;
  const bytes = Buffer.from(message.bytes);
  return { bytes, topicEnd, propertiesEnd, expiryOffset, qos, retain, publisher, expiresAt };
}

function copyRow({ subscriptionIdentifiers, ...row }: StoredRow): StoredRow {
  const { queue, position, message, qos, retain, packetIdentifier, bytes, expiresAt } = row;
  const place = { queue, position, message, qos, retain, packetIdentifier };
  return { ...place, subscriptionIdentifiers: [...subscriptionIdentifiers], bytes, expiresAt };
}

function copyDelivery({ row, content }: StoredDelivery): StoredDelivery {
  return { row: copyRow(row), content: content && copyMessage(content) };
}

function copyChange(change: StorageChange): StorageChange {
  switch (change.kind) {
    case "message":
    case "retained":
      return { ...change, content: copyMessage(change.content) };
    case "row":
    case "moved":
      return { ...change, row: copyRow(change.row) };
    case "session": {
      const { will } = change.session;
      const copy = will && { ...will, message: copyMessage(will.message) };
      return { ...change, session: { ...change.session, will: copy } };
    }
    default:
      return { ...change };
  }
}
