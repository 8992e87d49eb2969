/** What the process says of its memory: what is held counts, and what is garbage does not for long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { newMemoryReader } from "./process-memory.ts";

const megabyte = 1_048_576;

test("buffers count, and above the limit what was let go does not", async () => {
  const readFar = newMemoryReader(1000 * megabyte);
  const before = readFar();
  const limit = before + 50 * megabyte;
  const read = newMemoryReader(limit);
  let held: Buffer[] | undefined = Array.from({ length: 100 }, () => Buffer.alloc(megabyte));
  assert.ok(readFar() > before + 95 * megabyte);
  assert.ok(held.length > 0 && read() > limit, "a collection finds nothing to free");
  held = undefined;
  const readAgain = newMemoryReader(limit);
  // V8 frees buffers beside the program: soon after the collection.
  for (let tries = 0; tries < 100 && readAgain() > limit; tries++) await sleep(20);
  assert.ok(readAgain() < limit, "and now it does");
});

test("collections are not asked for one after the other", () => {
  const read = newMemoryReader(1);
  read();
  const begun = performance.now();
  for (let count = 0; count < 1000; count++) read();
  assert.ok(performance.now() - begun < 100);
});

test("the part of V8's own limit that is used counts as that part of the limit", () => {
  const bytesMax = 1_000_000 * megabyte; // more than V8 lets any heap have
  const held = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
  assert.ok(newMemoryReader(bytesMax)() > 0.002 * bytesMax, `${held.length} objects`);
});
