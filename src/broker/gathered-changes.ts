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

export class GatheredChanges {
  /** Each batch has its own, from 1 on. */
  readonly batch: number;
  /** Of messages, and of the changes themselves. */
  bytes = 0;
  /** Whether somebody waits for them who gains nothing from waiting longer. */
  isUrgent = false;
  readonly trims = new Set<TrimmedQueue>();
  readonly #changes: (StorageChange | PendingRow)[] = [];
  /** Where the retained message of a topic stands in `#changes`: only the last one is written. */
  readonly #retained = new Map<string, number>();

  constructor(batch: number) {
    this.batch = batch;
  }

  get isEmpty(): boolean {
    return this.#changes.length === 0 && this.trims.size === 0;
  }

  holds(row: PendingRow): boolean {
    return row.batch === this.batch;
  }

  add(change: StorageChange): void {
    this.#changes.push(change);
    this.bytes += changeBytes;
  }

  addRow(row: PendingRow): void {
    row.batch = this.batch;
    this.#changes.push(row);
    this.bytes += row.bytes + changeBytes;
    if (row.content !== undefined) row.content.storedReferences++;
  }

  /** The row is not written. */
  cancel(row: PendingRow): void {
    row.isCancelled = true;
    this.bytes -= row.bytes;
    if (row.content !== undefined) row.content.storedReferences--;
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
    this.bytes += content?.bytes.length ?? 0;
  }

  /** As they are written: without what was called off, each message before its first row. */
  close(): StorageChange[] {
    const changes: StorageChange[] = [];
    for (const change of this.#changes) {
      if (!(change instanceof PendingRow)) {
        changes.push(change);
        continue;
      }
      if (change.isCancelled) continue;
      const { content, message } = change;
      if (content !== undefined && content.storedReferences > 0) {
        changes.push({ kind: "message", message, references: content.storedReferences, content });
        content.storedReferences = 0;
      }
      changes.push({ kind: "row", row: change });
    }
    for (const queue of this.trims) changes.push(queue.trimChange());
    return changes;
  }
}
