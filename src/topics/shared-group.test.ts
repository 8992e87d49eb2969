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

const memberMax = 7;
/** Who is not available at a turn, one bit for each member: often nobody. */
const away = fc.oneof(fc.constant(0), fc.nat(2 ** (memberMax + 1) - 1));
const action = fc.record({
  kind: fc.constantFrom("add", "remove", "next", "next"),
  member: fc.nat(memberMax),
  away,
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

/** Between two turns of a member, whoever was there and available all the while had exactly one. */
function checkTurns(actions: readonly Action[]): void {
  const group = new SharedGroup<number>();
  /** Since when each has been there and available. */
  const present = new Map<number, number>();
  const turns: { member: number; at: number }[] = [];
  for (const [at, { kind, member, away }] of actions.entries()) {
    if (kind === "add") {
      group.add(member);
      if (!present.has(member)) present.set(member, at);
    } else if (kind === "remove") assert.equal(group.remove(member), present.delete(member));
    assert.deepEqual(new Set(group.members()), new Set(present.keys()));
    assert.equal(group.size, present.size);
    if (kind !== "next") continue;
    const isAvailable = (other: number): boolean => ((away >> other) & 1) === 0;
    for (const other of present.keys()) if (!isAvailable(other)) present.set(other, at);
    const served = group.next(isAvailable);
    if (served === undefined) {
      assert.ok(![...present.keys()].some(isAvailable), "somebody was there");
      continue;
    }
    assert.ok(isAvailable(served) && present.has(served), "not there or not available");
    checkTurnOf(served, turns, present);
    turns.push({ member: served, at });
  }
}

function checkTurnOf(
  served: number,
  turns: readonly { member: number; at: number }[],
  present: ReadonlyMap<number, number>,
): void {
  const previous = turns.findLast((turn) => turn.member === served)?.at ?? -1;
  if (previous < (present.get(served) ?? Number.POSITIVE_INFINITY)) return;
  const between = turns.filter((turn) => turn.at > previous).map((turn) => turn.member);
  for (const [other, since] of present) {
    if (other === served || since >= previous) continue;
    assert.equal(between.filter((turn) => turn === other).length, 1, `turns of ${other}`);
  }
}

test("turns are fair while members come and go, and have room or none", () => {
  const property = fc.property(fc.array(action, { maxLength: 80, size: "max" }), checkTurns);
  fc.assert(property, { numRuns: 3000 });
});
