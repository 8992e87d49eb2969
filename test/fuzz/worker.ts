/** The thread that fuzzes: it tells its supervisor where it is before each action, so that an endless one can be named. */
import { parentPort, workerData } from "node:worker_threads";
import { describeAction } from "./action.ts";
import type { Totals } from "./coverage.ts";
import { type RunOptions, runRounds } from "./run.ts";
import { describeSettings } from "./settings.ts";

export interface WorkerData {
  readonly options: RunOptions;
  /** The round, the action in it, and how many actions there were in all. */
  readonly place: Int32Array;
}

export interface FailureReport {
  readonly round: number;
  readonly kind: string;
  readonly detail: string;
  readonly settings: string;
  readonly actions: readonly string[];
}

export type WorkerMessage =
  | { readonly kind: "progress"; readonly totals: Totals }
  | {
      readonly kind: "done";
      readonly totals: Totals;
      readonly heapBytes: readonly number[];
      readonly failure: FailureReport | undefined;
    };

const millisecondsBetweenProgress = 2000;

async function work({ options, place }: WorkerData): Promise<void> {
  let toldAt = 0;
  const tell = (message: WorkerMessage): void => parentPort?.postMessage(message);
  const { totals, heapBytes, failure } = await runRounds(
    options,
    (round, action) => {
      place[0] = round;
      place[1] = action;
      Atomics.add(place, 2, 1);
    },
    (now) => {
      if (performance.now() - toldAt < millisecondsBetweenProgress) return;
      toldAt = performance.now();
      tell({ kind: "progress", totals: now });
    },
  );
  const report = failure && {
    round: failure.round,
    kind: failure.result.violation?.kind ?? "",
    detail: failure.result.violation?.detail ?? "",
    settings: describeSettings(failure.result.settings),
    actions: failure.result.actions.map(describeAction),
  };
  tell({ kind: "done", totals, heapBytes, failure: report });
}

await work(workerData as WorkerData);
