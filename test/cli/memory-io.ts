/** A `ProgramIo` without a process, for tests that run a program as a function. */
import { PassThrough, type Writable } from "node:stream";
import type { Program, ProgramIo } from "../../src/cli/program-io.ts";

export interface RunResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `program` with nothing on stdin and no terminal. */
export async function runInMemory(
  program: Program,
  args: readonly string[],
  environment: ProgramIo["environment"] = {},
): Promise<RunResult> {
  const stdin = new PassThrough();
  stdin.end();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const code = await program(args, {
    stdin,
    stdout,
    stderr,
    environment,
    onInterrupt: () => () => undefined,
    askSecret: () => Promise.reject(new Error("no terminal")),
  });
  return { code, stdout: textOf(stdout), stderr: textOf(stderr) };
}

function textOf(stream: Writable & { read(): Buffer | null }): string {
  return stream.read()?.toString() ?? "";
}
