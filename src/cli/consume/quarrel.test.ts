import assert from "node:assert/strict";
import { test } from "node:test";
import { Quarrel } from "./quarrel.ts";

test("five connections within half a minute are suspicious, and that is told once", () => {
  const quarrel = new Quarrel("meter-1");
  const told = [0, 5, 10, 15, 20, 25, 30].map((seconds) => quarrel.connected(seconds * 1000));
  assert.equal(told.filter((line) => line !== undefined).length, 1);
  assert.match(told[4] ?? "", /^5 connections within 30 s: is another client here as meter-1/);
});

test("connections that are lost now and then are not", () => {
  const quarrel = new Quarrel("meter-1");
  for (let minutes = 0; minutes < 20; minutes += 1) {
    assert.equal(quarrel.connected(minutes * 60_000), undefined);
  }
});
