import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { systemClock } from "./system-clock.ts";

test("the clock tells the time of day as it was at the start, and does not follow its steps", async (context) => {
  const before = systemClock.now();
  assert.ok(Math.abs(before - Date.now()) < 60_000, `${before}`);
  const realNow = Date.now;
  context.mock.method(Date, "now", () => realNow() + 3_600_000);
  await setTimeout(20);
  const passed = systemClock.now() - before;
  assert.ok(passed >= 19 && passed < 60_000, `${passed} ms`);
});

test("a timer rings no sooner than it should, and not when it is called off", async () => {
  let rung = 0;
  const ring = (): void => {
    rung++;
  };
  const before = systemClock.now();
  systemClock.after(5, ring)();
  const rang = new Promise<number>((resolve) => {
    systemClock.after(10, () => resolve(systemClock.now()));
  });
  const hold = setInterval(() => undefined, 1000); // the clock's timers do not keep a process alive
  const passed = (await rang) - before;
  clearInterval(hold);
  assert.ok(passed >= 9, `${passed} ms`);
  assert.equal(rung, 0);
});
