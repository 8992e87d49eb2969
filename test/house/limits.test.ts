/** Each limit has a test that says in its name which it is: what happens there is known, and so is its counter. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/index.ts";

const folder = join(import.meta.dirname, "../overload");

/** The names that tests begin with, up to their colon: `connectionsMax: the next CONNECT is refused`. */
function readSubjects(texts: readonly string[]): Set<string> {
  const names = texts.flatMap((text) => [...text.matchAll(/\btest\(\s*["`](\w+): /g)]);
  return new Set(names.map(([, name]) => name));
}

test("the names of tests are found, on one line and on several", () => {
  const text = 'test("oneMax: x", () => {});\ntest(\n  "twoMax: y",\n);\ntest("three: Max", f);';
  assert.deepEqual([...readSubjects([text])], ["oneMax", "twoMax", "three"]);
});

test("every limit is tested by its name in test/overload", () => {
  const files = globSync("*.test.ts", { cwd: folder });
  const subjects = readSubjects(files.map((file) => readFileSync(join(folder, file), "utf8")));
  const untested = Object.keys(defaultLimits).filter((name) => !subjects.has(name));
  assert.deepEqual(
    untested,
    [],
    "write a test in test/overload whose name begins with the limit's",
  );
});
