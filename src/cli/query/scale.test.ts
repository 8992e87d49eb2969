import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { numberTicks, roundInterval, timeTicks } from "./scale.ts";
import { localClock, localDay } from "./times.ts";

process.env.TZ = "Europe/Berlin";

const hour = 3_600_000_000;
const day = 24 * hour;
const timeOf = (text: string) => Date.parse(text) * 1000;

test("ticks of days stand at midnight, also where the clocks are changed", () => {
  const { step, times } = timeTicks(timeOf("2026-10-22T12:00Z"), timeOf("2026-10-28T12:00Z"), 6);
  assert.equal(step, day);
  assert.deepEqual(times.map(localDay), [
    "2026-10-23",
    "2026-10-24",
    "2026-10-25",
    "2026-10-26",
    "2026-10-27",
    "2026-10-28",
  ]);
  assert.deepEqual(new Set(times.map((time) => localClock(time, hour))), new Set(["00:00"]));
});

test("ticks of hours are round by the local clock", () => {
  const { times } = timeTicks(timeOf("2026-11-23T09:10Z"), timeOf("2026-11-23T16:00Z"), 5);
  assert.deepEqual(
    times.map((time) => localClock(time, hour)),
    ["12:00", "14:00", "16:00"],
  );
});

test("ticks of time lie within, in order, and are not too many", (context) => {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  for (let round = 0; round < 500; round++) {
    const random = ((seed + round * 7919) % 10_007) / 10_007;
    const first = timeOf("2020-01-01") + Math.floor(random * 4000 * day);
    const last = first + Math.floor(10 ** (3 + 13 * random));
    const countMax = 1 + (round % 20);
    const { times } = timeTicks(first, last, countMax);
    // A change of the clocks may add one.
    assert.ok(times.length <= countMax + 2, `${times.length} of ${countMax}`);
    for (const [index, time] of times.entries()) {
      assert.ok(time >= first && time <= last);
      assert.ok(index === 0 || time > times[index - 1]);
    }
  }
});

test("ticks of numbers are round, told apart, and all of one length", () => {
  const ranges: readonly (readonly [number, number, readonly string[]])[] = [
    [0, 10, [" 0", " 2", " 4", " 6", " 8", "10"]],
    [-1.5, 1.5, ["-1", " 0", " 1"]],
    [20.1, 20.4, ["20.1", "20.2", "20.3", "20.4"]],
    [8.1e9, 8.9e9, ["8.2G", "8.4G", "8.6G", "8.8G"]],
    [7, 7, ["6.5", "7.0", "7.5"]],
    [1e-7, 4e-7, ["1.0e-7", "2.0e-7", "3.0e-7", "4.0e-7"]],
  ];
  for (const [lowest, highest, expected] of ranges) {
    const { low, high, values, label } = numberTicks(lowest, highest, 5);
    assert.deepEqual(values.map(label), expected);
    assert.ok(low <= lowest && high >= highest);
  }
});

test("intervals are round", () => {
  assert.equal(roundInterval(0), 1000);
  assert.equal(roundInterval(3.5 * hour), 4 * hour);
  assert.equal(roundInterval(day + 1), 2 * day);
  assert.equal(roundInterval(400 * day), 730 * day);
});
