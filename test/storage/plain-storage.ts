/**
 * A storage engine as one would write it who has all the time in the world: one list of rows, searched and sorted for
 * every question. A message is there when a row names it. The port's words, nothing else.
 */
import type {
  RestoredSession,
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredQueueFigures,
  StoredRow,
  StoredSession,
  StoredSubscription,
  TrimOutcome,
} from "../../src/broker/ports.ts";
import type { PlainState } from "../../src/storage/conformance/storage-trial.ts";

interface PlainSession {
  session: StoredSession;
  subscriptions: StoredSubscription[];
  received: Set<number>;
}

type Trimmed = Extract<StorageChange, { kind: "trimmed" }>;

export class PlainStorage {
  readonly sessions = new Map<number, PlainSession>();
  readonly shared = new Map<number, { queue: number; group: string; filter: string }>();
  readonly retained = new Map<string, StoredMessage>();
  readonly #contents = new Map<number, StoredMessage>();
  #rows: StoredRow[] = [];

  get queues(): readonly number[] {
    return [...this.sessions.keys(), ...this.shared.keys()];
  }

  get rows(): readonly StoredRow[] {
    return this.#rows;
  }

  waiting(queue: number): StoredRow[] {
    return this.#inOrder(queue).filter(({ packetIdentifier }) => packetIdentifier === 0);
  }

  underWay(queue: number): StoredRow[] {
    return this.#inOrder(queue).filter(({ packetIdentifier }) => packetIdentifier !== 0);
  }

  deliver(row: StoredRow): StoredDelivery {
    return { row, content: row.message === 0 ? undefined : this.#contents.get(row.message) };
  }

  /** Answers what a trim took away. */
  apply(change: StorageChange): TrimOutcome | undefined {
    switch (change.kind) {
      case "message":
        this.#contents.set(change.message, change.content);
        break;
      case "row":
        this.#rows.push(change.row);
        break;
      case "sent":
        this.#replace(change, { packetIdentifier: change.packetIdentifier });
        break;
      case "moved":
        this.#replace(change, change.row);
        break;
      case "removed":
        this.#rows = this.#rows.filter((row) => !standsAt(row, change));
        break;
      case "trimmed":
        return this.#trim(change);
      default:
        this.#applyToSession(change);
    }
    return undefined;
  }

  #applyToSession(change: StorageChange): void {
    switch (change.kind) {
      case "session": {
        const { session } = change;
        const before = this.sessions.get(session.queue);
        const empty = { subscriptions: [], received: new Set<number>() };
        this.sessions.set(session.queue, { ...empty, ...before, session });
        break;
      }
      case "sessionEnded":
      case "sharedEnded":
        this.sessions.delete(change.queue);
        this.shared.delete(change.queue);
        this.#rows = this.#rows.filter(({ queue }) => queue !== change.queue);
        break;
      case "shared":
        this.shared.set(change.queue, {
          queue: change.queue,
          group: change.group,
          filter: change.filter,
        });
        break;
      case "received":
        this.sessions.get(change.queue)?.received.add(change.packetIdentifier);
        break;
      case "released":
        this.sessions.get(change.queue)?.received.delete(change.packetIdentifier);
        break;
      case "retained":
        this.retained.set(change.topic, change.content);
        break;
      case "retainedDeleted":
        this.retained.delete(change.topic);
        break;
      default:
        this.#applyToSubscriptions(change);
    }
  }

  #applyToSubscriptions(change: StorageChange): void {
    if (change.kind === "subscribed") {
      const { subscriptions = [] } = this.sessions.get(change.queue) ?? {};
      const { filter } = change.subscription;
      const index = subscriptions.findIndex((subscription) => subscription.filter === filter);
      if (index === -1) subscriptions.push(change.subscription);
      else subscriptions[index] = change.subscription;
    } else if (change.kind === "unsubscribed") {
      const entry = this.sessions.get(change.queue);
      if (entry === undefined) return;
      entry.subscriptions = entry.subscriptions.filter(({ filter }) => filter !== change.filter);
    }
  }

  #replace(place: { queue: number; position: number }, fields: Partial<StoredRow>): void {
    this.#rows = this.#rows.map((row) => (standsAt(row, place) ? { ...row, ...fields } : row));
  }

  #trim({ queue, now, messagesMax, bytesMax, drop }: Trimmed): TrimOutcome | undefined {
    const waiting = this.waiting(queue);
    const expired = waiting.filter(({ expiresAt }) => expiresAt <= now);
    const left = waiting.filter(({ expiresAt }) => expiresAt > now);
    const dropped: StoredRow[] = [];
    while (left.length > messagesMax || (left.length > 1 && bytesOf(left) > bytesMax)) {
      dropped.push(...left.splice(drop === "oldest" ? 0 : left.length - 1, 1));
    }
    const gone = new Set([...expired, ...dropped]);
    if (gone.size === 0) return undefined;
    this.#rows = this.#rows.filter((row) => !gone.has(row));
    return {
      queue,
      expiredMessages: expired.length,
      expiredBytes: bytesOf(expired),
      droppedMessages: dropped.length,
      droppedBytes: bytesOf(dropped),
    };
  }

  get state(): PlainState {
    return {
      sessions: byQueue([...this.sessions.values()].map((entry) => this.#restore(entry))),
      shared: byQueue(
        [...this.shared.values()].map((shared) => ({
          ...shared,
          figures: this.#figuresOf(shared.queue),
        })),
      ),
      retained: [...this.retained]
        .sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
        .map(([, content]) => content),
      queueLast: Math.max(0, ...this.queues),
      messageLast: Math.max(0, ...this.#rows.map(({ message }) => message)),
    };
  }

  #restore({ session, subscriptions, received }: PlainSession): RestoredSession {
    return {
      session,
      subscriptions,
      receivedIdentifiers: [...received].sort((one, other) => one - other),
      figures: this.#figuresOf(session.queue),
    };
  }

  #figuresOf(queue: number): StoredQueueFigures {
    const waiting = this.waiting(queue);
    const all = this.#inOrder(queue);
    return {
      messages: waiting.length,
      bytes: bytesOf(waiting),
      firstExpiresAt: Math.min(...waiting.map(({ expiresAt }) => expiresAt)),
      positionFirst: all.at(0)?.position ?? 0,
      positionLast: all.at(-1)?.position ?? 0,
    };
  }

  #inOrder(queue: number): StoredRow[] {
    return this.#rows
      .filter((row) => row.queue === queue)
      .sort((one, other) => one.position - other.position);
  }
}

function standsAt(row: StoredRow, place: { queue: number; position: number }): boolean {
  return row.queue === place.queue && row.position === place.position;
}

function bytesOf(rows: readonly StoredRow[]): number {
  return rows.reduce((bytes, row) => bytes + row.bytes, 0);
}

function byQueue<Entry extends { queue: number } | { session: StoredSession }>(
  entries: Entry[],
): Entry[] {
  const queueOf = (entry: Entry) => ("session" in entry ? entry.session.queue : entry.queue);
  return entries.sort((one, other) => queueOf(one) - queueOf(other));
}
