/**
 * Messages that wait for one stored session or shared subscription, first in first out, within the limits. They live in
 * the storage; only the first of them are in memory as well, while somebody is there to take them. What a full queue
 * loses is counted; what has expired makes room before anything else goes.
 */
import type { Drops } from "./drops.ts";
import type { TrimmedQueue } from "./gathered-changes.ts";
import type { Journal } from "./journal.ts";
import { Message } from "./message.ts";
import { PendingRow } from "./pending-row.ts";
import { QueueFront } from "./queue-front.ts";
import { isFullFor, isOverfull, placeBytes, type QueueAccount } from "./queue-limits.ts";
import { type DeliveryOptions, QueuedMessage, type WaitingQueue } from "./queued-message.ts";
import type { SessionContext } from "./session-context.ts";
import type { SharedSubscription } from "./shared-subscription.ts";
import type {
  Storage,
  StorageChange,
  StoredDelivery,
  StoredQueueFigures,
  TrimOutcome,
} from "./storage-port.ts";

/** Of the messages at the front that are kept in memory. */
const frontMessagesMax = 1000;
const frontBytesMax = 262_144;

/** After a search of the storage for what has expired, none follows for so long. */
const trimMilliseconds = 1000;
/** How long after a read that failed it is tried again. */
const retryMilliseconds = 1000;

export interface StoredQueueOptions {
  /** Its number in the storage. */
  readonly queue: number;
  readonly context: StoredQueueContext;
  readonly drops: Drops;
  /** Whose messages they are, when a shared subscription's. */
  readonly shared: SharedSubscription | undefined;
  /** Called when messages have come to the front, outside of every call. */
  readonly refilled: () => void;
}

type StoredQueueContext = Pick<
  SessionContext,
  "limits" | "clock" | "queueDrop" | "journal" | "storage" | "sharedQueues" | "storageFailed"
>;

export class StoredQueue implements WaitingQueue, TrimmedQueue {
  readonly queue: number;
  /** Everything that waits, in memory or not. */
  length = 0;
  bytes = 0;
  readonly #context: StoredQueueContext;
  readonly #journal: Journal;
  readonly #storage: Storage;
  readonly #drops: Drops;
  readonly #shared: SharedSubscription | undefined;
  readonly #account: QueueAccount | undefined;
  readonly #refilled: () => void;
  /** Whether somebody is there to take messages. */
  #isOpen = false;
  readonly #front = new QueueFront();
  /** The last row that was taken, and the last that is or was at the front. */
  #taken: number;
  #frontLast: number;
  #positionFirst: number;
  #positionLast: number;
  /** No message that waits expires before. */
  #firstExpiresAt: number;
  /** When the last row is safe, reading sees all of them. */
  #epochLast = 0;
  /** When this is safe, reading does not see what was taken out from between others. */
  #epochGone = 0;
  #isReading = false;
  /** The last time that it was read: the log has it. */
  #hasFailed = false;
  #isTrimming = false;
  /** Raised when what is being read is not wanted any more. */
  #generation = 0;

  constructor(
    { queue, context, drops, shared, refilled }: StoredQueueOptions,
    figures?: StoredQueueFigures,
  ) {
    this.queue = queue;
    this.#context = context;
    this.#journal = context.journal;
    this.#storage = context.storage;
    this.#drops = drops;
    this.#shared = shared;
    this.#account = shared && context.sharedQueues;
    this.#refilled = refilled;
    this.#positionFirst = figures?.positionFirst ?? 0;
    this.#positionLast = figures?.positionLast ?? 0;
    this.#taken = this.#frontLast = this.#positionFirst - 1;
    this.#firstExpiresAt = figures?.firstExpiresAt ?? Number.POSITIVE_INFINITY;
    this.#count(figures?.messages ?? 0, figures?.bytes ?? 0);
  }

