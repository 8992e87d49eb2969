/**
 * What is safe: every change of the batches that are synced, kept in the plainest way, with messages by the names in
 * their payloads. The model looks here whether what the broker has promised would outlive it.
 */
import type {
  StorageChange,
  StoredMessage,
  StoredRow,
  StoredSession,
  StoredSubscription,
} from "../../src/broker/index.ts";
import { nameIn } from "./names.ts";

type ChangeOf<Kind extends StorageChange["kind"]> = Extract<StorageChange, { kind: Kind }>;

export interface LedgerRow {
  readonly queue: number;
  readonly position: number;
  readonly message: number;
  /** Empty for a PUBREL. */
  readonly name: string;
  readonly packetIdentifier: number;
  readonly bytes: number;
  readonly expiresAt: number;
}

export interface LedgerSession {
  session: StoredSession;
  readonly subscriptions: Map<string, StoredSubscription>;
  readonly received: Set<number>;
}

export function nameOfStored({ bytes, propertiesEnd }: StoredMessage): string {
  return nameIn(bytes.subarray(propertiesEnd));
}

export class StorageLedger {
  readonly sessions = new Map<number, LedgerSession>();
  readonly shared = new Map<number, string>();
  /** Rows of a queue by position. */
  readonly rows = new Map<number, Map<number, LedgerRow>>();
  /** Names by message number. */
  readonly messages = new Map<number, string>();
  /** Names by topic. */
  readonly retained = new Map<string, string>();
  /** The names of all messages that were ever stored. */
  readonly seen = new Set<string>();

  apply(changes: readonly StorageChange[]): void {
    for (const change of changes) this.#apply(change);
  }

  sessionOf(clientIdentifier: string): LedgerSession | undefined {
    for (const entry of this.sessions.values()) {
      if (entry.session.clientIdentifier === clientIdentifier) return entry;
    }
    return undefined;
  }

  rowsOf(queue: number): LedgerRow[] {
    return [...(this.rows.get(queue)?.values() ?? [])];
  }

  holds(queue: number, name: string): boolean {
    for (const row of this.rows.get(queue)?.values() ?? []) if (row.name === name) return true;
    return false;
  }

  /** The queues that hold a message. */
  queuesOf(name: string): number[] {
    return [...this.rows.keys()].filter((queue) => this.holds(queue, name));
  }

  /** What is left, by its kind, in numbers. */
  get sizes(): Record<string, number> {
    let rows = 0;
    for (const queue of this.rows.values()) rows += queue.size;
    return {
      "stored sessions": this.sessions.size,
      "stored shared subscriptions": this.shared.size,
      "stored rows": rows,
      "stored messages": this.messages.size,
      "stored retained messages": this.retained.size,
    };
  }

  #apply(change: StorageChange): void {
    switch (change.kind) {
      case "message":
        this.#see(change.content);
        this.messages.set(change.message, nameOfStored(change.content));
        break;
      case "row":
        this.#add(change.row);
        break;
      case "sent": {
        const row = this.#take(change.queue, change.position);
        if (row !== undefined) this.#put({ ...row, packetIdentifier: change.packetIdentifier });
        break;
      }
      case "moved":
        this.#take(change.queue, change.position);
        this.#add(change.row);
        break;
      case "removed":
        this.#take(change.queue, change.position);
        this.#letGo(change.message);
        break;
      case "trimmed":
        this.#trim(change);
        break;
      case "shared":
        this.shared.set(change.queue, `${change.group}/${change.filter}`);
        break;
      case "sharedEnded":
        this.shared.delete(change.queue);
        this.#end(change.queue);
        break;
      case "retained":
        this.#see(change.content);
        this.retained.set(change.topic, nameOfStored(change.content));
        break;
      case "retainedDeleted":
        this.retained.delete(change.topic);
        break;
      default:
        this.#applyToSession(change);
    }
  }

  #applyToSession(change: StorageChange): void {
    switch (change.kind) {
      case "session": {
        const { session } = change;
        const entry = this.sessions.get(session.queue);
        if (entry !== undefined) entry.session = session;
        else {
          const empty = { subscriptions: new Map(), received: new Set<number>() };
          this.sessions.set(session.queue, { session, ...empty });
        }
        break;
      }
      case "sessionEnded":
        this.sessions.delete(change.queue);
        this.#end(change.queue);
        break;
      case "subscribed":
        this.sessions
          .get(change.queue)
          ?.subscriptions.set(change.subscription.filter, change.subscription);
        break;
      case "unsubscribed":
        this.sessions.get(change.queue)?.subscriptions.delete(change.filter);
        break;
      case "received":
        this.sessions.get(change.queue)?.received.add(change.packetIdentifier);
        break;
      case "released":
        this.sessions.get(change.queue)?.received.delete(change.packetIdentifier);
        break;
    }
  }

  #trim({ queue, now, messagesMax, bytesMax, drop }: ChangeOf<"trimmed">): void {
    const waiting = this.rowsOf(queue).filter((row) => row.packetIdentifier === 0);
    waiting.sort((one, other) => one.position - other.position);
    const kept = waiting.filter((row) => row.expiresAt > now);
    let bytes = kept.reduce((sum, row) => sum + row.bytes, 0);
    while (kept.length > messagesMax || (kept.length > 1 && bytes > bytesMax)) {
      bytes -= (drop === "oldest" ? kept.shift() : kept.pop())?.bytes ?? 0;
    }
    for (const row of waiting) {
      if (kept.includes(row)) continue;
      this.#take(queue, row.position);
      this.#letGo(row.message);
    }
  }

  #see(content: StoredMessage): void {
    this.seen.add(nameOfStored(content));
  }

  #add(row: StoredRow): void {
    const { queue, position, message, packetIdentifier, bytes, expiresAt } = row;
    const name = message === 0 ? "" : (this.messages.get(message) ?? "unknown");
    this.#put({ queue, position, message, name, packetIdentifier, bytes, expiresAt });
  }

  #put(row: LedgerRow): void {
    const rows = this.rows.get(row.queue) ?? new Map<number, LedgerRow>();
    this.rows.set(row.queue, rows);
    rows.set(row.position, row);
  }

  #take(queue: number, position: number): LedgerRow | undefined {
    const row = this.rows.get(queue)?.get(position);
    this.rows.get(queue)?.delete(position);
    return row;
  }

  #end(queue: number): void {
    const rows = this.rowsOf(queue);
    this.rows.delete(queue);
    for (const { message } of rows) this.#letGo(message);
  }

  #letGo(message: number): void {
    for (const rows of this.rows.values()) {
      for (const row of rows.values()) if (row.message === message) return;
    }
    this.messages.delete(message);
  }
}
