import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SharedGroup } from "./shared-group.ts";

const always = () => true;

function groupOf(...members: string[]): SharedGroup<string> {
  const group = new SharedGroup<string>();
  for (const member of members) group.add(member);
  return group;
}

function take(group: SharedGroup<string>, count: number): string {
  return Array.from({ length: count }, () => group.next(always) ?? "-").join("");
}

test("an empty group has no next member", () => {
  assert.equal(groupOf().next(always), undefined);
  assert.equal(groupOf().remove("a"), false);
});

test("members are served in turn", () => {
  assert.equal(take(groupOf("a", "b", "c"), 7), "abcabca");
});

test("a member added twice is there once", () => {
  const group = groupOf("a", "b", "a");
  assert.equal(group.size, 2);
  assert.deepEqual([...group.members()], ["a", "b"]);
  assert.equal(take(group, 4), "abab");
});

test("a member that is not available is passed over, and nobody is when none is", () => {
  const group = groupOf("a", "b", "c");
  assert.equal(
    group.next((member) => member !== "a"),
    "b",
  );
  assert.equal(
    group.next(() => false),
    undefined,
  );
  assert.equal(take(group, 3), "cab");
});

test("those who leave do not cost others their turn", () => {
  const group = groupOf("a", "b", "c", "d");
  assert.equal(take(group, 2), "ab");
  assert.equal(group.remove("a"), true);
  assert.equal(group.remove("a"), false);
  assert.equal(take(group, 1), "c");
  group.remove("b");
  group.remove("c");
  assert.equal(take(group, 2), "dd");
  group.add("a");
  assert.equal(take(group, 4), "dada");
  assert.deepEqual([...group.members()], ["d", "a"]);
});

test("10,000 members leave one group without a scan for each", () => {
  const group = new SharedGroup<number>();
  for (let member = 0; member < 10_000; member++) group.add(member);
  const start = performance.now();
  for (let member = 9_999; member >= 0; member--) group.remove(member);
  assert.equal(group.size, 0);
  assert.ok(performance.now() - start < 500);
});

test("seats of those who have left are given up", () => {
  const group = groupOf("stays");
  const start = performance.now();
  for (let count = 0; count < 60_000; count++) {
    group.add("passes");
    group.remove("passes");
    assert.equal(group.next(always), "stays");
  }
  assert.ok(performance.now() - start < 1000);
});

const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("add"), member: fc.nat(7) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove"), member: fc.nat(7) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("next"), member: fc.constant(-1) }) },
);

/** Between two turns of a member, whoever was there all the while had exactly one. */
function isFair(actions: readonly { kind: string; member: number }[]): boolean {
  const group = new SharedGroup<number>();
  const joined = new Map<number, number>();
  const turns: { member: number; at: number }[] = [];
  for (const [at, { kind, member }] of actions.entries()) {
    if (kind === "add" && !joined.has(member)) joined.set(member, at);
    if (kind === "add") group.add(member);
    if (kind === "remove" && group.remove(member) !== joined.delete(member)) return false;
    if (group.size !== joined.size) return false;
    if (kind !== "next") continue;
    const served = group.next(always);
    if (served === undefined) {
      if (joined.size > 0) return false;
      continue;
    }
    const previous = turns.findLast((turn) => turn.member === served)?.at ?? -1;
    if (previous >= (joined.get(served) ?? Number.POSITIVE_INFINITY)) {
      const between = turns.filter((turn) => turn.at > previous).map((turn) => turn.member);
      for (const [other, since] of joined) {
        const count = between.filter((turn) => turn === other).length;
        if (other !== served && since < previous && count !== 1) return false;
      }
    }
    turns.push({ member: served, at });
  }
  return true;
}

test("turns are fair while members come and go", () => {
  const property = fc.property(fc.array(action, { maxLength: 80, size: "max" }), isFair);
  fc.assert(property, { numRuns: 5000 });
});
