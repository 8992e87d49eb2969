/** Runs one of the clients in bench/clients, on the core of the load unless something else is said. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { loadCore } from "./settings.ts";

export interface ClientProcess {
  /** Ends its stdin, which tells it to leave. */
  leave(): void;
  /** Its first line, or all that it has said when it ended before. */
  readonly firstOutput: Promise<string>;
  /** All of its output, once it has ended; rejects when it failed. */
  readonly output: Promise<string>;
}

/** `niceness` 19 leaves the core to whoever else wants it. */
export function startClient(
  name: string,
  parameters: readonly string[],
  niceness = 0,
  core: string = loadCore,
): ClientProcess {
  const file = join(import.meta.dirname, `clients/${name}.ts`);
  const command = ["-c", core, "nice", "-n", String(niceness), process.execPath, file];
  const child = spawn("taskset", [...command, ...parameters], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<number | null>((resolve) => {
    child.once("close", resolve);
  });
  const all = text(child.stdout);
  const first = new Promise<string>((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(String(chunk)));
    child.once("close", () => resolve(""));
  });
  return {
    leave: () => child.stdin.end(),
    firstOutput: first,
    output: finish(name, ended, all),
  };
}

async function finish(
  name: string,
  ended: Promise<number | null>,
  all: Promise<string>,
): Promise<string> {
  const exitCode = await ended;
  if (exitCode !== 0) throw new Error(`bench/clients/${name}.ts ended with exit code ${exitCode}`);
  return all;
}
