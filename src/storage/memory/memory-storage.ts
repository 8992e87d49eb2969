/**
 * Keeps everything in the memory of this process, and answers at once. What is in a change is not copied: it belongs to
 * the storage from then on. A batch that does not follow the port's rules is a bug of the broker and fails an assertion.
 */
import { assert, unreachable } from "../../base/index.ts";
import type {
  CommitOutcome,
  QueuePage,
  RecordChange,
  RecordStore,
  RestoredSession,
  RestoredShared,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredRecord,
  StoredRow,
  StoredSession,
  StoredSubscription,
  TrimOutcome,
} from "../../broker/ports.ts";
import { StoredQueue } from "./stored-queue.ts";

type ChangeOf<Kind extends StorageChange["kind"]> = Extract<StorageChange, { kind: Kind }>;

interface SessionEntry {
  session: StoredSession;
  readonly subscriptions: Map<string, StoredSubscription>;
  readonly received: Set<number>;
}

interface MessageEntry {
  readonly content: StoredMessage;
  /** Rows that name it. */
  references: number;
}

const nothingTrimmed: CommitOutcome = { trimmed: [] };

export class MemoryStorage implements Storage, RecordStore {
  readonly durability = "memory";
  readonly location = "memory";
  readonly #sessions = new Map<number, SessionEntry>();
  readonly #shared = new Map<number, Omit<RestoredShared, "figures">>();
  readonly #queues = new Map<number, StoredQueue>();
  readonly #messages = new Map<number, MessageEntry>();
  readonly #retained = new Map<string, StoredMessage>();
  /** By kind and name. */
  readonly #records = new Map<string, Map<string, string>>();
  /** References that the batch has announced and not yet made. */
  #missingReferences = 0;

