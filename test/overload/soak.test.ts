/** The soak, short enough for every run of the tests. `npm run soak` is the long one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "./soak/soak.ts";

test("under everything at once memory stays below its limit and others go on", {
  timeout: 120_000,
}, async () => {
  const lines: string[] = [];
  const { faults } = await soak({
    seconds: 20,
    memoryBytesMax: 117_440_512,
    print: (line) => lines.push(line),
  });
  assert.deepEqual(faults, [], `\n${lines.join("\n")}`);
});
