import assert from "node:assert/strict";
import { test } from "node:test";
import { atLeast, retryMilliseconds } from "./retry-time.ts";

const limits = { retryMillisecondsMin: 250, retryMillisecondsMax: 30_000 };

test("waits double up to the longest, spread by chance", () => {
  const full = [0, 1, 2, 7, 1000].map((attempt) => retryMilliseconds(attempt, 1, limits));
  assert.deepEqual(full, [250, 500, 1000, 30_000, 30_000]);
  assert.equal(retryMilliseconds(0, 0, limits), 188);
});

test("a destination is asked no sooner than it wants, and not never", () => {
  assert.equal(atLeast(250, undefined), 250);
  assert.equal(atLeast(250, 2), 2000);
  assert.equal(atLeast(5000, 2), 5000);
  assert.equal(atLeast(250, 1e12), 3_600_000);
});
