/** Runs the client programs as processes of their own, with bounds on their time. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

const root = path.join(import.meta.dirname, "../..");
const boundMilliseconds = 60_000;

const running = new Set<ChildProcessWithoutNullStreams>();

// A test that fails leaves its programs behind.
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export interface Ended {
  /** The exit code, or the name of the signal. */
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface StartOptions {
  readonly stdin?: string | Buffer;
  readonly environment?: Readonly<Record<string, string>>;
}

export class RunningProgram {
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  readonly #stdout: Buffer[] = [];
  #stderr = "";

  constructor(command: string, args: readonly string[], options: StartOptions = {}) {
    this.child = spawn(command, args, {
      env: { PATH: process.env.PATH, TZ: "Asia/Kolkata", ...options.environment },
      timeout: boundMilliseconds,
      killSignal: "SIGKILL",
    });
    running.add(this.child);
    this.child.stdout.on("data", (chunk: Buffer) => this.#stdout.push(chunk));
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr += text;
    });
    this.child.stdin.on("error", () => undefined); // a program may end before it has read all
    if (options.stdin !== undefined) this.child.stdin.end(options.stdin);
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        running.delete(this.child);
        resolve({ code: code ?? signal, stdout: this.bytes.toString(), stderr: this.#stderr });
      });
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#stdout);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Waits until `text` stands in its output, or fails when it ends without. */
  async saw(text: string, where: "stdout" | "stderr" = "stderr"): Promise<void> {
    const has = () => (where === "stdout" ? this.bytes.toString() : this.#stderr).includes(text);
    if (has()) return;
    await new Promise<void>((resolve, reject) => {
      this.child[where].on("data", () => {
        if (has()) resolve();
      });
      void this.ended.then(() => {
        reject(new Error(`ended without "${text}": ${this.#stderr} ${this.bytes.toString()}`));
      });
    });
  }

  /** Waits for anything more on stderr. */
  async sawMore(): Promise<void> {
    await once(this.child.stderr, "data");
  }
}

export function start(
  name: "tpublish" | "tsubscribe" | "tbench" | "tconsume",
  args: readonly string[],
  options?: StartOptions,
): RunningProgram {
  const file = path.join(root, "src/cli", `${name}.ts`);
  return new RunningProgram(process.execPath, [file, ...args], options);
}

/** A tsubscribe that the broker has already subscribed. */
export async function startSubscribed(
  args: readonly string[],
  options?: StartOptions,
): Promise<RunningProgram> {
  const subscriber = start("tsubscribe", ["-d", ...args], options);
  await subscriber.saw("tsubscribe: subscribed\n");
  return subscriber;
}

export function run(
  name: "tpublish" | "tsubscribe" | "tbench" | "tconsume",
  args: readonly string[],
  options?: StartOptions,
): Promise<Ended> {
  return start(name, args, options).ended;
}
