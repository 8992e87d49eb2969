/**
 * What the broker asks of a storage engine: to keep changes in atomic batches, in the order in which they are given, and
 * to give back what is kept. Everything is named by numbers that the broker chooses: a `queue` belongs to one session or
 * to one shared subscription, a `position` is a message's place in a queue, lower first, a `message` is stored once
 * however many queues hold it. No two batches are under way at once; reads may be.
 */
import type { QoS } from "../codec/index.ts";

/** A message as it is kept; `Message.keep` makes one. All times are wall-clock, in milliseconds since 1970. */
export interface StoredMessage {
  /** Topic name, PUBLISH properties without their length, and payload, one behind the other. */
  readonly bytes: Uint8Array;
  /** Where the topic name ends and the properties begin. */
  readonly topicEnd: number;
  /** Where the properties end and the payload begins. */
  readonly propertiesEnd: number;
  /** Where in `bytes` the value of the Message Expiry Interval begins; -1 for none. */
  readonly expiryOffset: number;
  readonly qos: QoS;
  readonly retain: boolean;
  /** The client identifier of who sent it; empty for the broker itself. */
  readonly publisher: string;
  /** Infinity when it does not expire. */
  readonly expiresAt: number;
}

export interface StoredWill {
  readonly message: StoredMessage;
  readonly delaySeconds: number;
  /** When it is published; Infinity while its connection stands. */
  readonly publishAt: number;
}

/** A session without what it has many of. */
export interface StoredSession {
  readonly queue: number;
  readonly clientIdentifier: string;
  /** Whose session it is: nobody else takes it over. Undefined for an anonymous client's. */
  readonly userName: string | undefined;
  readonly isV5: boolean;
  /** Session Expiry Interval as granted. */
  readonly expirySeconds: number;
  /** When it ends; Infinity while it is connected, and for one that never expires. */
  readonly expiresAt: number;
  readonly isConnected: boolean;
  readonly will: StoredWill | undefined;
}

export interface StoredSubscription {
  /** As the client wrote it, `$share/group/` included: the key within its session. */
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** Asked for at SUBSCRIBE: kept so that all options are. */
  readonly retainHandling: 0 | 1 | 2;
  /** Subscription identifier, 0 for none. */
  readonly identifier: number;
}

/** One message in one queue. */
export interface StoredRow {
  readonly queue: number;
  readonly position: number;
  /** 0 for a PUBREL: the message itself is not needed any more. */
  readonly message: number;
  /** As this subscriber gets it. */
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
  /** 0 while it waits; else it is under way under this identifier. A PUBREL always has one. */
  readonly packetIdentifier: number;
  /** Of topic, properties and payload: what the limits count. */
  readonly bytes: number;
  /** As its message's: so that a queue can be looked through for what has expired. */
  readonly expiresAt: number;
}

/**
 * One change. A batch is applied in its order, all of it or nothing.
 *
 * - `message` comes before the first row that names it, in the same batch; `references` rows of the batch do. The engine
 *   forgets a message with its last row.
 * - `row` adds a row. `sent` gives a waiting row its packet identifier. `moved` takes a row to another place (from a shared
 *   subscription to a member or back), where it is as `row` says; its message stays.
 * - `removed` takes away a row, and with the last one its message, which the change names so that nobody has to look.
 * - `trimmed` drops waiting rows (packet identifier 0) of one queue: first those with `expiresAt <= now`, then, while there
 *   are more than `messagesMax` or more than `bytesMax` (but for the bytes one may always stay), from the end that `drop`
 *   names. What went is in the `CommitOutcome`.
 * - `session` adds or replaces a session without touching what belongs to it; `sessionEnded` takes away all of it: its
 *   subscriptions, received identifiers and rows. `shared` and `sharedEnded` do the same for a shared subscription.
 * - `received` and `released` are the QoS 2 packet identifiers that came from a client and are not yet released.
 * - `retained` replaces the retained message of its topic.
 */
export type StorageChange =
  | {
      readonly kind: "message";
      readonly message: number;
      readonly references: number;
      readonly content: StoredMessage;
    }
  | { readonly kind: "row"; readonly row: StoredRow }
  | {
      readonly kind: "sent";
      readonly queue: number;
      readonly position: number;
      readonly packetIdentifier: number;
    }
  | {
      readonly kind: "moved";
      readonly queue: number;
      readonly position: number;
      readonly row: StoredRow;
    }
  | {
      readonly kind: "removed";
      readonly queue: number;
      readonly position: number;
      readonly message: number;
    }
  | {
      readonly kind: "trimmed";
      readonly queue: number;
      readonly now: number;
      readonly messagesMax: number;
      readonly bytesMax: number;
      readonly drop: "newest" | "oldest";
    }
  | { readonly kind: "session"; readonly session: StoredSession }
  | { readonly kind: "sessionEnded"; readonly queue: number }
  | {
      readonly kind: "subscribed";
      readonly queue: number;
      readonly subscription: StoredSubscription;
    }
  | { readonly kind: "unsubscribed"; readonly queue: number; readonly filter: string }
  | {
      readonly kind: "shared";
      readonly queue: number;
      readonly group: string;
      readonly filter: string;
    }
  | { readonly kind: "sharedEnded"; readonly queue: number }
  | { readonly kind: "received"; readonly queue: number; readonly packetIdentifier: number }
  | { readonly kind: "released"; readonly queue: number; readonly packetIdentifier: number }
  | { readonly kind: "retained"; readonly topic: string; readonly content: StoredMessage }
  | { readonly kind: "retainedDeleted"; readonly topic: string };

