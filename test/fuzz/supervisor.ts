/**
 * Starts the thread that fuzzes and watches it: when it stands still in one action, the thread is ended, and a second
 * one goes the same way up to that action to tell what it was.
 */
import { Worker } from "node:worker_threads";
import type { Totals } from "./coverage.ts";
import type { RunOptions } from "./run.ts";
import type { FailureReport, WorkerData, WorkerMessage } from "./worker.ts";

export interface Verdict {
  readonly totals: Totals | undefined;
  readonly heapBytes: readonly number[];
  readonly failure: FailureReport | undefined;
  readonly seconds: number;
}

interface Supervision {
  /** An action that takes longer hangs. */
  readonly hangSeconds: number;
  readonly onProgress: (totals: Totals, seconds: number) => void;
}

type Outcome =
  | Extract<WorkerMessage, { kind: "done" }>
  | { readonly kind: "hang"; readonly place: Int32Array };

export async function fuzz(options: RunOptions, supervision: Supervision): Promise<Verdict> {
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  let totals: Totals | undefined;
  const outcome = await runWorker(options, supervision.hangSeconds, (now) => {
    totals = now;
    supervision.onProgress(now, seconds());
  });
  if (outcome.kind === "done") return { ...outcome, seconds: seconds() };
  const failure = await describeHang(options, outcome.place, supervision.hangSeconds);
  return { totals, heapBytes: [], failure, seconds: seconds() };
}

/** The same way once more, and a stop just before the action that did not end. */
async function describeHang(
  options: RunOptions,
  [round, stopBefore]: Int32Array,
  hangSeconds: number,
): Promise<FailureReport> {
  const again = { ...options, packets: Number.POSITIVE_INFINITY, onlyRound: round, stopBefore };
  const outcome = await runWorker(again, hangSeconds, () => undefined);
  const kind = "an action does not end";
  const detail = `action ${stopBefore} took more than ${hangSeconds} s`;
  if (outcome.kind === "done" && outcome.failure !== undefined) {
    return { ...outcome.failure, kind, detail };
  }
  return { round, kind, detail, settings: "", actions: [] };
}

async function runWorker(
  options: RunOptions,
  hangSeconds: number,
  onProgress: (totals: Totals) => void,
): Promise<Outcome> {
  const place = new Int32Array(new SharedArrayBuffer(12));
  const workerData: WorkerData = { options, place };
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
  let beats = 0;
  let movedAt = performance.now();
  const watch = setInterval(() => {
    const now = Atomics.load(place, 2);
    if (now !== beats || now === 0) movedAt = performance.now();
    beats = now;
    if (performance.now() - movedAt > hangSeconds * 1000) resolve({ kind: "hang", place });
  }, 100);
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "done") resolve(message);
    else onProgress(message.totals);
  });
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`the fuzzing thread ended with ${code}`)));
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}
