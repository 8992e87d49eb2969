/** A token bucket: full at first, never fuller, and below 0 for as long as it takes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Allowance } from "./allowance.ts";

test("what is taken comes back with time, up to what it holds", () => {
  const allowance = new Allowance(100, 2, 0);
  assert.equal(allowance.left, 200);
  allowance.left -= 150;
  assert.equal(allowance.waitMilliseconds(1000), 0);
  assert.equal(allowance.left, 150);
  assert.equal(allowance.waitMilliseconds(60_000), 0);
  assert.equal(allowance.left, 200);
});

test("whoever overdraws waits until it is paid back, and until what is needed is there", () => {
  const allowance = new Allowance(100, 1, 0);
  allowance.left -= 350;
  assert.equal(allowance.waitMilliseconds(0), 2500);
  assert.equal(allowance.waitMilliseconds(1000), 1500);
  assert.equal(allowance.waitMilliseconds(2500), 0);
  assert.equal(allowance.left, 0);
  assert.equal(allowance.waitMilliseconds(2500, 1), 10);
});