/** What a `trimmed` change took away. */
export interface TrimOutcome {
  readonly queue: number;
  readonly expiredMessages: number;
  readonly expiredBytes: number;
  readonly droppedMessages: number;
  readonly droppedBytes: number;
}

export interface CommitOutcome {
  /** One for each `trimmed` change that took something away, in order. */
  readonly trimmed: readonly TrimOutcome[];
}

/** A row with its message; `content` is undefined for a PUBREL. */
export interface StoredDelivery {
  readonly row: StoredRow;
  readonly content: StoredMessage | undefined;
}

/** What waits in one queue, without its messages. */
export interface StoredQueueFigures {
  /** Waiting rows: packet identifier 0. */
  readonly messages: number;
  readonly bytes: number;
  /** The earliest `expiresAt` of them; Infinity when none expires. */
  readonly firstExpiresAt: number;
  /** The lowest and the highest position in use by any row; 0 and 0 when there is none. */
  readonly positionFirst: number;
  readonly positionLast: number;
}

export interface RestoredSession {
  readonly session: StoredSession;
  /** The first subscription first. */
  readonly subscriptions: readonly StoredSubscription[];
  readonly receivedIdentifiers: readonly number[];
  readonly figures: StoredQueueFigures;
}

export interface RestoredShared {
  readonly queue: number;
  readonly group: string;
  readonly filter: string;
  readonly figures: StoredQueueFigures;
}

/** Everything but the queues. Each iterable can be walked once, in the order of the fields. */
export interface RestoredState {
  readonly sessions: Iterable<RestoredSession>;
  readonly shared: Iterable<RestoredShared>;
  readonly retained: Iterable<StoredMessage>;
  /** The highest numbers in use; 0 for none. */
  readonly queueLast: number;
  readonly messageLast: number;
}

export interface QueuePage {
  readonly queue: number;
  /** Rows with a higher position than this one, the lowest first. */
  readonly after: number;
  readonly messagesMax: number;
  /** The page ends with the row that reaches this; it has at least one. */
  readonly bytesMax: number;
}

/**
 * How safe a commit is when it is reported: `fsync` survives a power cut, `os` the end of the process, `memory` neither.
 */
export type Durability = "fsync" | "os" | "memory";

/**
 * A storage engine. Errors are a `TstackError` with a code that begins with `STORAGE_`: its message says what happened,
 * where, and what to do. After a failed commit the engine is as before it, and the same batch may be tried again.
 */
export interface Storage {
  readonly durability: Durability;
  /** What people are told: the folder, or "memory". */
  readonly location: string;
  /** Once, before everything else. */
  restore(): Promise<RestoredState> | RestoredState;
  /**
   * Keeps a batch. The answer, when it comes at once or later, says that all of it is as safe as `durability` promises.
   * The engine may read the changes until then; the caller changes nothing in them.
   */
  commit(changes: readonly StorageChange[]): Promise<CommitOutcome> | CommitOutcome;
  /** Waiting rows of a queue (packet identifier 0), as of the last commit that was answered, or later. */
  readWaiting(page: QueuePage): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[];
  /** What is under way in a queue: rows with a packet identifier, PUBRELs among them, by position. */
  readUnderWay(queue: number): Promise<readonly StoredDelivery[]> | readonly StoredDelivery[];
  /** Finishes what was asked for and gives everything back. Nothing may be asked for afterwards. */
  close(): Promise<void>;
}

/** A small document that outlives the broker, found by its kind and name: a user, a role, a key for registration. */
export interface StoredRecord {
  /** `user`, `role`, `registration-key`, `secret`. */
  readonly kind: string;
  readonly name: string;
  /** JSON. */
  readonly value: string;
}

/** `value` undefined takes the record away; otherwise it is added or replaced. */
export interface RecordChange {
  readonly kind: string;
  readonly name: string;
  readonly value: string | undefined;
}

/** Where users and their like are kept. Not part of the batches: who changes a user waits for it to be on disk. */
export interface RecordStore {
  /** All of them, once, before any is written. */
  readRecords(): Promise<readonly StoredRecord[]>;
  /** All changes or none; resolves when they are as safe as a batch. Rejects with a TstackError STORAGE_... */
  writeRecords(changes: readonly RecordChange[]): Promise<void>;
}
