/** Commands of the user as real programs: those that hang, flood, fail or try to reach another topic. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { CommandSource, parseFigures } from "../../src/cli/monitor/command-source.ts";
import type { Figure } from "../../src/cli/monitor/figure.ts";

const never = new AbortController().signal;

function nodeCommand(code: string, signal = never, secondsMax?: number): CommandSource {
  const words = [process.execPath, "--eval", code];
  return new CommandSource({ name: "own", words }, signal, secondsMax);
}

/** The figures of its first run; rejects with what that failed of. */
async function firstRun(source: CommandSource): Promise<readonly Figure[]> {
  for (let attempt = 0; attempt < 800; attempt += 1) {
    const figures = await source.read();
    if (figures.length > 0) return figures;
    await sleep(10);
  }
  throw new Error("nothing came of it");
}

function isRunning(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

test("lines of name and value become figures below the command's name", async () => {
  const source = nodeCommand(`console.log("temp/inside 21.50\\n\\n  load\\t-3e2  \\r\\nlast .5")`);
  const figures = await firstRun(source);
  assert.deepEqual(
    figures.map(({ path, kind, value }) => [path, kind, value]),
    [
      ["own/temp/inside", "number", 21.5],
      ["own/load", "number", -300],
      ["own/last", "number", 0.5],
    ],
  );
});

test("a shell is not there unless somebody calls one", async () => {
  const words = ["echo", "a", "1;echo", "b", "$HOME"];
  const source = new CommandSource({ name: "own", words }, never);
  await assert.rejects(firstRun(source), /has more than two words: "a 1;echo b \$HOME"/);
});

/** Code that ignores SIGTERM, starts another program that does too, and tells both in `file`. */
function stubbornCode(file: string): string {
  const stay = 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000);';
  return `const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["--eval", ${JSON.stringify(stay)}], { stdio: "inherit" });
    require("node:fs").writeFileSync(${JSON.stringify(file)}, process.pid + " " + child.pid); ${stay}`;
}

async function readProcessIds(file: string): Promise<number[]> {
  for (let attempt = 0; attempt < 500; attempt += 1) {
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    if (/\d \d/.test(text)) return text.split(" ").map(Number);
    await sleep(10);
  }
  throw new Error("it did not start");
}

async function sawEnd(processId: number): Promise<void> {
  for (let attempt = 0; isRunning(processId); attempt += 1) {
    assert.ok(attempt < 500, `${processId} runs on`);
    await sleep(10);
  }
}

test("one that hangs is ended, with what it has started", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tmonitor-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "processes");
  const source = nodeCommand(stubbornCode(file), never, 1);
  await source.read();
  const processIds = await readProcessIds(file);
  await assert.rejects(firstRun(source), /takes more than 1 s/);
  for (const processId of processIds) await sawEnd(processId);
});

test("the end of the program ends it too, with what it has started", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tmonitor-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "processes");
  const ending = new AbortController();
  const source = nodeCommand(stubbornCode(file), ending.signal);
  await source.read();
  const processIds = await readProcessIds(file);
  ending.abort();
  await assert.rejects(firstRun(source), /interrupted/);
  for (const processId of processIds) await sawEnd(processId);
});

test("one that prints megabytes is ended at its bound", async () => {
  const source = nodeCommand(`for (;;) require("fs").writeSync(1, "a 1\\n".repeat(10_000))`);
  await assert.rejects(firstRun(source), /prints more than 65536 bytes/);
});

test("one that fails says so in its own words, shortened, and nothing of it is published", async () => {
  const code = `console.log("a 1"); console.error("no such\\u001b[31m sensor\\nmore"); process.exitCode = 3`;
  await assert.rejects(firstRun(nodeCommand(code)), (error: Error) => {
    assert.equal(error.message, 'ended with 3: "no such\\u001b[31m sensor"');
    return true;
  });
  const long = `console.error("x".repeat(100_000)); process.exitCode = 1`;
  await assert.rejects(firstRun(nodeCommand(long)), ({ message }: Error) => message.length < 300);
  await assert.rejects(firstRun(nodeCommand(`process.kill(process.pid, "SIGSEGV")`)), /SIGSEGV/);
  const missing = new CommandSource({ name: "own", words: ["/no/such/program"] }, never);
  await assert.rejects(firstRun(missing), /ENOENT|no such file/);
});

test("one that is slow is not started twice at a time, and its figures come once", async () => {
  const ending = new AbortController();
  const code = `console.log("pid " + process.pid); setTimeout(() => {}, 300)`;
  const source = nodeCommand(code, ending.signal);
  const seen: number[] = [];
  for (let look = 0; look < 150 && seen.length < 2; look += 1) {
    seen.push(...(await source.read()).map(({ value }) => value));
    await sleep(10);
  }
  ending.abort();
  assert.equal(new Set(seen).size, 2);
});

test("no line reaches another topic: the whole run is refused", () => {
  for (const [output, mistake] of [
    ["a+b 1", /line 1 .* makes no topic: "a\+b 1"/],
    ["ok 1\n# 1", /line 2 .* makes no topic/],
    ["../b 1\n/x 1", /line 2 .* makes no topic/],
    ["a//b 1", /makes no topic/],
    ["a/ 1", /makes no topic/],
    ["$SYS 1", /makes no topic/],
    ["a\0b 1", /makes no topic/],
    ["a\u001bb 1", /makes no topic/],
    ["a", /has no value/],
    ["a 1 2", /more than two words/],
    ["a one", /has no number/],
    ["a 0x10", /has no number/],
    ["a NaN", /has no number/],
    ["a 1e999", /has no number/],
    ["a Infinity", /has no number/],
    [`${"a/".repeat(9)}b 1`, /more than 8 levels/],
    [`${"x".repeat(101)} 1`, /makes no topic/],
    ["a 1\na/b/c 2", /prints own\/a\/b\/c below own\/a, which is a figure/],
    [Array.from({ length: 1001 }, (_, index) => `n${index} 1`).join("\n"), /more than 1000/],
  ] as const) {
    assert.throws(() => parseFigures("own", output), mistake, JSON.stringify(output.slice(0, 40)));
  }
});

test("what a mistaken line held is shown shortened and without control characters", () => {
  assert.throws(
    () => parseFigures("own", `\u001b[2J${"x".repeat(5000)} 1`),
    ({ message }: Error) => message.length < 200 && !message.includes("\u001b"),
  );
});
