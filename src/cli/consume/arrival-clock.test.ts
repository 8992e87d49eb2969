import assert from "node:assert/strict";
import { test } from "node:test";
import { ArrivalClock } from "./arrival-clock.ts";

test("times go only up, by a microsecond at least, whatever the clock of the machine does", () => {
  let now = 1000;
  const clock = new ArrivalClock(() => now);
  assert.deepEqual([clock.next(), clock.next(), clock.next()], [1_000_000, 1_000_001, 1_000_002]);
  now = 1001.5;
  assert.equal(clock.next(), 1_001_500);
  now = 900;
  assert.equal(clock.next(), 1_001_501);
  now = 1002;
  assert.equal(clock.next(), 1_002_000);
});

test("it is the time of day", () => {
  assert.ok(Math.abs(new ArrivalClock().next() / 1000 - Date.now()) < 1000);
});

test("two consumers of a group tell messages of the same millisecond apart", () => {
  const [one, other] = [new ArrivalClock(), new ArrivalClock()];
  const times: number[] = [];
  for (const end = performance.now() + 50; performance.now() < end; ) {
    times.push(one.next());
    waitMicroseconds(20);
    times.push(other.next());
    waitMicroseconds(20);
  }
  const same = times.length - new Set(times).size;
  // Where a millisecond begins each learns by itself, until then they may be alike.
  assert.ok(same < times.length / 10, `${same} of ${times.length}`);
});

function waitMicroseconds(count: number): void {
  for (const end = performance.now() + count / 1000; performance.now() < end; );
}
