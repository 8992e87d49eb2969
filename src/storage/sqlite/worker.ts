/**
 * The worker thread: takes requests in order and answers each. It opens the database with the first one, when the main thread
 * has made it ready, and brings the log into it after an answer, so that nobody waits for that who need not.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert, unreachable } from "../../base/index.ts";
import { describeFailure } from "./failure.ts";
import { WorkerDatabase } from "./worker-database.ts";
import type { WorkerAnswer, WorkerRequest, WorkerStart } from "./worker-messages.ts";

class StorageWorker {
  readonly #start: WorkerStart;
  #database: WorkerDatabase | undefined;

  constructor(start: WorkerStart) {
    this.#start = start;
  }

  answer(request: WorkerRequest): WorkerAnswer {
    try {
      return this.#answer(request);
    } catch (error) {
      const failure = describeFailure(error, this.#start.file);
      if (failure.code === "STORAGE_FULL") this.#tolerate((database) => database.makeRoom());
      return { kind: "failed", failure };
    }
  }

  /** Work that waits for no answer. */
  tidy(): void {
    this.#tolerate((database) => database.checkpoint());
  }

  #answer(request: WorkerRequest): WorkerAnswer {
    if (request.kind === "close") {
      this.#database?.close();
      return { kind: "closed" };
    }
    this.#database ??= new WorkerDatabase(this.#start);
    switch (request.kind) {
      case "commit": {
        const trimmed = this.#database.commit(request.batch);
        return { kind: "committed", batch: request.batch, trimmed };
      }
      case "readWaiting":
        return { kind: "page", page: this.#database.readWaiting(request.page) };
      case "readUnderWay":
        return { kind: "page", page: this.#database.readUnderWay(request.queue) };
      case "readRecords":
        return { kind: "records", records: this.#database.readRecords() };
      case "writeRecords":
        this.#database.writeRecords(request.changes);
        return { kind: "recordsWritten" };
      default:
        return unreachable(request);
    }
  }

  /** What fails here is nothing that was asked for; the next commit meets the same trouble and says so. */
  #tolerate(work: (database: WorkerDatabase) => void): void {
    if (this.#database === undefined) return;
    try {
      work(this.#database);
    } catch (error) {
      if (describeFailure(error, this.#start.file).code === undefined) throw error;
    }
  }
}

assert(parentPort !== null, "this file is a worker");
const port = parentPort;
const worker = new StorageWorker(workerData as WorkerStart);

port.on("message", (request: WorkerRequest) => {
  const answer = worker.answer(request);
  port.postMessage(answer, transferOf(answer));
  if (request.kind === "commit" || request.kind === "writeRecords") worker.tidy();
  if (answer.kind === "closed") port.close();
});

function transferOf(answer: WorkerAnswer): ArrayBuffer[] {
  if (answer.kind === "committed") return [answer.batch];
  return answer.kind === "page" ? [answer.page] : [];
}
