import assert from "node:assert/strict";
import { test } from "node:test";
import { FilterBranch, FilterTail, growEntry, isEmptyBranch, shedEntry } from "./filter-node.ts";

const orders = [
  ["a/b/+/c", "a/b/+/d", "a/b/+"],
  ["a/b/+", "a/b/+/d", "a/b/+/c"],
  ["a/b/#", "a/b/c/+", "a/#", "#"],
  ["#", "a/#", "a/b/c/+", "a/b/#"],
  ["+/+", "+", "+/#", "+/+/#", "/+"],
  ["x/1/+", "x/2/+", "x/3/+", "x/4/+", "x/5/+", "x/6/+", "x/6/#"],
];

for (const filters of orders) {
  test(`${filters.join(" ")} come, and go in either order without a trace`, () => {
    for (const leaving of [filters, filters.toReversed()]) {
      const root = new FilterBranch<string>("");
      for (const filter of filters) growEntry(root, filter, filter);
      for (const filter of leaving) {
        assert.equal(isEmptyBranch(root), false);
        assert.equal(shedEntry(root, filter, filter), true);
        assert.equal(shedEntry(root, filter, filter), false);
      }
      assert.equal(isEmptyBranch(root), true);
    }
  });
}

test("twenty entries of one filter come, and go in either order without a trace", () => {
  const entries = Array.from({ length: 20 }, (_, index) => index);
  for (const leaving of [entries, entries.toReversed()]) {
    const root = new FilterBranch<number>("");
    for (const entry of entries) growEntry(root, "a/+", entry);
    for (const entry of leaving) assert.equal(shedEntry(root, "a/+", entry), true);
    assert.equal(isEmptyBranch(root), true);
  }
});

test("a filter alone is one tail, however deep, and a second one parts it where they part", () => {
  const root = new FilterBranch<number>("");
  growEntry(root, "a/b/c/+/d", 1);
  assert.ok(root.children instanceof FilterTail);
  growEntry(root, "a/b/x/+/d", 2);
  const a = root.children as unknown;
  assert.ok(a instanceof FilterBranch);
  const b = a.children;
  assert.ok(b instanceof FilterBranch);
  assert.deepEqual(
    (b.children as FilterTail<number>[]).map((tail) => [tail.level, tail.filter, tail.entries]),
    [
      ["c", "a/b/c/+/d", 1],
      ["x", "a/b/x/+/d", 2],
    ],
  );
});
