import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SubscriptionTree } from "./subscription-tree.ts";
import { matchesFilter } from "./topic-filter.ts";

function find<Entry>(tree: SubscriptionTree<Entry>, topic: string): Entry[] {
  const into: Entry[] = [];
  tree.match(topic, into);
  return into.sort();
}

function treeOf(...filters: string[]): SubscriptionTree<string> {
  const tree = new SubscriptionTree<string>();
  for (const filter of filters) tree.add(filter, filter);
  return tree;
}

test("5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] an entry is found once for each of its filters that matches", () => {
  const tree = treeOf("#", "+", "a/#", "a", "a/+", "+/+", "/", "+/", "a/b/#", "/#", "a/+/#");
  assert.deepEqual(find(tree, "a"), ["#", "+", "a", "a/#"].sort());
  assert.deepEqual(find(tree, "a/b"), ["#", "+/+", "a/#", "a/+", "a/+/#", "a/b/#"].sort());
  assert.deepEqual(find(tree, "/"), ["#", "+/", "+/+", "/", "/#"].sort());
  assert.deepEqual(find(tree, "a/b/c"), ["#", "a/#", "a/+/#", "a/b/#"].sort());
  assert.deepEqual(find(tree, "b//"), ["#"]);
});

test("5.0 [MQTT-4.7.2-1] $ topics are found by filters that begin with their text only", () => {
  const tree = treeOf("#", "+", "+/#", "+/a", "$SYS/#", "$SYS/+", "$SYS/a", "x/#");
  assert.deepEqual(find(tree, "$SYS/a"), ["$SYS/#", "$SYS/+", "$SYS/a"]);
  assert.deepEqual(find(tree, "$SYS"), ["$SYS/#"]);
  assert.deepEqual(find(tree, "x/$SYS"), ["#", "+/#", "x/#"]);
});

test("what is found is appended to what is there", () => {
  const into = ["before"];
  treeOf("a").match("a", into);
  assert.deepEqual(into, ["before", "a"]);
});

test("the generation moves with wildcards only, and only when something changes", () => {
  const tree = new SubscriptionTree<string>();
  tree.add("a", "x");
  tree.remove("a", "x");
  assert.equal(tree.wildcardGeneration, 0);
  tree.add("a/+", "x");
  const added = tree.wildcardGeneration;
  assert.notEqual(added, 0);
  assert.equal(tree.remove("a/+", "y"), false);
  assert.equal(tree.remove("a/#", "x"), false);
  assert.equal(tree.remove("b/+", "x"), false);
  assert.equal(tree.remove("a/+/c", "x"), false);
  assert.equal(tree.remove("a", "x"), false);
  assert.equal(tree.wildcardGeneration, added);
  assert.equal(tree.size, 1);
  assert.equal(tree.remove("a/+", "x"), true);
  assert.notEqual(tree.wildcardGeneration, added);
  assert.equal(tree.size, 0);
});

test("entries may be arrays, sets and numbers", () => {
  const tree = new SubscriptionTree<unknown>();
  const entries = [[1], new Set([2]), 0, "", null];
  for (const filter of ["a", "a/#"]) for (const entry of entries) tree.add(filter, entry);
  const into: unknown[] = [];
  tree.match("a", into);
  assert.deepEqual(new Set(into), new Set(entries));
  assert.equal(into.length, 10);
  for (const filter of ["a", "a/#"]) {
    for (const entry of entries) assert.equal(tree.remove(filter, entry), true);
  }
  assert.deepEqual(find(tree, "a"), []);
});

for (const filter of ["fleet/alarm", "fleet/+/alarm", "fleet/#"]) {
  test(`40,000 sessions subscribe to ${filter} and leave, first come or last come first`, () => {
    const tree = new SubscriptionTree<number>();
    const start = performance.now();
    for (const isReversed of [false, true]) {
      for (let entry = 0; entry < 40_000; entry++) tree.add(filter, entry);
      for (let entry = 0; entry < 40_000; entry++) {
        assert.equal(tree.remove(filter, isReversed ? 39_999 - entry : entry), true);
      }
    }
    assert.equal(tree.size, 0);
    assert.ok(performance.now() - start < 1000);
  });
}

test("10,000 levels are added, matched and removed like any others", () => {
  const topic = "a/".repeat(9_999);
  const filters = [topic, `${"+/".repeat(9_999)}+`, `${topic}#`, `${topic}+`, `${topic}+/#`, "#"];
  const tree = treeOf(...filters);
  assert.deepEqual(find(tree, topic), filters.toSorted());
  for (const filter of filters) assert.equal(tree.remove(filter, filter), true);
  assert.deepEqual(find(tree, topic), []);
});

const few = fc.constantFrom("", "a", "b", "$a");
/** Mostly few names, so that much matches; sometimes others, so that a level has more than a list holds. */
const name = fc.oneof({ weight: 4, arbitrary: few }, fc.constantFrom("c", "d", "e", "f"));
const level = fc.oneof({ weight: 4, arbitrary: name }, fc.constant("+"));
const mixedFilter = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([levels, isOpen]) => (isOpen ? [...levels.slice(1), "#"] : levels).join("/"))
  .filter((text) => text !== "");
/** Two of them often, so that more entries stand there than a list holds. */
const filter = fc.oneof({ weight: 3, arbitrary: mixedFilter }, fc.constantFrom("a", "a/+"));
const topic = fc
  .array(name, { minLength: 1, maxLength: 6 })
  .map((levels) => levels.join("/"))
  .filter((text) => text !== "");
const step = fc.record({ filter, entry: fc.nat(20), topic });

/** Each step adds the entry, or removes it when it is there; the model is a list. */
function agreesWithList(steps: readonly { filter: string; entry: number; topic: string }[]): void {
  const tree = new SubscriptionTree<string>();
  let list: { filter: string; entry: string }[] = [];
  for (const { filter, entry, topic } of steps) {
    const name = `${entry} ${filter}`;
    const rest = list.filter((item) => item.entry !== name);
    const isThere = rest.length < list.length;
    const generation = tree.wildcardGeneration;
    assert.equal(tree.remove(filter, name), isThere);
    if (!isThere) tree.add(filter, name);
    list = isThere ? rest : [...list, { filter, entry: name }];
    assert.equal(tree.wildcardGeneration !== generation, /[+#]/.test(filter));
    assert.equal(tree.size, list.length);
    const expected = list.filter((item) => matchesFilter(item.filter, topic));
    assert.deepEqual(find(tree, topic), expected.map((item) => item.entry).sort());
  }
  for (const item of list) assert.equal(tree.remove(item.filter, item.entry), true);
  assert.equal(tree.size, 0);
  for (const { topic } of steps) assert.deepEqual(find(tree, topic), []);
}

test("5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] the tree finds what a list with matchesFilter finds, through adds and removes", () => {
  const steps = fc.array(step, { maxLength: 120, size: "max" });
  fc.assert(fc.property(steps, agreesWithList), { numRuns: 1500 });
});
