/** Loads of a fixed number of readings, by programs that run alone on the core of a consumer. */
import { execFile } from "node:child_process";
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import type { SinkValues } from "../../src/sinks/sink.ts";
import type { ReadingsFigures } from "../results.ts";
import { readings } from "../scenarios.ts";
import { brokerCore, type Settings } from "../settings.ts";

const run = promisify(execFile);
const millisecondsMax = 300_000;
const chunkCharacters = 1_000_000;

/** What is loaded first, and what is measured. */
export interface Amounts {
  readonly before: number;
  readonly count: number;
}

/** As many as fast sinks take in the time of a measurement. */
export function amountsOf({ seconds }: Settings): Amounts {
  return { before: readings.warmUp, count: readings.perSecond * seconds };
}

/** Pipeline and sink in a process of their own. */
export function runPipeline(
  sink: string,
  values: SinkValues,
  { folder, ...settings }: Settings,
): Promise<ReadingsFigures> {
  const { before, count } = amountsOf({ folder, ...settings });
  const parameters = [sink, JSON.stringify(values), folder, String(before), String(count)];
  return runFile("pipeline-process", parameters);
}

/** A file of this folder that prints its figures. */
export async function runFile(
  name: string,
  parameters: readonly string[],
): Promise<ReadingsFigures> {
  const file = join(import.meta.dirname, `${name}.ts`);
  const output = await runAlone([process.execPath, file, ...parameters]);
  return JSON.parse(output) as ReadingsFigures;
}

/** Answers what the program has printed. */
export async function runAlone(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { stdout } = await run("taskset", ["-c", brokerCore, ...command], {
    timeout: millisecondsMax,
    env: { ...process.env, ...environment },
  });
  return stdout;
}

export async function timeSeconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Messages, by their numbers. */
export interface Stretch {
  readonly from: number;
  readonly count: number;
}

/** Answers the file, in which each message is what `lineAt` makes of it, behind `head`. */
export async function writeLines(
  file: string,
  { from, count }: Stretch,
  lineAt: (index: number) => string,
  head = "",
): Promise<string> {
  function* chunks() {
    let text = head;
    for (let index = from; index < from + count; index++) {
      text += lineAt(index);
      if (text.length < chunkCharacters) continue;
      yield text;
      text = "";
    }
    yield text;
  }
  await pipeline(Readable.from(chunks()), createWriteStream(file));
  return file;
}
