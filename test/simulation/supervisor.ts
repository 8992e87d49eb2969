/** Shares seeds out to threads and watches them: the first one that fails ends the run, and so does one that never ends. */
import { Worker } from "node:worker_threads";
import type { Failure, WorkerData, WorkerMessage } from "./worker.ts";

export interface SimulationRun {
  readonly from: number;
  /** Infinity for ever. */
  readonly seeds: number;
  readonly threads: number;
  /** A seed that takes longer hangs. */
  readonly hangSeconds: number;
}

export interface Verdict {
  readonly seeds: number;
  readonly events: number;
  readonly crashes: number;
  readonly seconds: number;
  readonly failure: Failure | undefined;
}

const millisecondsBetweenLooks = 200;

export async function simulate(
  run: SimulationRun,
  onProgress: (verdict: Verdict) => void = () => undefined,
): Promise<Verdict> {
  const started = performance.now();
  const totals = { seeds: 0, events: 0, crashes: 0 };
  let failure: Failure | undefined;
  const verdict = (): Verdict => {
    return { ...totals, seconds: (performance.now() - started) / 1000, failure };
  };
  const stop = new AbortController();
  const threads = Array.from({ length: run.threads }, async (_, index) => {
    const found = await runThread(run, index, stop.signal, (seeds, events, crashes) => {
      totals.seeds += seeds;
      totals.events += events;
      totals.crashes += crashes;
      onProgress(verdict());
    });
    if (found === undefined) return;
    failure ??= found;
    stop.abort();
  });
  await Promise.all(threads);
  return verdict();
}

async function runThread(
  { from, seeds, threads, hangSeconds }: SimulationRun,
  index: number,
  stop: AbortSignal,
  onProgress: (seeds: number, events: number, crashes: number) => void,
): Promise<Failure | undefined> {
  const place = new BigInt64Array(new SharedArrayBuffer(8));
  const workerData: WorkerData = { from: from + index, step: threads, end: from + seeds, place };
  const worker = new Worker(new URL("worker.ts", import.meta.url), {
    workerData,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Failure | undefined>();
  let last = -1n;
  let movedAt = performance.now();
  const watch = setInterval(() => {
    const now = Atomics.load(place, 0);
    if (now !== last) movedAt = performance.now();
    last = now;
    if (performance.now() - movedAt < hangSeconds * 1000) return;
    resolve({ seed: Number(now), fault: `takes more than ${hangSeconds} s`, lines: [] });
  }, millisecondsBetweenLooks);
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "done") resolve(message.failure);
    else onProgress(message.seeds, message.events, message.crashes);
  });
  worker.on("error", reject);
  worker.on("exit", (code) => reject(new Error(`the simulating thread ended with ${code}`)));
  stop.addEventListener("abort", () => resolve(undefined));
  try {
    return await promise;
  } finally {
    clearInterval(watch);
    await worker.terminate();
  }
}

export function describeProgress({ seeds, events, crashes, seconds }: Verdict): string {
  return `${seeds} seeds, ${events} events, ${crashes} crashes of the broker, ${seconds.toFixed(1)} s`;
}

/** Empty when nothing failed. */
export function describeFailure({ failure }: Verdict): string {
  if (failure === undefined) return "";
  const { seed, fault, lines } = failure;
  return [
    ...lines,
    `FAILED: seed ${seed}: ${fault}`,
    `to see it again: npm run simulate -- --seed ${seed} --verbose`,
  ].join("\n");
}
