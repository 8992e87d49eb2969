/** docs/performance.md and its charts say what the committed results of `npm run bench` say. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readResults } from "../../bench/results.ts";
import { renderPerformanceFiles } from "../../bench/write-performance.ts";

const root = join(import.meta.dirname, "../..");

test("docs/performance.md and its charts are written from bench/results", () => {
  const results = readResults();
  assert.ok(results !== undefined, "there are no results");
  for (const [path, text] of renderPerformanceFiles(results)) {
    const written = readFileSync(join(root, "docs", path), "utf8");
    assert.equal(written, text, `docs/${path} is out of date: node bench/write-performance.ts`);
  }
});

test("bench/mqload.c is the load generator of the design, where that is at hand", () => {
  const original = join(root, "../shared/tools/mqload.c");
  if (!existsSync(original)) return;
  const copy = readFileSync(join(root, "bench/mqload.c"), "utf8");
  assert.equal(copy, readFileSync(original, "utf8"));
});