  /** Gives back what is there: a broker that is started again on the same storage finds everything. */
  restore(): RestoredState {
    return {
      sessions: this.#restoreSessions(),
      shared: this.#restoreShared(),
      retained: [...this.#retained.values()],
      queueLast: highest(this.#queues.keys()),
      messageLast: highest(this.#messages.keys()),
    };
  }

  *#restoreSessions(): Iterable<RestoredSession> {
    for (const [queue, { session, subscriptions, received }] of [...this.#sessions]) {
      yield {
        session,
        subscriptions: [...subscriptions.values()],
        receivedIdentifiers: [...received],
        figures: this.#queueOf(queue).figures,
      };
    }
  }

  *#restoreShared(): Iterable<RestoredShared> {
    for (const shared of [...this.#shared.values()]) {
      yield { ...shared, figures: this.#queueOf(shared.queue).figures };
    }
  }

  commit(changes: readonly StorageChange[]): CommitOutcome {
    const trimmed: TrimOutcome[] = [];
    for (const change of changes) this.#apply(change, trimmed);
    assert(this.#missingReferences === 0, "a message has as many rows as it says");
    return trimmed.length === 0 ? nothingTrimmed : { trimmed };
  }

  #apply(change: StorageChange, trimmed: TrimOutcome[]): void {
    switch (change.kind) {
      case "message":
        this.#addMessage(change);
        break;
      case "row":
        this.#addRow(change.row);
        break;
      case "sent":
        this.#queueOf(change.queue).markSent(change.position, change.packetIdentifier);
        break;
      case "moved":
        this.#move(change);
        break;
      case "removed":
        this.#remove(change);
        break;
      case "trimmed":
        this.#trim(change, trimmed);
        break;
      case "session":
        this.#keepSession(change.session);
        break;
      case "sessionEnded":
        this.#endQueue(change.queue, this.#sessions);
        break;
      case "subscribed":
        this.#subscribe(change);
        break;
      case "unsubscribed":
        this.#sessionOf(change.queue).subscriptions.delete(change.filter);
        break;
      case "shared":
        this.#keepShared(change);
        break;
      case "sharedEnded":
        this.#endQueue(change.queue, this.#shared);
        break;
      case "received":
        this.#sessionOf(change.queue).received.add(change.packetIdentifier);
        break;
      case "released":
        this.#sessionOf(change.queue).received.delete(change.packetIdentifier);
        break;
      case "retained":
        this.#retained.set(change.topic, change.content);
        break;
      case "retainedDeleted":
        this.#retained.delete(change.topic);
        break;
      default:
        unreachable(change);
    }
  }

  readWaiting(page: QueuePage): readonly StoredDelivery[] {
    return this.#deliver(this.#queues.get(page.queue)?.readWaiting(page) ?? []);
  }

  readUnderWay(queue: number): readonly StoredDelivery[] {
    return this.#deliver(this.#queues.get(queue)?.readUnderWay() ?? []);
  }

  async readRecords(): Promise<readonly StoredRecord[]> {
    return [...this.#records].flatMap(([kind, values]) =>
      Array.from(values, ([name, value]) => ({ kind, name, value })),
    );
  }

  async writeRecords(changes: readonly RecordChange[]): Promise<void> {
    for (const { kind, name, value } of changes) {
      const values = this.#records.get(kind) ?? new Map<string, string>();
      this.#records.set(kind, values);
      if (value === undefined) values.delete(name);
      else values.set(name, value);
    }
  }

  /** Forgets nothing: see `restore`. */
  async close(): Promise<void> {}

  #deliver(rows: readonly StoredRow[]): readonly StoredDelivery[] {
    return rows.map((row) => ({ row, content: this.#messages.get(row.message)?.content }));
  }

  #addMessage({ message, references, content }: ChangeOf<"message">): void {
    assert(message > 0 && references > 0, "a message has a number and is named by a row");
    assert(!this.#messages.has(message), "a message is stored once");
    this.#messages.set(message, { content, references });
    this.#missingReferences += references;
  }

  #addRow(row: StoredRow): void {
    if (row.message !== 0) {
      assert(this.#messages.has(row.message), "a message comes before its rows");
      this.#missingReferences--;
    }
    this.#queueOf(row.queue).add(row);
  }

  #move({ queue, position, row }: ChangeOf<"moved">): void {
    const { message } = this.#queueOf(queue).remove(position);
    assert(message === row.message, "a row is moved with its message");
    this.#queueOf(row.queue).add(row);
  }

  #remove({ queue, position, message }: ChangeOf<"removed">): void {
    const row = this.#queueOf(queue).remove(position);
    assert(row.message === message, "a row is removed with its message");
    this.#letGo(row);
  }

  #trim(change: ChangeOf<"trimmed">, trimmed: TrimOutcome[]): void {
    const { expired, dropped } = this.#queueOf(change.queue).trim(change);
    if (expired.length === 0 && dropped.length === 0) return;
    for (const row of expired) this.#letGo(row);
    for (const row of dropped) this.#letGo(row);
    trimmed.push({
      queue: change.queue,
      expiredMessages: expired.length,
      expiredBytes: bytesOf(expired),
      droppedMessages: dropped.length,
      droppedBytes: bytesOf(dropped),
    });
  }

  #keepSession(session: StoredSession): void {
    const entry = this.#sessions.get(session.queue);
    if (entry !== undefined) {
      entry.session = session;
      return;
    }
    this.#beginQueue(session.queue);
    const empty = { subscriptions: new Map(), received: new Set<number>() };
    this.#sessions.set(session.queue, { session, ...empty });
  }

  #subscribe({ queue, subscription }: ChangeOf<"subscribed">): void {
    this.#sessionOf(queue).subscriptions.set(subscription.filter, subscription);
  }

  #keepShared({ queue, group, filter }: ChangeOf<"shared">): void {
    if (!this.#shared.has(queue)) this.#beginQueue(queue);
    this.#shared.set(queue, { queue, group, filter });
  }

  #beginQueue(queue: number): void {
    assert(queue > 0 && !this.#queues.has(queue), "a queue belongs to one owner");
    this.#queues.set(queue, new StoredQueue());
  }

  #endQueue(queue: number, owners: Map<number, unknown>): void {
    assert(owners.delete(queue), "what ends is there");
    for (const row of this.#queueOf(queue).rows()) this.#letGo(row);
    this.#queues.delete(queue);
  }

  /** A row is gone; with the last one its message. */
  #letGo({ message }: StoredRow): void {
    if (message === 0) return;
    const entry = this.#messages.get(message);
    assert(entry !== undefined, "a row's message is there");
    if (--entry.references === 0) this.#messages.delete(message);
  }

  #queueOf(queue: number): StoredQueue {
    const found = this.#queues.get(queue);
    assert(found !== undefined, "a queue has an owner");
    return found;
  }

  #sessionOf(queue: number): SessionEntry {
    const found = this.#sessions.get(queue);
    assert(found !== undefined, "a session is there before what belongs to it");
    return found;
  }
}

function bytesOf(rows: readonly StoredRow[]): number {
  return rows.reduce((bytes, row) => bytes + row.bytes, 0);
}

/** 0 when there is none. */
function highest(numbers: Iterable<number>): number {
  let last = 0;
  for (const number of numbers) last = Math.max(last, number);
  return last;
}
