/**
 * What must outlive the broker, on its way to the storage engine. Changes are gathered while one batch is being written
 * and follow it as the next (DESIGN.md, section 5); what a client is told of them waits here until they are safe.
 *
 * Time is counted in epochs, one for each tick that promised something. An epoch is safe when all its changes are
 * written, or when none of them need be any more: a message that every session acknowledged before its batch was handed
 * over is never written. Epochs become safe in order.
 */
import { assert, type Clock, type Limits, type Log } from "../base/index.ts";
import { type CommitWaiter, CommitWaiters } from "./commit-waiters.ts";
import { GatheredChanges, type TakenChanges, type TrimmedQueue } from "./gathered-changes.ts";
import type { PendingRow } from "./pending-row.ts";
import { StorageFailure } from "./storage-failure.ts";
import type {
  CommitOutcome,
  Durability,
  Storage,
  StorageChange,
  StoredMessage,
} from "./storage-port.ts";
import type { TickEnd } from "./tick-end.ts";

/** How long after a failed write the same batch is tried again. */
const retryMilliseconds = 1000;
/** A batch that may yet cancel out waits as long as the last one took to be written, within these bounds. */
const patienceMillisecondsMin = 1;
const patienceMillisecondsMax = 20;

interface Batch extends TakenChanges {
  /** Of the last of its changes. */
  readonly epoch: number;
}

export interface JournalOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: Limits;
  readonly tickEnd: TickEnd;
}

export class Journal {
  readonly durability: Durability;
  /** Grows with every change that an answer could confirm. */
  promised = 0;
  /** Batches written, and changes in them. */
  commits = 0;
  changesWritten = 0;
  /** Of the last batch, from handing over to the answer. */
  commitMilliseconds = 0;
  /** Rows that were acknowledged before they had to be written. */
  rowsCancelled = 0;

  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #limits: Limits;
  readonly #tickEnd: TickEnd;

