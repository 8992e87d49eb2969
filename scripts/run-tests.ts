/**
 * Runs every test, or the files named as arguments, with node's own runner: one line for each file, failures in
 * full, node's closing lines at the end. Fails when a test failed, when a file does not end (something it started
 * was left open), and in CI also when a test was skipped. When every test was run, it also fails if docs/conformance.md
 * calls a statement tested that no passed test names.
 */
import { globSync } from "node:fs";
import { relative, resolve } from "node:path";
import { Readable } from "node:stream";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { readCoverage } from "./conformance/coverage.ts";
import { findUnproven, type PassedTest } from "./conformance/proof.ts";

/** For one test; what takes longer hangs. */
const testMillisecondsMax = 60_000;
/** Without any news of the runner: longer than one test may take. */
const silenceMillisecondsMax = 90_000;
/** Two cores are the smallest machine; the tests wait for sockets more than they compute. */
const filesAtOnce = 3;

type TestEvents = ReturnType<typeof run>;
type TestEvent = TestEvents extends AsyncIterable<infer Event> ? Event : never;
type Summary = Extract<TestEvent, { type: "test:summary" }>["data"];

const named = process.argv.slice(2);
const patterns = ["src/**/*.test.ts", "test/**/*.test.ts"];
const files = named.length > 0 ? named : globSync(patterns).sort();
const running = new Set(files.map((file) => resolve(file)));
const totals = { failed: 0, skipped: 0 };
const passed: PassedTest[] = [];
const silence = new AbortController();
const watchdog = setTimeout(() => silence.abort(), silenceMillisecondsMax);

/** Leaves out what passed, so that a log in CI stays readable; `spec` prints the rest. */
async function* withoutPassed(events: TestEvents): AsyncGenerator<TestEvent> {
  let lastFailed = false;
  for await (const event of events as AsyncIterable<TestEvent>) {
    watchdog.refresh();
    switch (event.type) {
      case "test:summary":
        count(event.data);
        break;
      case "test:pass":
        lastFailed = false;
        if (event.data.skip !== undefined || event.data.todo !== undefined) yield event;
        else passed.push(event.data);
        break;
      case "test:fail":
        lastFailed = true;
        yield event;
        break;
      case "test:stderr":
      case "test:stdout":
        yield event;
        break;
      case "test:diagnostic":
        // Of a failed test (its seed), or the closing lines.
        if (lastFailed || event.data.file === undefined) yield event;
        break;
    }
  }
}

function count({ counts, duration_ms, file }: Summary): void {
  if (file === undefined) {
    totals.failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    totals.skipped = counts.skipped + counts.todo;
    return;
  }
  running.delete(file);
  const mark = counts.passed + counts.skipped + counts.todo === counts.tests ? "ok  " : "FAIL";
  const skipped = counts.skipped === 0 ? "" : `, ${counts.skipped} skipped`;
  const seconds = (duration_ms / 1000).toFixed(1);
  console.log(
    `${mark}  ${relative(process.cwd(), file)}  ${counts.tests} tests${skipped}  ${seconds} s`,
  );
}

const events = run({
  files,
  concurrency: filesAtOnce,
  timeout: testMillisecondsMax,
  signal: silence.signal,
});
for await (const text of Readable.from(withoutPassed(events)).compose(new spec())) {
  process.stdout.write(text);
}
clearTimeout(watchdog);

const complaints: string[] = [];
if (totals.failed > 0) complaints.push(`tests failed: ${totals.failed}`);
if (running.size > 0) {
  const names = [...running].map((file) => relative(process.cwd(), file));
  complaints.push(`files that broke or did not end: ${names.join(", ")}`);
}
if (totals.skipped > 0 && process.env.CI !== undefined) {
  complaints.push(`tests skipped: ${totals.skipped}, and in CI nothing may be`);
}
if (named.length === 0) {
  const unproven = findUnproven(readCoverage(), passed, process.cwd());
  if (unproven.length > 0) {
    complaints.push(`tested by docs/conformance.md, and in no passed test: ${unproven.join(", ")}`);
  }
}
for (const complaint of complaints) console.log(complaint);
if (complaints.length > 0) process.exitCode = 1;
