/** A thread that runs one seed after the other, and says which before it begins: one that never ends can be named. */
import { parentPort, workerData } from "node:worker_threads";
import { runSeed } from "./run-seed.ts";

export interface WorkerData {
  readonly from: number;
  /** From one seed to the next: the threads share the seeds out. */
  readonly step: number;
  readonly end: number;
  /** The seed that it is at. */
  readonly place: BigInt64Array;
}

export interface Failure {
  readonly seed: number;
  readonly fault: string;
  readonly lines: readonly string[];
}

export type WorkerMessage =
  | {
      readonly kind: "progress";
      readonly seeds: number;
      readonly events: number;
      readonly crashes: number;
    }
  | { readonly kind: "done"; readonly failure: Failure | undefined };

const linesTold = 80;
const seedsBetweenProgress = 50;

async function work({ from, step, end, place }: WorkerData): Promise<void> {
  const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
  let totals = { seeds: 0, events: 0, crashes: 0 };
  const progress = (): void => {
    tell({ kind: "progress", ...totals });
    totals = { seeds: 0, events: 0, crashes: 0 };
  };
  for (let seed = from; seed < end; seed += step) {
    place[0] = BigInt(seed);
    const { fault, lines, events, crashes } = await runSeed(seed);
    totals = {
      seeds: totals.seeds + 1,
      events: totals.events + events,
      crashes: totals.crashes + crashes,
    };
    if (fault !== undefined) {
      progress();
      tell({ kind: "done", failure: { seed, fault, lines: lines.slice(-linesTold) } });
      return;
    }
    if (totals.seeds === seedsBetweenProgress) progress();
  }
  progress();
  tell({ kind: "done", failure: undefined });
}

await work(workerData as WorkerData);
