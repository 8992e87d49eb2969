/**
 * An engine on trial: the port's questions with their answers as plain values that can be compared, sorted where the
 * port promises no order.
 */
import assert from "node:assert/strict";
import type {
  CommitOutcome,
  QueuePage,
  RestoredSession,
  RestoredShared,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredSession,
} from "../../broker/ports.ts";

/** What somebody brings who tests an engine. */
export interface StorageUnderTest {
  /** Opened, and empty; nothing was asked of it yet. */
  readonly storage: Storage;
  /** Closes the engine and opens it again on the same data. One that outlives nothing answers itself. */
  reopen(): Promise<Storage>;
  /** Closes the engine and takes away what it has written. */
  end(): Promise<void>;
}

export type StorageCheck = (trial: StorageTrial) => Promise<void>;

export interface PlainState {
  /** By queue. */
  readonly sessions: readonly RestoredSession[];
  /** By queue. */
  readonly shared: readonly RestoredShared[];
  /** By topic. */
  readonly retained: readonly StoredMessage[];
  readonly queueLast: number;
  readonly messageLast: number;
}

const emptyState: PlainState = {
  sessions: [],
  shared: [],
  retained: [],
  queueLast: 0,
  messageLast: 0,
};

export class StorageTrial {
  readonly #underTest: StorageUnderTest;
  #storage: Storage;

  private constructor(underTest: StorageUnderTest) {
    this.#underTest = underTest;
    this.#storage = underTest.storage;
  }

  static async open(open: () => Promise<StorageUnderTest>): Promise<StorageTrial> {
    const trial = new StorageTrial(await open());
    assert.deepEqual(toPlainState(await trial.#storage.restore()), emptyState, "it begins empty");
    return trial;
  }

  get storage(): Storage {
    return this.#storage;
  }

  async commit(...changes: readonly StorageChange[]): Promise<CommitOutcome> {
    const { trimmed } = await this.#storage.commit(changes);
    return { trimmed: trimmed.map((outcome) => ({ ...outcome })) };
  }

  /** All that waits, or the page that is described. */
  async readWaiting(
    queue: number,
    page: Partial<Omit<QueuePage, "queue">> = {},
  ): Promise<readonly StoredDelivery[]> {
    const everything = {
      after: Number.MIN_SAFE_INTEGER,
      messagesMax: Number.MAX_SAFE_INTEGER,
      bytesMax: Number.MAX_SAFE_INTEGER,
    };
    return (await this.#storage.readWaiting({ ...everything, ...page, queue })).map(
      toPlainDelivery,
    );
  }

  async readUnderWay(queue: number): Promise<readonly StoredDelivery[]> {
    return (await this.#storage.readUnderWay(queue)).map(toPlainDelivery);
  }

  async reopen(): Promise<PlainState> {
    this.#storage = await this.#underTest.reopen();
    return toPlainState(await this.#storage.restore());
  }

  /** Looks at the engine as it runs, and again after it was opened anew. */
  async lookTwice(look: () => Promise<void>): Promise<PlainState> {
    await look();
    const state = await this.reopen();
    await look();
    return state;
  }

  end(): Promise<void> {
    return this.#underTest.end();
  }
}

/** A Buffer and a Uint8Array with the same bytes are the same. */
function toPlainMessage(message: StoredMessage): StoredMessage {
  return { ...message, bytes: Buffer.from(message.bytes) };
}

function toPlainDelivery({ row, content }: StoredDelivery): StoredDelivery {
  return {
    row: { ...row, subscriptionIdentifiers: [...row.subscriptionIdentifiers] },
    content: content === undefined ? undefined : toPlainMessage(content),
  };
}

function toPlainSession(session: StoredSession): StoredSession {
  const { will } = session;
  if (will === undefined) return { ...session };
  return { ...session, will: { ...will, message: toPlainMessage(will.message) } };
}

/** In the order of the fields: an engine may read while it is walked. */
function toPlainState(state: RestoredState): PlainState {
  const sessions = Array.from(state.sessions, (restored) => ({
    session: toPlainSession(restored.session),
    subscriptions: restored.subscriptions.map((subscription) => ({ ...subscription })),
    receivedIdentifiers: [...restored.receivedIdentifiers].sort((one, other) => one - other),
    figures: { ...restored.figures },
  }));
  const shared = Array.from(state.shared, (restored) => ({
    ...restored,
    figures: { ...restored.figures },
  }));
  const retained = Array.from(state.retained, toPlainMessage);
  return {
    sessions: sessions.sort((one, other) => one.session.queue - other.session.queue),
    shared: shared.sort((one, other) => one.queue - other.queue),
    retained: retained.sort((one, other) => Buffer.compare(topicBytes(one), topicBytes(other))),
    queueLast: state.queueLast,
    messageLast: state.messageLast,
  };
}

function topicBytes({ bytes, topicEnd }: StoredMessage): Uint8Array {
  return bytes.subarray(0, topicEnd);
}
