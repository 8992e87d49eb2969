/** The fuzzer for some seconds, and proof that it bites: a throw and an endless loop are found, named, and found again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeFailure, describeProgress } from "./report.ts";
import type { RunOptions } from "./run.ts";
import { fuzz, type Verdict } from "./supervisor.ts";

const seedsMax = 2 ** 31;
const hangSeconds = 20;

function run(options: Partial<RunOptions>, seconds = hangSeconds): Promise<Verdict> {
  return fuzz(
    {
      seed: 1,
      packets: 5000,
      secondsMax: 10,
      onlyRound: undefined,
      stopBefore: undefined,
      sabotage: "none",
      ...options,
    },
    { hangSeconds: seconds, onProgress: () => undefined },
  );
}

test("mutated sessions do the broker no harm", async (context) => {
  const seed = Math.floor(Math.random() * seedsMax);
  context.diagnostic(`seed ${seed}`);
  const verdict = await run({ seed, packets: 50_000 });
  assert.equal(describeFailure(seed, verdict), "");
  assert.ok(verdict.totals !== undefined);
  context.diagnostic(describeProgress(verdict.totals, verdict.seconds));
  assert.ok(verdict.totals.mutated > 1000, "hardly anything was sent");
  assert.ok(
    verdict.totals.connected > verdict.totals.packets / 4,
    "hardly anything got past CONNECT",
  );
});

test("the same seed is the same run", async () => {
  const [one, other] = [
    await run({ seed: 7, packets: 2000 }),
    await run({ seed: 7, packets: 2000 }),
  ];
  assert.deepEqual(one.totals, other.totals);
});

test("a fault of the broker is found, made small, and found again by seed and round", async () => {
  const first = await run({ sabotage: "throw" });
  assert.equal(first.failure?.kind, "the broker logged a fault of its own");
  assert.ok((first.failure?.actions.length ?? 0) <= 4, describeFailure(1, first));
  const again = await run({ sabotage: "throw", onlyRound: first.failure?.round });
  assert.deepEqual(again.failure, first.failure);
});

test("an endless loop in the broker is ended from outside, and told with what led there", async () => {
  const { failure } = await run({ sabotage: "hang" }, 5);
  assert.equal(failure?.kind, "an action does not end");
  const last = failure?.actions.at(-1) ?? "";
  assert.match(last, new RegExp(Buffer.from("sabotage").toString("hex")));
});
