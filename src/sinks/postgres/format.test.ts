import assert from "node:assert/strict";
import { test } from "node:test";
import type { MappedMessage } from "../sink.ts";
import {
  cleanText,
  explainRows,
  toColumns,
  toTextArray,
  type ValueRow,
  withoutRepeats,
} from "./format.ts";

const time = Date.UTC(2026, 10, 23, 12, 59, 50, 123) * 1000 + 7;

test("what PostgreSQL cannot hold is visible", () => {
  assert.equal(cleanText("a\0b\ud800c🦀"), "a\uFFFDb\uFFFDc🦀");
});

test("rows become arrays, a column each, and text cannot leave its place", () => {
  const rows: ValueRow[] = [
    { seriesId: "1", time, value: 1e21 },
    { seriesId: "2", time: 0, value: 'a"b\\,}NULL' },
    { seriesId: "3", time: -1, value: false },
  ];
  assert.deepEqual(toColumns(rows), [
    "{1,2,3}",
    `{${time},0,-1}`,
    "{1e+21,NULL,NULL}",
    '{NULL,"a\\"b\\\\,}NULL",NULL}',
    "{NULL,NULL,false}",
  ]);
  assert.equal(toTextArray(["null", undefined, ""]), '{"null",NULL,""}');
});

test("of rows with the same key the last one stays", () => {
  const row = (seriesId: string, at: number, value: number) => ({ seriesId, time: at, value });
  const rising = [row("1", 1, 1), row("2", 1, 2), row("1", 2, 3)];
  assert.equal(withoutRepeats(rising), rising);
  const repeated = [row("1", 2, 1), row("1", 1, 2), row("1", 2, 3)];
  assert.deepEqual(withoutRepeats(repeated), [row("1", 2, 3), row("1", 1, 2)]);
});

test("explain has the columns of the view, as literals that no terminal takes for orders", () => {
  const series = {
    topic: "site/hall",
    name: "site/hall",
    tags: new Map([["room", "o'hall"]]),
    units: new Map([["temp", "°C"]]),
  };
  const fields = new Map<string, string | number>([
    ["temp", 21.5],
    ["note", "a\\\u001b[31m"],
  ]);
  const payload = Buffer.from("");
  const message: MappedMessage = {
    message: { topic: series.topic, payload, qos: 1, retain: false, arrivedAt: time },
    readings: [{ series, time, fields }],
  };
  const start =
    "metrics.r: time = '2026-11-23T12:59:50.123007Z', topic = 'site/hall', name = 'site/hall'" +
    `, tags = '{"room":"o''hall"}', `;
  assert.equal(
    explainRows("metrics.r", message),
    `${start}field = 'temp', value = 21.5, unit = '°C'\n` +
      `${start}field = 'note', text = E'a\\\\\\u001b[31m'`,
  );
});
