/** The pool of slabs: room enough, no slab twice, and no more kept than it may. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SlabPool } from "./slab-pool.ts";

test("a slab has the room that was asked for, and no two that are out are the same", () => {
  const pool = new SlabPool();
  const out = new Set<Buffer>();
  for (const length of [1, 2048, 2049, 65_536, 1, 65_536, 2048]) {
    const slab = pool.take(length);
    assert.ok(slab.length >= length);
    assert.ok(!out.has(slab));
    out.add(slab);
  }
  const [first] = out;
  pool.giveBack(first);
  assert.equal(pool.take(1), first);
  assert.notEqual(pool.take(1), first);
});

test("a burst does not stay in memory", () => {
  const pool = new SlabPool();
  const burst = Array.from({ length: 100 }, () => pool.take(65_536));
  for (const slab of burst) pool.giveBack(slab);
  const known = new Set(burst);
  const kept = Array.from({ length: 100 }, () => pool.take(65_536)).filter((slab) =>
    known.has(slab),
  );
  assert.equal(kept.length, 64);
});

test("what is no slab of the pool is not taken", () => {
  const pool = new SlabPool();
  const stranger = Buffer.alloc(100);
  pool.giveBack(stranger);
  assert.notEqual(pool.take(1), stranger);
});
