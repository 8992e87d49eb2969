/** Said when the limit is above what there is, of the machine or of the cgroup, and never otherwise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { warnOfMemory } from "./memory-warning.ts";

const gigabyte = 1_073_741_824;
/** What `process.constrainedMemory` answers without a constraint. */
const unlimited = 18_446_744_073_709_552_000;

test("a limit within the memory is no news", () => {
  for (const constrainedBytes of [0, unlimited, 4 * gigabyte]) {
    const machine = { totalBytes: 8 * gigabyte, constrainedBytes };
    assert.equal(warnOfMemory(4 * gigabyte, machine), undefined);
  }
});

test("a limit above the machine's or the cgroup's memory is warned of, with one that fits", () => {
  const small = { totalBytes: gigabyte, constrainedBytes: unlimited };
  assert.match(
    warnOfMemory(4 * gigabyte, small) ?? "",
    /4096 MiB and this machine's memory 1024 MiB.* to 805306368 or less/,
  );
  const contained = { totalBytes: 8 * gigabyte, constrainedBytes: gigabyte };
  assert.match(
    warnOfMemory(4 * gigabyte, contained) ?? "",
    /that this process may have 1024 MiB.* 805306368 or less/,
  );
});
