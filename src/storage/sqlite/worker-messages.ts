/** What the main thread asks of the worker, and what it is answered: one answer for each request, in their order. */
import type { QueuePage, RecordChange, StoredRecord, TrimOutcome } from "../../broker/ports.ts";
import type { SqliteDurability } from "./database.ts";
import type { Failure } from "./failure.ts";

/** What the worker is started with. */
export interface WorkerStart {
  readonly file: string;
  readonly durability: SqliteDurability;
  /** What keeps others out of the folder, and which file that was when it was taken. */
  readonly lockFile: string;
  readonly lockIdentity: string;
}

export type WorkerRequest =
  | { readonly kind: "commit"; readonly batch: ArrayBuffer }
  | { readonly kind: "readWaiting"; readonly page: QueuePage }
  | { readonly kind: "readUnderWay"; readonly queue: number }
  | { readonly kind: "readRecords" }
  | { readonly kind: "writeRecords"; readonly changes: readonly RecordChange[] }
  | { readonly kind: "close" };

export type WorkerAnswer =
  /** The buffer of the batch goes back. */
  | {
      readonly kind: "committed";
      readonly batch: ArrayBuffer;
      readonly trimmed: readonly TrimOutcome[];
    }
  | { readonly kind: "page"; readonly page: ArrayBuffer }
  | { readonly kind: "records"; readonly records: readonly StoredRecord[] }
  | { readonly kind: "recordsWritten" }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly failure: Failure };
