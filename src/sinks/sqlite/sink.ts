/**
 * The sink on the main thread: numbers and encodes, the worker writes. The worker is started by the first batch; the
 * process does not stay for it while nothing is asked of it.
 */
import { Worker } from "node:worker_threads";
import { type MappedMessage, type Sink, SinkUnavailable } from "../sink.ts";
import { BatchEncoder, rowWidth } from "./batch.ts";
import type { Failure } from "./failure.ts";
import type { SqliteSettings } from "./settings.ts";
import type { WorkerAnswer, WorkerRequest } from "./worker-messages.ts";

interface StartedWorker {
  readonly worker: Worker;
  readonly encoder: BatchEncoder;
  readonly exited: Promise<void>;
}

export class SqliteSink implements Sink {
  readonly #settings: SqliteSettings;
  #started: StartedWorker | undefined;
  #waiter: PromiseWithResolvers<void> | undefined;

  constructor(settings: SqliteSettings) {
    this.#settings = settings;
  }

  async write(batch: readonly MappedMessage[]): Promise<number> {
    this.#started ??= this.#start();
    const { worker, encoder } = this.#started;
    const encoded = encoder.encode(batch);
    const count = encoded.rows.length / rowWidth;
    if (count > 0) await this.#ask(worker, { kind: "write", batch: encoded });
    return count;
  }

  async close(): Promise<void> {
    const started = this.#started;
    if (started === undefined) return;
    try {
      await this.#ask(started.worker, { kind: "close" });
    } finally {
      await started.worker.terminate();
      await started.exited;
    }
  }

  #start(): StartedWorker {
    // In the published package this file and its neighbour are JavaScript.
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`worker.${extension}`, import.meta.url), {
      name: "tstack-sqlite-sink",
      workerData: this.#settings,
      // What this process was started with may not be fit for a worker: "--input-type", for one.
      execArgv: [],
    });
    worker.on("message", (answer: WorkerAnswer) => {
      if (answer.kind === "done") this.#settle((waiter) => waiter.resolve());
      else this.#settle((waiter) => waiter.reject(toError(answer.failure)));
    });
    // A bug, which is told to who waits; the next write has a new worker.
    worker.on("error", (error) => this.#settle((waiter) => waiter.reject(error)));
    const exited = new Promise<void>((resolve) => {
      worker.on("exit", () => {
        this.#started = undefined;
        this.#settle((waiter) => waiter.reject(new Error("the worker of SQLite has ended")));
        resolve();
      });
    });
    worker.unref();
    return { worker, encoder: new BatchEncoder(), exited };
  }

  #ask(worker: Worker, request: WorkerRequest): Promise<void> {
    this.#waiter = Promise.withResolvers();
    worker.ref();
    worker.postMessage(request, request.kind === "write" ? [request.batch.rows.buffer] : []);
    return this.#waiter.promise;
  }

  #settle(settle: (waiter: PromiseWithResolvers<void>) => void): void {
    const waiter = this.#waiter;
    if (waiter === undefined) return;
    this.#waiter = undefined;
    this.#started?.worker.unref();
    settle(waiter);
  }
}

function toError({ message, isOfWorld }: Failure): Error {
  return isOfWorld ? new SinkUnavailable(message) : new Error(message);
}
