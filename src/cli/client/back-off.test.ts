import assert from "node:assert/strict";
import { test } from "node:test";
import { backOffMilliseconds } from "./back-off.ts";

test("doubles from one second to thirty, and chance shortens it by a quarter at most", () => {
  const longest = [0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backOffMilliseconds(attempt, 1));
  assert.deepEqual(longest, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  assert.equal(backOffMilliseconds(3, 0), 6000);
});
