/** Two thousand worlds in which everything goes wrong, and proof that a seed is always the same one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeed } from "./run-seed.ts";
import { describeFailure, describeProgress, simulate } from "./supervisor.ts";

const seedsMax = 2 ** 31;

// Two thousand in all, in parts, so that the slowest machine has a minute for each.
for (const part of ["first", "second", "third", "fourth"]) {
  test(`what the broker acknowledges it keeps, through crashes at every possible moment: the ${part} 500 seeds`, async (context) => {
    const from = Math.floor(Math.random() * seedsMax);
    context.diagnostic(`from seed ${from}`);
    const verdict = await simulate({ from, seeds: 500, threads: 2, hangSeconds: 30 });
    assert.equal(describeFailure(verdict), "");
    context.diagnostic(describeProgress(verdict));
    assert.ok(verdict.seeds === 500 && verdict.crashes > 500, describeProgress(verdict));
  });
}

test("the same seed is the same history", async () => {
  let crashes = 0;
  for (let seed = 0; seed < 8; seed++) {
    const [one, other] = [await runSeed(seed), await runSeed(seed)];
    assert.equal(one.hash, other.hash, `seed ${seed}`);
    crashes += one.crashes;
  }
  assert.ok(crashes > 0);
  const [one, other] = [await runSeed(1), await runSeed(2)];
  assert.notEqual(one.hash, other.hash);
});
