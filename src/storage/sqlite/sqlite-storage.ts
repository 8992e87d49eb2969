/**
 * The engine on the main thread: encodes batches for the worker and decodes its pages. Requests are answered in their order.
 * Once the worker is gone, every request is refused with STORAGE_UNAVAILABLE.
 */
import type { DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { assert, type Log, TstackError } from "../../base/index.ts";
import type {
  CommitOutcome,
  QueuePage,
  RecordChange,
  RecordStore,
  RestoredState,
  Storage,
  StorageChange,
  StoredDelivery,
  StoredRecord,
} from "../../broker/ports.ts";
import { encodeBatch } from "./batch-writer.ts";
import type { SqliteDurability } from "./database.ts";
import { describeFailure, toError } from "./failure.ts";
import type { FolderLock } from "./folder-lock.ts";
import { decodePage } from "./page-form.ts";
import { restoreState } from "./restored-state.ts";
import type { WorkerAnswer, WorkerRequest, WorkerStart } from "./worker-messages.ts";

export interface OpenedFolder {
  readonly folder: string;
  readonly file: string;
  readonly lock: FolderLock;
  /** For `restore`; the worker has one of its own. */
  readonly database: DatabaseSync;
}

interface Waiter {
  resolve(answer: WorkerAnswer): void;
  reject(error: Error): void;
}

const spareBytes = 65_536;
/** A larger buffer than this is not kept for the next batch. */
const spareBytesMax = 4_194_304;

export class SqliteStorage implements Storage, RecordStore {
  readonly durability: SqliteDurability;
  readonly location: string;
  readonly #file: string;
  readonly #lock: FolderLock;
  readonly #log: Log;
  readonly #worker: Worker;
  readonly #waiters: Waiter[] = [];
  readonly #exited: Promise<void>;
  /** Until everything has been restored. */
  #database: DatabaseSync | undefined;
  #spare: ArrayBuffer | undefined;
  #end: Error | undefined;
  #closing: Promise<void> | undefined;

  constructor(opened: OpenedFolder, durability: SqliteDurability, log: Log) {
    this.durability = durability;
    this.location = opened.folder;
    this.#file = opened.file;
    this.#lock = opened.lock;
    this.#database = opened.database;
    this.#log = log;
    this.#worker = startWorker({
      file: opened.file,
      durability,
      lockFile: opened.lock.file,
      lockIdentity: opened.lock.identity,
    });
    this.#worker.on("message", (answer: WorkerAnswer) => this.#answered(answer));
    this.#worker.on("error", (error) => this.#ended(error));
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#ended(undefined);
        resolve();
      });
    });
    // Listening has made the process wait for it.
    this.#worker.unref();
  }

  restore(): RestoredState {
    const database = this.#database;
    assert(database !== undefined, "a storage is restored once, before everything else");
    const explain = (error: unknown) => toError(describeFailure(error, this.#file), error);
    try {
      const state = restoreState(database, () => this.#restored());
      return {
        ...state,
        sessions: explained(state.sessions, explain),
        shared: explained(state.shared, explain),
        retained: explained(state.retained, explain),
      };
    } catch (error) {
      throw explain(error);
    }
  }

  async commit(changes: readonly StorageChange[]): Promise<CommitOutcome> {
    this.#restored();
    const spare = this.#spare ?? new ArrayBuffer(spareBytes);
    this.#spare = undefined;
    const batch = encodeBatch(changes, spare);
    const answer = await this.#ask({ kind: "commit", batch }, [batch]);
    assert(answer.kind === "committed", "a batch is answered with its commit");
    if (answer.batch.byteLength <= spareBytesMax) this.#spare = answer.batch;
    return { trimmed: answer.trimmed };
  }

  async readWaiting(page: QueuePage): Promise<readonly StoredDelivery[]> {
    this.#restored();
    return toDeliveries(await this.#ask({ kind: "readWaiting", page }));
  }

  async readUnderWay(queue: number): Promise<readonly StoredDelivery[]> {
    this.#restored();
    return toDeliveries(await this.#ask({ kind: "readUnderWay", queue }));
  }

  /** Also before `restore`: users may be needed first. */
  async readRecords(): Promise<readonly StoredRecord[]> {
    const answer = await this.#ask({ kind: "readRecords" });
    assert(answer.kind === "records", "a question for records is answered with them");
    return answer.records;
  }

  async writeRecords(changes: readonly RecordChange[]): Promise<void> {
    await this.#ask({ kind: "writeRecords", changes });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#restored();
    try {
      if (this.#end === undefined) await this.#ask({ kind: "close" });
    } finally {
      // The worker goes when it has closed; one that is stuck goes anyway.
      await this.#worker.terminate();
      await this.#exited;
      this.#lock.release();
    }
  }

  #ask(request: WorkerRequest, transfer: ArrayBuffer[] = []): Promise<WorkerAnswer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) {
        reject(this.#end);
        return;
      }
      // The process stays while somebody waits.
      if (this.#waiters.length === 0) this.#worker.ref();
      this.#waiters.push({ resolve, reject });
      this.#worker.postMessage(request, transfer);
    });
  }

  #answered(answer: WorkerAnswer): void {
    const waiter = this.#waiters.shift();
    assert(waiter !== undefined, "an answer has been asked for");
    if (this.#waiters.length === 0) this.#worker.unref();
    if (answer.kind === "failed") waiter.reject(toError(answer.failure));
    else waiter.resolve(answer);
  }

  /** The worker is there no more. */
  #ended(cause: unknown): void {
    if (this.#end !== undefined) return;
    const isClosed = this.#closing !== undefined;
    this.#end = new TstackError(
      "STORAGE_UNAVAILABLE",
      isClosed
        ? `the storage in ${this.location} is closed`
        : `the storage in ${this.location} has ended by itself: start the broker again. What was acknowledged is kept.`,
      { cause },
    );
    if (!isClosed) this.#log.error({ folder: this.location, error: cause }, this.#end.message);
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#end);
  }

  #restored(): void {
    this.#database?.close();
    this.#database = undefined;
  }
}

/** What is thrown while it is walked through is what `explain` makes of it. */
function* explained<Item>(
  items: Iterable<Item>,
  explain: (error: unknown) => Error,
): Iterable<Item> {
  try {
    yield* items;
  } catch (error) {
    throw explain(error);
  }
}

function toDeliveries(answer: WorkerAnswer): readonly StoredDelivery[] {
  assert(answer.kind === "page", "a question for rows is answered with a page");
  return decodePage(answer.page);
}

function startWorker(start: WorkerStart): Worker {
  // In the published package this file and its neighbour are JavaScript.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  return new Worker(new URL(`worker.${extension}`, import.meta.url), {
    name: "tstack-storage",
    workerData: start,
    // What this process was started with may not be fit for a worker: "--input-type", for one.
    execArgv: [],
  });
}
