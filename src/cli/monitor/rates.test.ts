import assert from "node:assert/strict";
import { test } from "node:test";
import { Rates } from "./rates.ts";

function ratesAt(...times: readonly number[]): Rates {
  const left = [...times];
  return new Rates(() => left.shift() ?? Number.NaN);
}

test("a rate is the difference of two looks over the time between them", () => {
  const rates = ratesAt(100, 110, 112);
  rates.look();
  assert.equal(rates.perSecond("bytes", 5000), undefined);
  rates.look();
  assert.equal(rates.perSecond("bytes", 6000), 100);
  rates.look();
  assert.equal(rates.perSecond("bytes", 6000), 0);
});

test("a counter that has fallen, or was away, begins anew", () => {
  const rates = ratesAt(0, 1, 2, 3, 4);
  for (const [value, rate] of [
    [10, undefined],
    [4, undefined],
    [7, 3],
  ]) {
    rates.look();
    assert.equal(rates.perSecond("bytes", value ?? 0), rate);
  }
  rates.look();
  rates.look();
  assert.equal(rates.perSecond("bytes", 100), undefined);
});

test("no time is no rate", () => {
  const rates = ratesAt(5, 5);
  rates.look();
  rates.perSecond("bytes", 1);
  rates.look();
  assert.equal(rates.perSecond("bytes", 2), undefined);
});