  /** What is recorded now belongs to this epoch. */
  #epoch = 1;
  #safeEpoch = 0;
  /** For each epoch after the last that was handed over, what it still promises; the first is `#firstGathered`. */
  #promises: number[] = [0];
  #firstGathered = 1;
  readonly #gathered = new GatheredChanges();
  #underWay: Batch | undefined;
  readonly #waiters: CommitWaiters;
  #stopPatience: (() => void) | undefined;
  #stopRetry: (() => void) | undefined;
  readonly #failure: StorageFailure;
  #lastMessage = 0;
  /** Set by `close`, which waits for the engine's next answer. */
  #answered: (() => void) | undefined;
  #closed: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: JournalOptions) {
    const { storage, clock, log, limits, tickEnd } = options;
    this.#storage = storage;
    this.durability = storage.durability;
    this.#clock = clock;
    this.#log = log;
    this.#limits = limits;
    this.#tickEnd = tickEnd;
    this.#waiters = new CommitWaiters(log);
    this.#failure = new StorageFailure(options);
    tickEnd.journal = this;
  }

  /** Numbers of messages go on from here. */
  startAfter(messageLast: number): void {
    this.#lastMessage = messageLast;
  }

  /** What is recorded now is safe when this epoch is. */
  get epoch(): number {
    return this.#epoch;
  }

  isSafe(epoch: number): boolean {
    return epoch <= this.#safeEpoch;
  }

  /** Whether all that was recorded is written. */
  get isIdle(): boolean {
    return this.#underWay === undefined && this.#gathered.isEmpty;
  }

  /** Nothing more is written or read. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Bytes of messages that are not yet written. */
  get unsyncedBytes(): number {
    return this.#gathered.bytes + (this.#underWay?.bytes ?? 0);
  }

  /** Whether publishers of what must be kept have to wait for the disk. */
  get isFull(): boolean {
    return this.unsyncedBytes >= this.#limits.unsyncedBytesMax;
  }

  /** Why the last batch could not be written, for people; undefined while the engine works. */
  get failure(): string | undefined {
    return this.#failure.why;
  }

  /** Records a change that an answer confirms: the batch is written as soon as the engine is free. */
  promise(change: StorageChange): void {
    this.#gathered.add(change);
    this.#countPromise(true);
  }

  /** Records a change that nobody is told of: a crash may undo it. */
  note(change: StorageChange): void {
    this.#gathered.add(change);
    this.#tickEnd.arm();
  }

  /** The retained message of a topic; without one it is deleted. */
  retain(topic: string, content: StoredMessage | undefined, isPromise: boolean): void {
    this.#gathered.retain(topic, content);
    if (isPromise) this.#countPromise(true);
    else this.#tickEnd.arm();
  }

  /** Adds a row. One on its way to a connected client is not urgent: its acknowledgement may come first. */
  addRow(row: PendingRow, isUrgent: boolean): void {
    const { content } = row;
    if (content !== undefined) {
      if (content.stored?.epoch !== this.#epoch)
        content.stored = { epoch: this.#epoch, number: ++this.#lastMessage, references: 0 };
      row.copy = content.stored;
      row.message = content.stored.number;
    }
    row.epoch = row.safeEpoch = this.#epoch;
    this.#gathered.addRow(row);
    this.#countPromise(isUrgent);
  }

  /** A waiting row goes out under this identifier. `isPromise` where it must not go before that is safe. */
  assign(row: PendingRow, packetIdentifier: number, isPromise: boolean): void {
    row.safeEpoch = this.#epoch;
    if (row.isGathered) row.packetIdentifier = packetIdentifier;
    else {
      const { queue, position } = row;
      this.#gathered.add({ kind: "sent", queue, position, packetIdentifier });
    }
    if (isPromise) this.#countPromise(true);
    else this.#tickEnd.arm();
  }

  /** A row goes to another queue. Answers the row in its new place. */
  move(row: PendingRow, to: PendingRow, isPromise: boolean): PendingRow {
    if (row.isGathered) {
      row.takePlaceOf(to);
      row.safeEpoch = this.#epoch;
      if (isPromise) this.#countPromise(true);
      return row;
    }
    to.message = row.message;
    to.safeEpoch = this.#epoch;
    const { queue, position } = row;
    this.#gathered.add({ kind: "moved", queue, position, row: to });
    if (isPromise) this.#countPromise(true);
    else this.#tickEnd.arm();
    return to;
  }

  /** The row is done with: until it is handed over, neither it nor its end is ever written. A promise to know when it is. */
  remove(row: PendingRow, isPromise = false): void {
    if (row.isGathered) {
      assert(!row.isCancelled, "a row is removed once");
      this.#gathered.cancel(row);
      this.rowsCancelled++;
      this.#promises[row.epoch - this.#firstGathered]--;
    } else {
      const { queue, position, message } = row;
      this.#gathered.add({ kind: "removed", queue, position, message });
      if (isPromise) this.#countPromise(false);
    }
    this.#tickEnd.arm();
  }

  /** The queue is cut back to its limits behind everything in this batch. */
  trim(queue: TrimmedQueue): void {
    this.#gathered.trim(queue);
    this.#tickEnd.arm();
  }

  /** It ends with this batch: there is nothing to be cut back behind that. */
  forgetTrim(queue: TrimmedQueue): void {
    this.#gathered.forgetTrim(queue);
  }

  /** Calls `waiter` when everything recorded until now is safe: at the end of this tick at the earliest. */
  wait(waiter: CommitWaiter): void {
    this.#waiters.add(this.#epoch, waiter);
    this.#tickEnd.arm();
  }

  /** Resolves when everything recorded until now is safe. */
  whenCommitted(): Promise<void> {
    return new Promise((resolve) => this.wait({ committed: () => resolve() }));
  }

  #countPromise(isUrgent: boolean): void {
    this.promised++;
    this.#promises[this.#promises.length - 1]++;
    if (isUrgent) this.#gathered.isUrgent = true;
    this.#tickEnd.arm();
  }

  /**
   * Before the outboxes are written: what has become safe in this tick goes out with it. Answers whether that caused
   * something which only the end of another tick can bring on.
   */
  endTick(): boolean {
    if (this.#isClosed || (this.isIdle && this.#waiters.isEmpty)) return false;
    this.#beginEpoch();
    this.#advance();
    if (this.#underWay === undefined && !this.#gathered.isEmpty) {
      if (this.#gathered.isUrgent || this.durability === "memory") this.#handOverAll();
      else this.#bePatient();
    }
    if (this.#underWay !== undefined) return false;
    // Who waits for an epoch that is over is told when that is written or called off, and no tick brings that on.
    const waitsForThis = this.#waiters.lastEpoch === this.#epoch;
    return waitsForThis || (!this.#gathered.isEmpty && this.#stopPatience === undefined);
  }

  #beginEpoch(): void {
    this.#gathered.endEpoch(this.#epoch, this.#clock.now());
    this.#epoch++;
    this.#promises.push(0);
  }

  /** Epochs that promise nothing any more are safe as soon as those before them are. */
  #advance(): void {
    if (this.#underWay === undefined) {
      let settled = 0;
      while (settled < this.#promises.length - 1 && this.#promises[settled] === 0) settled++;
      if (settled > 0) {
        this.#promises.splice(0, settled);
        this.#firstGathered += settled;
        this.#safeEpoch = this.#firstGathered - 1;
      }
    }
    this.#waiters.tell(this.#safeEpoch);
  }

  /** Nothing is urgent: acknowledgements that come meanwhile make the batch smaller. */
  #bePatient(): void {
    const { firstAt } = this.#gathered;
    if (this.#stopPatience !== undefined || firstAt === undefined) return;
    const wait = firstAt + this.#patienceMilliseconds - this.#clock.now();
    this.#stopPatience = this.#clock.after(Math.max(wait, 0), () => {
      this.#stopPatience = undefined;
      if (this.#underWay === undefined) this.#handOverOld();
    });
  }

  get #patienceMilliseconds(): number {
    const { commitMilliseconds } = this;
    return Math.min(Math.max(commitMilliseconds, patienceMillisecondsMin), patienceMillisecondsMax);
  }

  /** What has waited long enough; the rest goes on waiting. */
  #handOverOld(): void {
    const time = this.#clock.now() - this.#patienceMilliseconds;
    const old = this.#gathered.takeUntil(time);
    const { firstAt, isUrgent } = this.#gathered;
    if (old !== undefined) this.#handOver(old);
    else if (isUrgent || (firstAt !== undefined && firstAt <= time)) this.#handOverAll();
    if (this.#underWay === undefined) this.#tickEnd.arm();
  }

  #handOverAll(): void {
    this.#beginEpoch();
    const epoch = this.#epoch - 1;
    this.#handOver({ ...this.#gathered.takeAll(), epoch });
  }

  #handOver(batch: Batch): void {
    this.#stopPatience?.();
    this.#stopPatience = undefined;
    // Epochs that were called off are settled already.
    const epochs = Math.max(0, batch.epoch + 1 - this.#firstGathered);
    this.#promises.splice(0, epochs);
    this.#firstGathered += epochs;
    this.#underWay = batch;
    if (batch.changes.length === 0) this.#finish(batch, undefined);
    else this.#write(batch);
  }

  #write(batch: Batch): void {
    const startedAt = this.#clock.now();
    let outcome: CommitOutcome | undefined;
    const finish = (written: CommitOutcome): void => {
      this.commitMilliseconds = this.#clock.now() - startedAt;
      this.commits++;
      this.changesWritten += batch.changes.length;
      this.#finish(batch, written);
    };
    const failed = (error: unknown): void => this.#fail(batch, error);
    try {
      const answer = this.#storage.commit(batch.changes);
      if (answer instanceof Promise) answer.then(finish, failed);
      else outcome = answer;
    } catch (error) {
      failed(error);
    }
    if (outcome !== undefined) finish(outcome); // outside: what fails in there is not the engine's
  }

  #finish(batch: Batch, outcome: CommitOutcome | undefined): void {
    this.#failure.ended();
    this.#underWay = undefined;
    this.#safeEpoch = Math.max(this.#safeEpoch, batch.epoch);
    this.#tellTrimmed(batch.trims, outcome);
    this.#advance();
    this.#answered?.();
    if ((this.#gathered.isEmpty && this.#waiters.isEmpty) || this.#isClosed) return;
    // Called from outside of a tick: everything that was gathered is complete.
    if (this.#gathered.isUrgent && this.durability !== "memory") this.#handOverAll();
    else this.#tickEnd.arm();
  }

  #tellTrimmed(trims: readonly TrimmedQueue[], outcome: CommitOutcome | undefined): void {
    if (trims.length === 0) return;
    const outcomes = new Map(outcome?.trimmed.map((trimmed) => [trimmed.queue, trimmed]));
    for (const queue of trims) {
      try {
        queue.trimmed(outcomes.get(queue.queue));
      } catch (error) {
        this.#log.error({ error }, "a bug in tStack; please report it"); // what was written is safe all the same
      }
    }
  }

  #fail(batch: Batch, error: unknown): void {
    if (this.#isClosed) return;
    this.#failure.failed(error);
    this.#stopRetry = this.#clock.after(retryMilliseconds, () => this.#write(batch));
    this.#answered?.();
  }

  /** Writes what is gathered, if that can be done; afterwards nothing is recorded any more. All who ask wait for the same. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.endTick();
    while (
      this.failure === undefined &&
      (this.#underWay !== undefined || !this.#gathered.isEmpty)
    ) {
      if (this.#underWay === undefined) this.#handOverAll();
      else await new Promise<void>((resolve) => (this.#answered = resolve));
    }
    this.#isClosed = true;
    this.#stopPatience?.();
    this.#stopRetry?.();
    await this.#storage.close();
  }
}
