/**
 * Proof that the simulation bites: storages that are broken in one way each are found within 200 seeds, and each is found
 * by what clients see alone, too, without a look at what is synced.
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { runSeed } from "./run-seed.ts";
import { type Sabotage, sabotages } from "./sabotage.ts";

const seedsMax = 200;

async function find(makeSabotage: () => Sabotage, peeks: boolean): Promise<string> {
  for (let seed = 0; seed < seedsMax; seed++) {
    await nextTurn(); // a seed is microtasks alone: without it nobody hears of a test before all are done
    const { fault } = await runSeed(seed, { sabotage: makeSabotage(), peeks });
    if (fault === undefined) continue;
    const again = await runSeed(seed, { sabotage: makeSabotage(), peeks });
    assert.equal(again.fault, fault, `seed ${seed} fails again`);
    return `seed ${seed}: ${fault.split("\n")[0]}`;
  }
  return "";
}

for (const [name, makeSabotage] of Object.entries(sabotages)) {
  test(`a storage that ${name} is found`, async (context: TestContext) => {
    for (const peeks of [true, false]) {
      const found = await find(makeSabotage, peeks);
      assert.notEqual(
        found,
        "",
        `${seedsMax} seeds, ${peeks ? "with" : "without"} a look at what is synced`,
      );
      context.diagnostic(found);
    }
  });
}
