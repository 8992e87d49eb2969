import assert from "node:assert/strict";
import { test } from "node:test";
import { formatState } from "./json-state.ts";

test("levels are groups, and numbers are rounded as in topics of their own", () => {
  const text = formatState([
    { path: "cpu/load1", kind: "load", value: 0.456 },
    { path: "cpu/percent", kind: "percent", value: 12.34 },
    { path: "uptime", kind: "seconds", value: 10.9 },
    { path: "x/y", kind: "number", value: 1.23456 },
  ]);
  assert.equal(text, '{"cpu":{"load1":0.46,"percent":12.3},"uptime":11,"x":{"y":1.23456}}');
});

test("no name reaches into the program", () => {
  const text = formatState([
    { path: "__proto__/polluted", kind: "number", value: 1 },
    { path: "x/constructor", kind: "number", value: 2 },
  ]);
  assert.equal(text, '{"__proto__":{"polluted":1},"x":{"constructor":2}}');
  assert.equal(Object.hasOwn(Object.prototype, "polluted"), false);
});
