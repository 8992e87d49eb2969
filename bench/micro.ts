/** Runs the files of bench/micro one after the other, each in a process of its own on the broker's core. */
import { execFile } from "node:child_process";
import { globSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { MicroFigure, MicroResults, TreeFigures } from "./results.ts";
import { brokerCore } from "./settings.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "micro");
/** What the others are made of. */
const parts = ["samples.ts", "stopwatch.ts"];
const millisecondsMax = 300_000;

export async function measureMicro(): Promise<MicroResults> {
  const files = globSync("*.ts", { cwd: folder }).filter((file) => !parts.includes(file));
  const figures: MicroFigure[] = [];
  let tree: TreeFigures | undefined;
  for (const file of files.sort()) {
    const output = await runFile(file);
    figures.push(...output.figures);
    tree ??= output.more;
    for (const { name, unit, nanoseconds } of output.figures) {
      console.log(`  ${basename(file, ".ts")}, ${name}: ${nanoseconds.toFixed(1)} ns a ${unit}`);
    }
  }
  if (tree === undefined) throw new Error("no file has measured the tree");
  return { date: new Date().toISOString().slice(0, 10), figures, tree };
}

interface Output {
  readonly figures: readonly MicroFigure[];
  readonly more?: TreeFigures;
}

async function runFile(file: string): Promise<Output> {
  const node = [process.execPath, "--expose-gc", join(folder, file), "--json"];
  const { stdout } = await run("taskset", ["-c", brokerCore, ...node], {
    timeout: millisecondsMax,
  });
  return JSON.parse(stdout) as Output;
}
