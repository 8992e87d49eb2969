/** What CONTRIBUTING.md says of random tests: a failure prints its seed, and with `test/replay.ts` that finds it again. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");
const property = "fc.property(fc.nat(), fc.nat(), (a, b) => a % 97 !== b % 97)";
const script = `import fc from "fast-check"; fc.assert(${property}, { numRuns: 10_000 });`;

/** When the property failed, with which seed and how; then the values that it failed with. */
const failure = /Property failed after .*\n(\{ seed: (-?\d+), path: .*\nCounterexample: .*)/;

function run(seed?: string): RegExpExecArray {
  const replay = seed === undefined ? [] : ["--import", "./test/replay.ts"];
  const { stderr } = spawnSync(
    process.execPath,
    [...replay, "--input-type=module", "--eval", script],
    { cwd: root, encoding: "utf8", env: { ...process.env, SEED: seed } },
  );
  const found = failure.exec(stderr);
  assert.ok(found !== null, stderr);
  return found;
}

test("a random test that failed fails in the same way with the seed that it printed", () => {
  const [, first, seed] = run();
  assert.equal(run(seed)[1], first);
  assert.notEqual(run()[1], first);
});
