/**
 * The world of a command line program, as one value: what it reads, prints, is told by signals, and
 * finds in its environment. A program is `parse -> run(options, io) -> exit code`, and touches
 * `process` only through this file, so that `tstack` and the tests can run it like a function.
 */
import { openSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { ReadStream } from "node:tty";

export interface ProgramIo {
  readonly stdin: Readable;
  /** Data, and nothing else. */
  readonly stdout: Writable;
  /** Talk: errors, warnings, progress. */
  readonly stderr: Writable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls back at every SIGINT and SIGTERM; returns what takes the callback away again. */
  onInterrupt(callback: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Asks on the terminal, without echo, for one line; rejects where there is no terminal. */
  askSecret(question: string): Promise<string>;
}

/** Every program's `run`. The arguments are those after the program's name. */
export type Program = (args: readonly string[], io: ProgramIo) => Promise<number>;

export function openProcessIo(): ProgramIo {
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    onInterrupt(callback) {
      process.on("SIGINT", callback);
      process.on("SIGTERM", callback);
      return () => {
        process.off("SIGINT", callback);
        process.off("SIGTERM", callback);
      };
    },
    askSecret,
  };
}

/** Runs a program as this process: its exit code is the process's, after its output has left. */
export async function runAsProcess(program: Program): Promise<void> {
  const io = openProcessIo();
  // A reader that went away (`| head -1`) is no crash. A program that writes data listens itself, and ends.
  io.stdout.on("error", () => undefined);
  process.exitCode = await program(process.argv.slice(2), io);
  await Promise.all([flush(io.stdout), flush(io.stderr)]);
  process.exit();
}

/** Resolves when what was written has left, or cannot any more. */
function flush(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write("", () => resolve());
  });
}

async function askSecret(question: string): Promise<string> {
  // Not stdin: that may carry the messages.
  const terminal = new ReadStream(openSync("/dev/tty", "r+"));
  // First no echo, then the question: who answers fast must not be seen either.
  terminal.setRawMode(true);
  process.stderr.write(question);
  let line = "";
  try {
    for await (const chunk of terminal.setEncoding("utf8")) {
      for (const character of chunk as string) {
        if (character === "\r" || character === "\n" || character === "\u0004") return line;
        if (character === "\u0003") throw new Error("interrupted");
        if (character === "\u007f" || character === "\b") line = line.slice(0, -1);
        else line += character;
      }
    }
    return line;
  } finally {
    terminal.setRawMode(false);
    terminal.destroy();
    process.stderr.write("\n");
  }
}
