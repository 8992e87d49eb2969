/**
 * Measures the tasks of one file of this folder with tinybench and prints them, or gives them to `bench/micro.ts` as
 * one line of JSON where that asks for it (`--json`). What is shown is the median: machines are shared and noisy.
 */
import { basename } from "node:path";
import { Bench } from "tinybench";
import type { MicroFigure } from "../results.ts";

export interface MicroTask {
  readonly name: string;
  /** What one operation is. */
  readonly unit: string;
  /** How many of them one call of `run` does: enough that reading the time does not count. */
  readonly operations: number;
  run(): void;
}

const milliseconds = 500;
const warmUpMilliseconds = 250;

/** `file` is the caller's `import.meta.filename`. */
export async function measureTasks(file: string, tasks: readonly MicroTask[]): Promise<void> {
  const figures = await timeTasks(file, tasks, {
    time: milliseconds,
    warmupTime: warmUpMilliseconds,
  });
  print(figures, undefined);
}

/** Each task exactly `calls` times, without a warm-up: for what changes what it works on. */
export async function timeCalls(
  file: string,
  tasks: readonly MicroTask[],
  calls: number,
): Promise<MicroFigure[]> {
  return timeTasks(file, tasks, { time: 0, iterations: calls, warmup: false });
}

/** `more` is what the file has measured besides. */
export function print(figures: readonly MicroFigure[], more: object | undefined): void {
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ figures, more }));
    return;
  }
  for (const { name, unit, nanoseconds, spreadNanoseconds } of figures) {
    const time = `${nanoseconds.toFixed(1)} ns`.padStart(12);
    console.log(`${time} ± ${spreadNanoseconds.toFixed(1)} for each ${unit}: ${name}`);
  }
  if (more !== undefined) console.log(more);
}

async function timeTasks(
  file: string,
  tasks: readonly MicroTask[],
  options: ConstructorParameters<typeof Bench>[0],
): Promise<MicroFigure[]> {
  const bench = new Bench({ throws: true, ...options });
  // Said to be synchronous, or tinybench would call it once to find out.
  for (const { name, run } of tasks) bench.add(name, run, { async: false });
  await bench.run();
  return bench.tasks.map(({ name, result }, index) => {
    if (!("latency" in result)) throw new Error(`${name} was not measured: ${result.state}`);
    const { operations, unit } = tasks[index];
    const nanosecondsOf = (value: number) => (value * 1e6) / operations;
    return {
      file: basename(file, ".ts"),
      name,
      unit,
      nanoseconds: nanosecondsOf(result.latency.p50),
      spreadNanoseconds: nanosecondsOf(result.latency.mad),
    };
  });
}
