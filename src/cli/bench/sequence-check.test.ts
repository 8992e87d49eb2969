import assert from "node:assert/strict";
import { test } from "node:test";
import { SequenceCheck } from "./sequence-check.ts";

function check(numbers: readonly number[], startsAtZero = true) {
  const sequence = new SequenceCheck(startsAtZero);
  for (const number of numbers) sequence.note(7, number);
  const { missing, duplicates, outOfOrder } = sequence;
  return { missing, duplicates, outOfOrder };
}

test("a sequence without a fault", () => {
  assert.deepEqual(check([0, 1, 2, 3]), { missing: 0, duplicates: 0, outOfOrder: 0 });
});

test("what is passed over is missing", () => {
  assert.deepEqual(check([0, 1, 5, 6, 8]), { missing: 4, duplicates: 0, outOfOrder: 0 });
  assert.deepEqual(check([2]), { missing: 2, duplicates: 0, outOfOrder: 0 });
});

test("who joins later misses nothing of what was before", () => {
  assert.deepEqual(check([5, 6, 8], false), { missing: 1, duplicates: 0, outOfOrder: 0 });
});

test("where the beginning is not known, it is the earliest that came", () => {
  assert.deepEqual(check([5, 3, 4, 6], false), { missing: 0, duplicates: 0, outOfOrder: 2 });
  assert.deepEqual(check([5, 2, 2, 6], false), { missing: 2, duplicates: 1, outOfOrder: 1 });
});

test("what comes late was out of order, and is not missing", () => {
  assert.deepEqual(check([0, 4, 2, 1, 3]), { missing: 0, duplicates: 0, outOfOrder: 3 });
});

test("what comes again is a duplicate, also after it was late", () => {
  assert.deepEqual(check([0, 0, 3, 2, 2, 3]), { missing: 1, duplicates: 3, outOfOrder: 1 });
});

test("publishers do not disturb each other", () => {
  const sequence = new SequenceCheck(true);
  for (let number = 0; number < 10; number += 1) {
    for (const publisher of [0, 5000, 4_000_000_000]) sequence.note(publisher, number);
  }
  assert.deepEqual([sequence.missing, sequence.duplicates, sequence.outOfOrder], [0, 0, 0]);
});

test("random losses, repetitions and delays are found as a naive count finds them", (context) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const random = newRandom(seed);
  for (let round = 0; round < 200; round += 1) {
    const sent = Array.from({ length: 100 }, (_, number) => number);
    const arrivals = sent
      .filter(() => random() > 0.1)
      .flatMap((number) => (random() < 0.1 ? [number, number] : [number]))
      .map((number) => ({ number, at: number + (random() < 0.2 ? random() * 20 : 0) }))
      .sort((a, b) => a.at - b.at)
      .map(({ number }) => number);
    const seen = new Set<number>();
    const expected = { missing: 0, duplicates: 0, outOfOrder: 0 };
    for (const number of arrivals) {
      if (seen.has(number)) expected.duplicates += 1;
      else if (number < Math.max(...seen)) expected.outOfOrder += 1;
      seen.add(number);
    }
    expected.missing = Math.max(...seen) + 1 - seen.size;
    assert.deepEqual(check(arrivals), expected);
  }
});

/** mulberry32 */
function newRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
