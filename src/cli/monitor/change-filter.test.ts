import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangeFilter } from "./change-filter.ts";
import type { Figure, FigureKind } from "./figure.ts";

const filter = () => new ChangeFilter({ share: 0.05, secondsMax: 300 });

/** Which of `values`, ten seconds apart, are published. */
function published(kind: FigureKind, ...values: readonly number[]): number[] {
  const under = filter();
  return values.filter(
    (value, index) => under.pick([{ path: "a", kind, value }], index * 10).length === 1,
  );
}

test("figures that have changed by less than the share are held back", () => {
  assert.deepEqual(
    published("bytes", 1e9, 1.049e9, 1.051e9, 1.0e9, 0.99e9),
    [1e9, 1.051e9, 0.99e9],
  );
  assert.deepEqual(published("celsius", 50, 52, 52.6, 50), [50, 52.6]);
});

test("what is compared is the last value that was published: small steps add up", () => {
  assert.deepEqual(published("bytes", 1e9, 1.03e9, 1.06e9, 1.09e9), [1e9, 1.06e9]);
});

test("a percentage changes by points, and noise around nothing is no change", () => {
  assert.deepEqual(published("percent", 0.2, 0.4, 3, 5.3, 1), [0.2, 5.3]);
  assert.deepEqual(published("load", 0, 0.04, 0.06, 0.1), [0, 0.06]);
  assert.deepEqual(published("bytesPerSecond", 0, 400, 600), [0, 600]);
});

test("whether something runs is published at every change, and an unchanged figure never", () => {
  assert.deepEqual(published("running", 1, 1, 0, 0, 1), [1, 0, 1]);
  assert.deepEqual(published("number", 0, 0, 0.001), [0, 0.001]);
  assert.deepEqual(published("percent", 0.01, 0.02), [0.01]);
});

test("each figure is published so often at least, by its own time", () => {
  const under = filter();
  const same = (path: string): Figure => ({ path, kind: "count", value: 7 });
  const paths = (figures: readonly Figure[]) => figures.map(({ path }) => path);
  assert.deepEqual(paths(under.pick([same("a")], 0)), ["a"]);
  assert.deepEqual(paths(under.pick([same("a"), same("b")], 100)), ["b"]);
  assert.deepEqual(paths(under.pick([same("a"), same("b")], 299)), []);
  assert.deepEqual(paths(under.pick([same("a"), same("b")], 300)), ["a"]);
  assert.deepEqual(paths(under.pick([same("a"), same("b")], 400)), ["b"]);
});

test("after it was told to forget, and after a figure was away, all is new", () => {
  const under = filter();
  const one: Figure = { path: "a", kind: "count", value: 7 };
  under.pick([one], 0);
  under.forget();
  assert.equal(under.pick([one], 1).length, 1);
  assert.equal(under.pick([], 2).length, 0);
  assert.equal(under.pick([one], 3).length, 1);
});
