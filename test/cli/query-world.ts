/** What the tests of `tconsume query` share: files of readings, and the program as a function, on a terminal or not. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import type { TestContext } from "node:test";
import { runQuery } from "../../src/cli/query/query.ts";
import type { MessageParts } from "../../src/sinks/conformance/messages.ts";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { sqliteSink } from "../../src/sinks/sqlite/index.ts";
import type { RunResult } from "./memory-io.ts";

/** Writes a file that goes with the test. */
export async function writeReadings(
  context: TestContext,
  parts: readonly MessageParts[],
): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "tstack-query-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "readings.db");
  await addReadings(file, parts);
  return file;
}

export async function addReadings(file: string, parts: readonly MessageParts[]): Promise<void> {
  const configured = await sqliteSink.configure({ "sqlite-file": file });
  const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
  const maker = new MessageMaker();
  await sink.write(parts.map((each) => maker.make(each)));
  await sink.close();
}

interface Terminal {
  readonly columns: number;
  readonly rows: number;
}

interface QueryWorld {
  readonly terminal?: Terminal;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs `tconsume query --sqlite-file FILE` with these arguments, and reads what it prints as it comes. */
export async function ask(
  file: string,
  args: readonly string[],
  { terminal, environment = {} }: QueryWorld = {},
): Promise<RunResult> {
  const stdout = Object.assign(new PassThrough(), terminal && { isTTY: true, ...terminal });
  const stderr = new PassThrough();
  const texts = { stdout: "", stderr: "" };
  stdout.setEncoding("utf8").on("data", (text: string) => {
    texts.stdout += text;
  });
  stderr.setEncoding("utf8").on("data", (text: string) => {
    texts.stderr += text;
  });
  const code = await runQuery(["--sqlite-file", file, ...args], {
    stdin: new PassThrough(),
    stdout,
    stderr,
    environment,
    onInterrupt: () => () => undefined,
    askSecret: () => Promise.reject(new Error("no terminal")),
  });
  await new Promise((resolve) => setImmediate(resolve));
  return { code, ...texts };
}

/** The lines that it prints where it finds something. */
export async function linesOf(file: string, args: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await ask(file, args);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return stdout.trimEnd().split("\n");
}

/** Microseconds since 1970. */
export function timeOf(text: string): number {
  return Date.parse(text) * 1000;
}
