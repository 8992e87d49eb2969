/** Times in payloads, to the microsecond. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readTime, readWholeTime, type TimeUnit } from "./payload-time.ts";

const noon = Date.UTC(2026, 10, 23, 12) * 1_000;
const times: readonly (readonly [value: unknown, unit: TimeUnit, microseconds: number])[] = [
  [0, "s", 0],
  [-1e-9, "s", 0],
  [1_700_000_000, "s", 1_700_000_000_000_000],
  [1_700_000_000.123456, "s", 1_700_000_000_123_456],
  ["1700000000", "s", 1_700_000_000_000_000],
  [1_700_000_000_123, "ms", 1_700_000_000_123_000],
  [1_700_000_000_123_456, "us", 1_700_000_000_123_456],
  [1_700_000_000_123_456_789n, "ns", 1_700_000_000_123_457],
  ["2360577084275636000", "ns", 2_360_577_084_275_636],
  [Number.MAX_SAFE_INTEGER, "us", Number.MAX_SAFE_INTEGER],
  ["2026-11-23T12:00:00Z", "iso", noon],
  ["2026-11-23T12:00:00", "iso", noon],
  ["2026-11-23 12:00", "iso", noon],
  ["2026-11-23T13:00:00+01:00", "iso", noon],
  ["2026-11-23T13:00:00+0100", "iso", noon],
  ["2026-11-23T12:00:00.5Z", "iso", noon + 500_000],
  ["2026-11-23t12:00:00,123456789z", "iso", noon + 123_456],
  ["1970-01-01T00:00:00Z", "iso", 0],
];
for (const [value, unit, microseconds] of times) {
  test(`${value} in ${unit}`, () => assert.equal(readTime(value, unit), microseconds));
}

const mistakes: readonly (readonly [value: unknown, unit: TimeUnit, message: RegExp])[] = [
  [undefined, "s", /has no time where/],
  [null, "ms", /has no time where/],
  [{}, "ms", /has no time where/],
  [true, "s", /is no number/],
  ["soon", "s", /is no number/],
  [-1, "s", /not from 1970 to 2255: is its unit s/],
  [1_700_000_000_123_456, "s", /not from 1970 to 2255/],
  [1e300, "ns", /not from 1970 to 2255/],
  [1_700_000_000, "iso", /no date and time of ISO 8601/],
  ["23.11.2026", "iso", /no date and time of ISO 8601/],
  ["2026-13-23T12:00:00Z", "iso", /is no day and hour/],
  ["2026-11-23T25:00:00Z", "iso", /is no day and hour/],
  ["1969-12-31T23:59:59Z", "iso", /not from 1970/],
  ["9999-12-31T23:59:59Z", "iso", /not from 1970/],
];
for (const [value, unit, message] of mistakes) {
  test(`${value} in ${unit} is no time`, () => {
    assert.throws(() => readTime(value, unit), { code: "PAYLOAD_UNREADABLE", message });
  });
}

test("nanoseconds keep their microseconds", () => {
  assert.equal(readWholeTime("1700000000123456789", "ns"), 1_700_000_000_123_456);
  assert.equal(readWholeTime("999", "ns"), 0);
  assert.equal(readWholeTime("1700000000", "s"), 1_700_000_000_000_000);
  assert.throws(() => readWholeTime("-500", "ns"), { code: "PAYLOAD_UNREADABLE" });
  assert.throws(() => readWholeTime("-1", "s"), { code: "PAYLOAD_UNREADABLE" });
});
