/** The changes of the batch that is being gathered: what may still be called off, filled in or replaced by a later one. */
import { PendingRow } from "./pending-row.ts";
import type { StorageChange, StoredMessage, TrimOutcome } from "./storage-port.ts";

/** A queue that asks to be cut back to its limits when the batch is written. */
export interface TrimmedQueue {
  readonly queue: number;
  trimChange(): StorageChange;
  trimmed(outcome: TrimOutcome | undefined): void;
}

/** About what a change takes in memory, besides the message: thousands of rows may be of one that is empty. */
const changeBytes = 200;

/** Changes on their way to the engine: rows that were called off are not among them. */
export interface TakenChanges {
  readonly changes: readonly StorageChange[];
  readonly trims: readonly TrimmedQueue[];
  /** Of messages. */
  readonly bytes: number;
}

/** Where an epoch ended that left changes behind. */
interface Mark {
  readonly epoch: number;
  /** Changes up to here are of this epoch, or of one before. */
  readonly end: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export class GatheredChanges {
  /** Of messages. */
  bytes = 0;
  /** Whether somebody waits for them who gains nothing from waiting longer. */
  isUrgent = false;
  readonly #trims = new Set<TrimmedQueue>();
  #changes: (StorageChange | PendingRow)[] = [];
  #marks: Mark[] = [];
  /** Where the retained message of a topic stands in `#changes`: only the last one is written. */
  readonly #retained = new Map<string, number>();

  get isEmpty(): boolean {
    return this.#changes.length === 0 && this.#trims.size === 0;
  }

  /** The epoch is over. */
  endEpoch(epoch: number, at: number): void {
    const end = this.#changes.length;
    if (end > (this.#marks.at(-1)?.end ?? 0)) this.#marks.push({ epoch, end, at });
  }

  /** When the first of them were recorded; undefined where there are none of an epoch that is over. */
  get firstAt(): number | undefined {
    return this.#marks[0]?.at;
  }

  add(change: StorageChange): void {
    this.#changes.push(change);
    this.bytes += changeBytes;
  }

  addRow(row: PendingRow): void {
    row.isGathered = true;
    this.#changes.push(row);
    this.bytes += row.bytes + changeBytes;
    if (row.copy !== undefined) row.copy.references++;
  }

  /** The row is not written: it keeps its place until the batch goes, which may be long, but not its message. */
  cancel(row: PendingRow): void {
    row.isCancelled = true;
    row.content = undefined;
    this.bytes -= row.bytes;
    if (row.copy !== undefined) row.copy.references--;
  }

  /** What an earlier message of the topic promised is kept with this one, or both are lost. */
  retain(topic: string, content: StoredMessage | undefined): void {
    const change: StorageChange =
      content === undefined
        ? { kind: "retainedDeleted", topic }
        : { kind: "retained", topic, content };
    const at = this.#retained.get(topic);
    if (at !== undefined) {
      this.#changes[at] = change;
      return;
    }
    this.#retained.set(topic, this.#changes.length);
    this.#changes.push(change);
    this.bytes += changeBytes + (content?.bytes.length ?? 0);
  }

  trim(queue: TrimmedQueue): void {
    this.#trims.add(queue);
  }

  forgetTrim(queue: TrimmedQueue): void {
    this.#trims.delete(queue);
  }

  takeAll(): TakenChanges {
    const { bytes } = this;
    const taken = this.#take(this.#changes.length);
    const trims = [...this.#trims];
    for (const queue of trims) taken.push(queue.trimChange());
    this.#changes = [];
    this.#marks = [];
    this.#retained.clear();
    this.#trims.clear();
    this.bytes = 0;
    this.isUrgent = false;
    return { changes: taken, trims, bytes };
  }

  /**
   * Takes the epochs that ended at `time` or before, where nothing speaks against writing the others later. Answers also which
   * was the last of them.
   */
  takeUntil(time: number): (TakenChanges & { readonly epoch: number }) | undefined {
    const last = this.#marks.findLast(({ at }) => at <= time);
    if (last === undefined || this.isUrgent || this.#trims.size > 0 || this.#retained.size > 0)
      return undefined;
    const bytesBefore = this.bytes;
    const changes = this.#take(last.end);
    this.#changes = this.#changes.slice(last.end);
    this.#marks = this.#marks
      .filter(({ end }) => end > last.end)
      .map((mark) => ({ ...mark, end: mark.end - last.end }));
    return { changes, trims: [], bytes: bytesBefore - this.bytes, epoch: last.epoch };
  }

  /**
   * The first changes as they are written: without what was called off, each message before its first row, and what has a
   * queue before all rows: one that was there already may have moved to it.
   */
  #take(end: number): StorageChange[] {
    const owners: StorageChange[] = [];
    const changes: StorageChange[] = [];
    for (let index = 0; index < end; index++) {
      const change = this.#changes[index];
      this.bytes -= changeBytes;
      if (!(change instanceof PendingRow)) {
        const isOwner = change.kind === "session" || change.kind === "shared";
        (isOwner ? owners : changes).push(change);
        continue;
      }
      if (change.isCancelled) continue;
      change.isGathered = false;
      this.bytes -= change.bytes;
      const { content, copy, message } = change;
      if (content !== undefined && copy !== undefined && copy.references > 0) {
        changes.push({ kind: "message", message, references: copy.references, content });
        copy.references = 0;
      }
      changes.push({ kind: "row", row: change });
    }
    return owners.length === 0 ? changes : [...owners, ...changes];
  }
}
