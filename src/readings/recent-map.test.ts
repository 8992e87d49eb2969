/** What is remembered, and that it never grows beyond its bounds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RecentMap } from "./recent-map.ts";

test("what was set is found, and what was not is not", () => {
  const map = new RecentMap<number>();
  map.set("a", 1);
  map.set("__proto__", 2);
  assert.deepEqual([map.get("a"), map.get("__proto__"), map.get("b")], [1, 2, undefined]);
});

test("it never has more entries than allowed, and keeps what is asked for", () => {
  const map = new RecentMap<number>(10);
  map.set("kept", -1);
  for (let index = 0; index < 1_000; index++) {
    assert.equal(map.get("kept"), -1, `after ${index}`);
    map.set(`k${index}`, index);
    assert.ok(map.size <= 10, `${map.size}`);
    assert.equal(map.get(`k${index}`), index);
  }
  assert.equal(map.get("k0"), undefined);
});

test("long keys count by their length", () => {
  const map = new RecentMap<number>(1_000, 100_000);
  for (let index = 0; index < 100; index++) map.set(`${index}${"x".repeat(5_000)}`, index);
  assert.ok(map.size <= 5, `${map.size}`);
});
