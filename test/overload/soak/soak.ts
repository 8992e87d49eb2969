/**
 * A soak: tserve with a small memoryBytesMax under everything at once. It fails when what counts for that goes beyond it, or
 * the process has more than that and a fixed base, when bystanders lose a message or wait too long, when the limit was never reached, so that
 * nothing was shown, or when the memory does not come back after all have left.
 */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Bystanders } from "./bystanders.ts";
import { chartHead, chartLine, Figures, type Sample } from "./samples.ts";
import { SoakedServer } from "./tserve.ts";

const megabyte = 1_048_576;
/**
 * What a process has beside what counts for memoryBytesMax: the program and V8's own, the thread of the storage and
 * SQLite's cache (together 90 MB at the start), what came between two looks, and what the C library keeps of buffers
 * that were freed. 200 MB were measured.
 */
const baseBytes = 256 * megabyte;
/** By how much what counts may be beyond memoryBytesMax, between two looks and before a collection. */
const overshootBytesMax = 64 * megabyte;
const waitMillisecondsMax = 5000;
/**
 * How much more than at the start may count for memoryBytesMax when all have gone, and how long that may take. Resident
 * memory does not come back: the C library keeps it, and takes from it when more is needed.
 */
const leftBytesMax = 64 * megabyte;
const recoverySecondsMax = 60;

export interface SoakOptions {
  readonly seconds: number;
  readonly memoryBytesMax: number;
  /** Takes the curve, line by line. */
  readonly print: (line: string) => void;
}

export interface SoakResult {
  /** Nothing when all is well. */
  readonly faults: readonly string[];
}

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const server = await SoakedServer.start(options.memoryBytesMax);
  const run = new SoakRun(server, options);
  try {
    return await run.run(options.seconds);
  } finally {
    run.end();
    await server.stop();
  }
}

class SoakRun {
  readonly #server: SoakedServer;
  readonly #print: (line: string) => void;
  readonly #boundBytes: number;
  readonly #countedBytesMax: number;
  readonly #samples: Sample[] = [];
  readonly #faults: string[] = [];
  #load: ChildProcess[] = [];
  #figures: Figures | undefined;

  constructor(server: SoakedServer, { print, memoryBytesMax }: SoakOptions) {
    this.#server = server;
    this.#print = print;
    this.#boundBytes = memoryBytesMax + baseBytes;
    this.#countedBytesMax = memoryBytesMax + overshootBytesMax;
  }

  async run(seconds: number): Promise<SoakResult> {
    const figures = await Figures.start(this.#server.port);
    this.#figures = figures;
    await sleep(1500);
    const atStart = figures.number("memory/bytes");
    const bystanders = await Bystanders.start(this.#server.port);
    const program = join(import.meta.dirname, "load.ts");
    const { port } = this.#server;
    this.#load = ["floods", "crowds"].map((part) => fork(program, [String(port), part]));
    this.#print(chartHead);
    for (let second = 1; second <= seconds; second++) {
      await sleep(1000);
      this.#take(second, figures);
      if (!this.#server.isRunning) throw new Error("tserve has ended");
    }
    const slowest = bystanders.slowestMilliseconds;
    const lost = await bystanders.finish(waitMillisecondsMax);
    this.#stopLoad();
    this.#judge(bystanders.count, slowest, lost);
    await this.#watchRecovery(atStart, figures);
    for (const [name, value] of figures.dropReasons) this.#print(`${name}: ${value}`);
    return { faults: this.#faults };
  }

  #take(second: number, figures: Figures): void {
    const sample = figures.sample(second, this.#server.residentBytes);
    this.#samples.push(sample);
    this.#print(chartLine(sample, this.#boundBytes));
  }

  #judge(messages: number, slowest: number, lost: number): void {
    const peak = Math.max(...this.#samples.map(({ residentBytes }) => residentBytes));
    this.#print(
      `bystanders: ${messages} messages, ${lost} lost, the slowest ${slowest.toFixed(0)} ms; RSS at most ${inMegabytes(peak)}`,
    );
    if (peak > this.#boundBytes) this.#faults.push(`RSS came to ${inMegabytes(peak)}`);
    const counted = Math.max(...this.#samples.map(({ memoryBytes }) => memoryBytes));
    if (counted > this.#countedBytesMax)
      this.#faults.push(`what counts for memoryBytesMax came to ${inMegabytes(counted)}`);
    if (lost > 0) this.#faults.push(`bystanders lost ${lost} messages`);
    if (slowest > waitMillisecondsMax) this.#faults.push(`a bystander waited ${slowest} ms`);
    if (!this.#samples.some(({ isShort }) => isShort)) this.#faults.push("memory was never short");
    this.#faults.push(...this.#server.errors);
  }

  async #watchRecovery(atStart: number, figures: Figures): Promise<void> {
    const from = (this.#samples.at(-1)?.seconds ?? 0) + 1;
    let left = 0;
    for (let second = 0; second < recoverySecondsMax; second++) {
      await sleep(1000);
      this.#take(from + second, figures);
      left = figures.number("memory/bytes") - atStart;
      const isQuiet =
        figures.number("clients/total") <= 3 && figures.text("memory/state") === "enough";
      if (isQuiet && left <= leftBytesMax) {
        this.#print(
          `${second + 1} s after all had left: ${inMegabytes(left)} more than at the start`,
        );
        return;
      }
    }
    const clients = figures.number("clients/total");
    this.#faults.push(
      `${recoverySecondsMax} s after all had left: ${inMegabytes(left)} more than at the start, ${clients} sessions, memory ${figures.text("memory/state")}`,
    );
  }

  end(): void {
    this.#stopLoad();
    this.#figures?.end();
  }

  #stopLoad(): void {
    for (const child of this.#load) child.kill("SIGKILL");
  }
}

function inMegabytes(bytes: number): string {
  return `${(bytes / megabyte).toFixed(0)} MB`;
}