  /** Those that are in the storage alone. */
  get #behindFront(): number {
    return this.length - this.#front.length;
  }

  /** The next position at the end, for a row that does not wait. */
  nextPosition(): number {
    return ++this.#positionLast;
  }

  /** A position before all others. */
  #positionBefore(): number {
    return --this.#positionFirst;
  }

  /** Somebody is there to take messages: the first ones are read. */
  open(): void {
    this.#isOpen = true;
    this.#read();
  }

  /** Nobody is there: what waits is in the storage alone. */
  close(): void {
    this.#isOpen = false;
    this.#dropFront();
  }

  offer(message: Message, options: DeliveryOptions): void {
    if (!this.#makeRoom(message)) {
      this.#drops.count("queueFull", 1, message.topic);
      return;
    }
    const row = this.#newRow(message.keep(), options, this.nextPosition());
    this.#journal.addRow(row, true);
    this.#push(row, options);
  }

  #newRow(message: Message, options: DeliveryOptions, position: number): PendingRow {
    const { qos, retain, identifiers } = options;
    const { queue } = this;
    return new PendingRow(
      { queue, position, packetIdentifier: 0, qos, retain, subscriptionIdentifiers: identifiers },
      message,
    );
  }

  #push(row: PendingRow, options: DeliveryOptions): void {
    const { content } = row;
    if (content === undefined) return;
    const isAllInFront = this.#behindFront === 0;
    this.#count(1, row.bytes);
    if (row.expiresAt < this.#firstExpiresAt) this.#firstExpiresAt = row.expiresAt;
    this.#epochLast = row.epoch;
    if (!this.#isOpen || !isAllInFront || this.#isFrontFull || this.#isReading) return;
    this.#front.push(new QueuedMessage(content, options, this.#shared, row));
    this.#frontLast = row.position;
  }

  get #isFrontFull(): boolean {
    return this.#front.length >= frontMessagesMax || this.#front.bytes >= frontBytesMax;
  }

  takes(message: Message): boolean {
    if (!this.#isFullFor(message)) return true;
    if (this.#context.queueDrop === "oldest") return true;
    this.#dropExpiredFront();
    return !this.#isFullFor(message) || this.#mayTrimExpired;
  }

  /** False where `message` has no place. What must go for it goes now, or with the batch that writes it. */
  #makeRoom(message: Message): boolean {
    if (!this.#isFullFor(message)) return true;
    this.#dropExpiredFront();
    while (this.#isFullFor(message)) {
      if (this.#isTrimming) return this.#context.queueDrop === "oldest" || this.#mayTrimExpired;
      if (this.#context.queueDrop === "oldest" && this.#front.length > 0) this.#dropFirst();
      else if (this.#mayTrim && (this.#context.queueDrop === "oldest" || this.#mayTrimExpired)) {
        this.#trim();
        return true;
      } else return false;
    }
    return true;
  }

  /** Whether something in the storage alone has expired. */
  get #mayTrimExpired(): boolean {
    const { clock } = this.#context;
    return this.#mayTrim && this.#front.length === 0 && this.#firstExpiresAt <= clock.now();
  }

  #isFullFor({ size }: Message): boolean {
    return isFullFor(size, this, this.#context.limits, this.#account);
  }

  #dropFirst(): void {
    const queued = this.shift();
    if (queued?.row === undefined) return;
    this.#journal.remove(queued.row);
    this.#drops.count("queueFull", 1, queued.message.topic);
  }

  /** As far as messages are in memory. */
  #dropExpiredFront(): void {
    const now = this.#context.clock.now();
    if (this.#firstExpiresAt > now || this.#front.length === 0) return;
    for (const { row, message } of this.#front.takeExpired(now)) {
      if (row === undefined) continue;
      this.#journal.remove(row, true);
      this.#epochGone = this.#journal.epoch;
      this.#count(-1, -row.bytes);
      this.#drops.count("expired", 1, message.topic);
    }
    this.#firstExpiresAt = this.#front.firstExpiresAt;
    // When the first of the others expires is known to the storage alone, and what is in front stands before it.
    const soon = this.#front.length > 0 ? now + trimMilliseconds : now;
    if (this.#behindFront > 0) this.#firstExpiresAt = Math.min(this.#firstExpiresAt, soon);
  }

  /** Of a shared subscription not: its first rows may be on their way to members that are not stored. */
  get #mayTrim(): boolean {
    return this.#shared === undefined && this.length > 0;
  }

  #trim(): void {
    this.#isTrimming = true;
    this.#generation++; // what is being read may be what goes
    this.#isReading = false;
    this.#journal.trim(this);
  }

  trimChange(): StorageChange {
    const { queueMessagesMax, queueBytesMax } = this.#context.limits;
    return {
      kind: "trimmed",
      queue: this.queue,
      now: this.#context.clock.now(),
      messagesMax: queueMessagesMax,
      bytesMax: queueBytesMax,
      drop: this.#context.queueDrop,
    };
  }

  trimmed(outcome: TrimOutcome | undefined): void {
    if (!this.#isTrimming) return; // it has ended meanwhile
    this.#isTrimming = false;
    if (outcome !== undefined) {
      const { expiredMessages, expiredBytes, droppedMessages, droppedBytes } = outcome;
      this.#count(-expiredMessages - droppedMessages, -expiredBytes - droppedBytes);
      this.#drops.count("expired", expiredMessages);
      this.#drops.count("queueFull", droppedMessages);
    }
    // Which is the next is known to the storage alone: it is asked again, but not with every message.
    if (this.#firstExpiresAt < Number.POSITIVE_INFINITY)
      this.#firstExpiresAt = this.#context.clock.now() + trimMilliseconds;
    if (isOverfull(this, this.#context.limits)) {
      this.#trim(); // by what came while the batch was under way
      return;
    }
    this.#read();
    if (this.#front.length > 0) this.#refilled();
  }

  shift(): QueuedMessage | undefined {
    if (this.#front.length === 0) this.#read();
    const queued = this.#front.shift();
    if (queued?.row === undefined) return undefined;
    const { bytes, position } = queued.row;
    this.#count(-1, -bytes);
    if (position > this.#taken) this.#taken = position;
    if (this.#front.length < frontMessagesMax / 2) this.#read();
    return queued;
  }

  /** Stores a message that is sent at once, while nothing waits, to somebody who is not stored. */
  keep(message: Message): PendingRow {
    const { qos, retain } = message;
    const row = this.#newRow(message.keep(), { qos, retain, identifiers: [] }, this.nextPosition());
    this.#journal.addRow(row, false);
    this.#taken = this.#frontLast = row.position;
    return row;
  }

  /** A row of its own comes back as it is, one of a member's moves here. */
  unshift(queued: QueuedMessage): void {
    const { message, row } = queued;
    if (row?.queue !== this.queue) {
      const options = { qos: message.qos, retain: message.retain, identifiers: [] };
      const to = this.#newRow(message, options, this.#positionBefore());
      if (row === undefined) this.#journal.addRow(to, true);
      queued.row = row === undefined ? to : this.#journal.move(row, to, false);
    }
    this.#front.unshift(queued);
    this.#count(1, message.size);
    if (message.expiresAt < this.#firstExpiresAt) this.#firstExpiresAt = message.expiresAt;
  }

  /** For a queue that ends: who ends it takes its rows out of the storage as well. */
  clear(): void {
    if (this.#isTrimming) this.#journal.forgetTrim(this);
    this.#isTrimming = false;
    this.#generation++;
    this.#isReading = false;
    this.#isOpen = false;
    this.#front.clear();
    this.#count(-this.length, -this.bytes);
  }

  #dropFront(): void {
    this.#generation++;
    this.#isReading = false;
    this.#front.clear();
    this.#frontLast = this.#taken;
  }

  #count(messages: number, bytes: number): void {
    this.length += messages;
    this.bytes += bytes;
    if (this.#account === undefined) return;
    this.#account.messages += messages;
    this.#account.bytes += bytes + messages * placeBytes;
  }

  /** Brings the next messages to the front, unless that is under way, nobody wants them, or they are not written yet. */
  #read(): void {
    if (!this.#isOpen || this.#isReading || this.#isTrimming) return;
    if (this.#behindFront === 0 || this.#isFrontFull) return;
    this.#isReading = true;
    const generation = this.#generation;
    if (!this.#journal.isSafe(this.#epochGone)) {
      this.#journal.wait({ committed: () => this.#readAgain(generation) });
      return;
    }
    const isComplete = this.#journal.isSafe(this.#epochLast);
    try {
      const page = this.#storage.readWaiting({
        queue: this.queue,
        after: this.#frontLast,
        messagesMax: frontMessagesMax,
        bytesMax: frontBytesMax,
      });
      if (!(page instanceof Promise)) {
        this.#arrived(page, isComplete);
        return;
      }
      const arrived = (later: readonly StoredDelivery[]): void => {
        if (generation !== this.#generation) return;
        this.#arrived(later, isComplete);
        if (later.length > 0) this.#refilled();
      };
      page.then(arrived).catch((error: unknown) => this.#failed(error, generation));
    } catch (error) {
      this.#failed(error, generation);
    }
  }

  #arrived(page: readonly StoredDelivery[], isComplete: boolean): void {
    this.#isReading = this.#hasFailed = false;
    for (const { row, content } of page) {
      if (content === undefined) continue;
      const message = content instanceof Message ? content : Message.restore(content);
      const { qos, retain, subscriptionIdentifiers } = row;
      const options = { qos, retain, identifiers: subscriptionIdentifiers };
      const queued = new QueuedMessage(
        message,
        options,
        this.#shared,
        new PendingRow(row, message),
      );
      if (queued.row !== undefined) queued.row.message = row.message;
      this.#front.push(queued);
      this.#frontLast = row.position;
    }
    if (page.length > 0) return;
    if (isComplete) this.#count(-this.#behindFront, this.#front.bytes - this.bytes);
    else {
      this.#isReading = true;
      const generation = this.#generation;
      this.#journal.wait({ committed: () => this.#readAgain(generation) });
    }
  }

  /** Tried again in a while, if somebody is still there to take messages. */
  #failed(error: unknown, generation: number): void {
    if (generation !== this.#generation || this.#journal.isClosed) return;
    if (!this.#hasFailed) this.#context.storageFailed(error);
    this.#hasFailed = true;
    this.#context.clock.after(retryMilliseconds, () => this.#readAgain(generation));
  }

  /** What stood in the way of reading is over. */
  #readAgain(generation: number): void {
    if (generation !== this.#generation) return;
    this.#isReading = false;
    this.#read();
    if (this.#front.length > 0) this.#refilled();
  }
}
