import assert from "node:assert/strict";
import { test } from "node:test";
import { countDeliveries } from "./audience-size.ts";

const numbered = (count: number, text: string) =>
  Array.from({ length: count }, (_, number) => text.replace("%i", String(number)));

test("fan-out and fan-in: every subscriber of the one topic", () => {
  assert.deepEqual(countDeliveries(["a"], numbered(100, "a")), [100]);
  assert.deepEqual(countDeliveries(["a", "a", "a"], ["a"]), [1, 1, 1]);
});

test("pairs: one each, and none where nobody subscribes", () => {
  assert.deepEqual(countDeliveries(numbered(3, "a/%i"), numbered(2, "a/%i")), [1, 1, 0]);
});

test("wildcards match as they do in a broker", () => {
  const filters = ["a/+", "a/#", "b/#", "+/1"];
  assert.deepEqual(countDeliveries(["a/0", "a/1", "b/0", "c"], filters), [2, 3, 1, 0]);
});

test("a shared subscription takes each message once, whoever of its members gets it", () => {
  assert.deepEqual(countDeliveries(["a"], numbered(100, "$share/g/a")), [1]);
  assert.deepEqual(countDeliveries(["a/1"], numbered(3, "$share/g/a/%i")), [1]);
  assert.deepEqual(countDeliveries(["a"], numbered(3, "$share/%i/a")), [3]);
});
