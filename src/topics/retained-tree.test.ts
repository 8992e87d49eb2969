import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { RetainedTree } from "./retained-tree.ts";
import { matchesFilter } from "./topic-filter.ts";

function treeOf(...topics: string[]): RetainedTree<string> {
  const tree = new RetainedTree<string>();
  for (const topic of topics) tree.set(topic, topic);
  return tree;
}

const mixed = ["a", "a/b", "a/b/c", "/", "//a", "$SYS", "$SYS/x", "a/$b"];

test("get, set and delete return what stood there", () => {
  const tree = new RetainedTree<number>();
  assert.equal(tree.set("a/b", 1), undefined);
  assert.equal(tree.set("a/b", 0), 1);
  assert.equal(tree.get("a/b"), 0);
  assert.equal(tree.get("a"), undefined);
  assert.equal(tree.get("a/b/c"), undefined);
  assert.equal(tree.delete("a"), undefined);
  assert.equal(tree.delete("a/b/c"), undefined);
  assert.equal(tree.size, 1);
  assert.equal(tree.delete("a/b"), 0);
  assert.equal(tree.delete("a/b"), undefined);
  assert.equal(tree.size, 0);
});

const matchTable = [
  ["#", ["a", "a/b", "a/b/c", "/", "//a", "a/$b"]],
  ["+/#", ["a", "a/b", "a/b/c", "/", "//a", "a/$b"]],
  ["+", ["a"]],
  ["a/#", ["a", "a/b", "a/b/c", "a/$b"]],
  ["a/+", ["a/b", "a/$b"]],
  ["+/+", ["a/b", "a/$b", "/"]],
  ["/#", ["/", "//a"]],
  ["/+", ["/"]],
  ["a/b", ["a/b"]],
  ["a/x", []],
  ["x/#", []],
  ["a/b/c/d/#", []],
] as const;

for (const [filter, expected] of matchTable) {
  test(`5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] ${filter} finds ${expected.length} retained values`, () => {
    assert.deepEqual([...treeOf(...mixed).match(filter)].sort(), expected.toSorted());
  });
}

test("5.0 [MQTT-4.7.2-1] $ topics are found by their own text, and by all()", () => {
  const tree = treeOf(...mixed);
  assert.deepEqual([...tree.match("$SYS/#")], ["$SYS", "$SYS/x"]);
  assert.deepEqual([...tree.match("$SYS/+")], ["$SYS/x"]);
  assert.deepEqual([...tree.match("$SYS")], ["$SYS"]);
  assert.deepEqual([...tree.match("+/x")], []);
  assert.deepEqual([...tree.all()].sort(), mixed.toSorted());
});

test("10,000 levels are set, matched and deleted like any others", () => {
  const topic = "a/".repeat(9_999);
  const tree = treeOf(topic);
  for (const filter of ["#", topic, `${topic}#`, `${"+/".repeat(9_999)}+`]) {
    assert.deepEqual([...tree.match(filter)], [topic]);
  }
  assert.equal(tree.delete(topic), topic);
  assert.deepEqual([...tree.all()], []);
});

test("a walk touches only what its filter needs", () => {
  const tree = new RetainedTree<number>();
  for (let index = 0; index < 200_000; index++) tree.set(`site/${index}/state`, index);
  const start = performance.now();
  for (let round = 0; round < 1000; round++) {
    assert.deepEqual([...tree.match(`site/${round}/#`)], [round]);
    assert.equal(tree.match("#").next().done, false);
  }
  assert.ok(performance.now() - start < 1000);
});

test("deleted topics leave nothing behind that a walk would have to pass", () => {
  const tree = new RetainedTree<number>();
  for (let index = 0; index < 100_000; index++) tree.set(`site/${index}/state`, index);
  for (let index = 0; index < 100_000; index++)
    assert.equal(tree.delete(`site/${index}/state`), index);
  const start = performance.now();
  for (let round = 0; round < 100; round++) assert.equal(tree.all().next().done, true);
  assert.ok(performance.now() - start < 200);
});

test("a walk ends although each step deletes and sets everything anew", () => {
  const topics = ["a", "a/b", "c", "d/e", "d/f", "g", "h", "i", "j", "d/k", "d/l", "d/m"];
  const tree = treeOf(...topics);
  let steps = 0;
  for (const value of tree.all()) {
    assert.ok(topics.includes(value));
    assert.ok(++steps <= 1000);
    for (const topic of topics) {
      assert.equal(tree.delete(topic), topic);
      tree.set(topic, topic);
    }
  }
  assert.equal(tree.size, topics.length);
});

const few = fc.constantFrom("", "a", "b", "$a");
/** Mostly few names, so that much matches; sometimes others, so that a level has more than a list holds. */
const level = fc.oneof({ weight: 3, arbitrary: few }, fc.constantFrom("c", "d", "e", "f"));
const topic = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join("/"))
  .filter((text) => text !== "");
const filter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant("+")), { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels.slice(1), "#"] : levels).join("/"))
  .filter((text) => text !== "");
const change = fc.record({ topic, isSet: fc.boolean() });
const changes = fc.array(change, { maxLength: 40, size: "max" });

interface Item {
  readonly topic: string;
  readonly number: number;
}
type Change = { readonly topic: string; readonly isSet: boolean };

function apply(tree: RetainedTree<Item>, model: Map<string, Item>, { topic, isSet }: Change): void {
  const previous = model.get(topic);
  if (isSet) {
    const item = { topic, number: (previous?.number ?? 0) + 1 };
    assert.equal(tree.set(topic, item), previous);
    model.set(topic, item);
  } else {
    assert.equal(tree.delete(topic), previous);
    model.delete(topic);
  }
  assert.equal(tree.size, model.size);
  assert.equal(tree.get(topic), model.get(topic));
}

function agreesWithMap(filter: string, before: Change[]): void {
  const tree = new RetainedTree<Item>();
  const model = new Map<string, Item>();
  for (const change of before) apply(tree, model, change);
  const expected = [...model.keys()].filter((topic) => matchesFilter(filter, topic)).sort();
  assert.deepEqual([...tree.match(filter)].map((item) => item.topic).sort(), expected);
  assert.deepEqual(new Set(tree.all()), new Set(model.values()));
}

/** What stays all the while comes once; what comes stands in the tree when it comes, and matches. */
function survivesChanges(filter: string, before: Change[], during: Change[]): void {
  const tree = new RetainedTree<Item>();
  const model = new Map<string, Item>();
  for (const change of before) apply(tree, model, change);
  const staying = new Set([...model.keys()].filter((topic) => matchesFilter(filter, topic)));
  const seen = new Set<string>();
  const left = [...during];
  for (const item of tree.match(filter)) {
    assert.equal(model.get(item.topic), item, "deleted before its turn");
    assert.ok(matchesFilter(filter, item.topic));
    assert.ok(!(seen.has(item.topic) && staying.has(item.topic)), "came twice");
    seen.add(item.topic);
    for (const change of left.splice(0, 3)) {
      apply(tree, model, change);
      if (!change.isSet) staying.delete(change.topic);
    }
  }
  for (const topic of staying) assert.ok(seen.has(topic), `${topic} was passed over`);
}

test("5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] the tree finds what a map with matchesFilter finds, through sets and deletes", () => {
  fc.assert(fc.property(filter, changes, agreesWithMap), { numRuns: 3000 });
});

test("a walk survives sets and deletes between its steps", () => {
  fc.assert(fc.property(filter, changes, changes, survivesChanges), { numRuns: 5000 });
});
