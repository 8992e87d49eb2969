import assert from "node:assert/strict";
import { test } from "node:test";
import { LatencyRecord } from "./latency-record.ts";

test("percentiles are those of the sorted values, within 0.1 %", () => {
  const record = new LatencyRecord();
  const values = Array.from({ length: 20_000 }, (_, index) => Math.floor(1.0009 ** index));
  for (const value of values) record.record(value);
  for (const percentile of [0.01, 1, 10, 50, 90, 99, 99.9, 100]) {
    const exact = values[Math.ceil((values.length * percentile) / 100) - 1] / 1000;
    const told = record.percentileMilliseconds(percentile);
    assert.ok(told >= exact && told <= exact * 1.001, `${percentile}: ${told} for ${exact}`);
  }
});

test("values at the edges of powers of two are counted as what they are", () => {
  for (const value of [0, 1, 1023, 1024, 2047, 2048, 4095, 4096, 65_535, 65_536, 4_294_967_295]) {
    const record = new LatencyRecord();
    record.record(value);
    const max = value / 1000;
    assert.deepEqual(record.summarize(), {
      ...{ mean: max, p50: max, p90: max, p99: max, p999: max, max },
    });
  }
});

test("a clock that goes back counts as 0, and what is beyond an hour as the longest", () => {
  const record = new LatencyRecord();
  record.record(-5);
  assert.equal(record.percentileMilliseconds(100), 0);
  record.record(1e15);
  assert.equal(record.percentileMilliseconds(100), 4_294_967.295);
});

test("of nothing there is nothing to tell", () => {
  assert.equal(new LatencyRecord().summarize(), undefined);
  assert.equal(new LatencyRecord().percentileMilliseconds(99), 0);
});
