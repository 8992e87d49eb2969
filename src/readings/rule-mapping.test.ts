/** What the rules of a mapping file make of messages; docs/mapping.md has more, which `test/docs/` runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cbor2";
import { textLengthMax } from "./bounds.ts";
import { type ConsumedMessage, type FieldValue, type Mapping, parseMapping } from "./index.ts";

const arrivedAt = 1_700_000_000_000_001;

function toMessage(topic: string, payload: string | Uint8Array): ConsumedMessage {
  return { topic, payload: Buffer.from(payload), qos: 1, retain: false, arrivedAt };
}

async function parseRule(...lines: string[]): Promise<Mapping> {
  const [first, ...others] = lines;
  return parseMapping(
    ["rules:", `  - ${first}`, ...others.map((line) => `    ${line}`)].join("\n"),
    "mapping.yaml",
  );
}

const fieldTables: readonly (readonly [
  rule: readonly string[],
  payload: string,
  fields: Record<string, FieldValue>,
])[] = [
  [["payload: number"], "21.5", { value: 21.5 }],
  [["payload: number"], "nan", {}],
  [["payload: number"], "", {}],
  [["payload: text"], "21.5", { value: "21.5" }],
  [["payload: text"], "  ", { value: "  " }],
  [["payload: text"], "", {}],
  [["payload: boolean"], " ON\n", { value: true }],
  [["payload: boolean"], "closed", { value: false }],
  [["payload: boolean"], "0", { value: false }],
  [["payload: json"], '{"a": {"b": 1}}', { "a.b": 1 }],
  [["payload: json"], '\ufeff{"a": 1}', { a: 1 }],
  [["payload: json"], "null", {}],
  [["payload: json"], "7", { value: 7 }],
  [["fields: {t: value}"], "7", { t: 7 }],
  [["payload: number", "fields: {t: value}"], "7", { t: 7 }],
  [["fields: {t: a.0.b}"], '{"a": [{"b": 1, "c": 2}]}', { t: 1 }],
  [["fields: {t: a}"], '{"a": {"b": 1, "c": [2]}}', { "t.b": 1, "t.c.0": 2 }],
  [["fields: {t: 'a\\.b.c'}"], '{"a.b": {"c": 1}, "a": {"b": {"c": 2}}}', { t: 1 }],
  [["fields: {t: constructor.name}"], '{"a": 1}', {}],
  [["fields: {t: a.length}"], '{"a": [1, 2]}', {}],
  [["fields: {t: a}"], "7", {}],
  [["fields: {on: {path: s, as: boolean}}"], '{"s": "OFF"}', { on: false }],
  [["fields: {on: {path: s, as: boolean}}"], '{"s": 1}', { on: true }],
  [["fields: {on: {path: s, as: boolean}}"], '{"t": 1}', {}],
  [["fields: {n: {path: s, as: number}}"], '{"s": "21.5"}', { n: 21.5 }],
  [["fields: {n: {path: s, as: number}}"], '{"s": true}', { n: 1 }],
  [["fields: {n: {path: s, as: number}}"], '{"s": null}', {}],
  [["fields: {id: {path: s, as: text}}"], '{"s": 7}', { id: "7" }],
  [["omit: [a, b.c, 'd\\.e']"], '{"a": {"x": 1}, "b": {"c": 2, "d": 3}, "d.e": 4}', { "b.d": 3 }],
  [["tags: {id: {path: a.id}}"], '{"a": {"id": "x", "t": 1}}', { "a.t": 1 }],
  [["tags: {id: {path: id}}", "fields: {id: id}"], '{"id": "x"}', { id: "x" }],
];
for (const [rule, payload, fields] of fieldTables) {
  test(`${rule.join(", ")} makes fields of ${JSON.stringify(payload)}`, async () => {
    const readings = (await parseRule("topic: a", ...rule)).map(toMessage("a", payload));
    assert.deepEqual(
      Object.fromEntries(readings.flatMap((reading) => [...reading.fields])),
      fields,
    );
    assert.equal(readings.length, Object.keys(fields).length > 0 ? 1 : 0);
  });
}

const refused: readonly (readonly [rule: string, payload: string | Uint8Array, message: RegExp])[] =
  [
    ["payload: number", "21.5 °C", /no number where the mapping says number \(mapping.yaml:2\)$/],
    ["payload: number", "0x10", /no number/],
    ["payload: number", Buffer.from([255, 254]), /no text in UTF-8/],
    ["payload: boolean", "maybe", /none of true, on, yes/],
    ["payload: text", Buffer.from([255]), /no text in UTF-8/],
    ["payload: text", "x".repeat(textLengthMax + 1), /more than 65536 characters/],
    ["payload: json", "{", /no JSON/],
    ["payload: cbor", Buffer.from([0x9b, ...Array(8).fill(255)]), /no CBOR/],
    ["payload: influx", "#".repeat(4_194_305), /more than 4194304 bytes/],
    ["payload: influx", "x", /line 1 of the payload has no fields/],
    ["fields: {n: {path: s, as: number}}", '{"s": "x"}', /no number/],
    ["fields: {n: {path: s, as: number}}", '{"s": []}', /an object or a list where/],
    ["tags: {n: {path: s}}", '{"s": {}, "t": 1}', /an object or a list where/],
    [
      "tags: {n: {path: s}}",
      `{"s": "${"x".repeat(textLengthMax + 1)}", "t": 1}`,
      /value of the tag n has more than/,
    ],
    ["time: {path: ts, unit: s}", '{"t": 1}', /has no time/],
    ["time: {path: ts, unit: s}", '{"t": 1, "ts": 1700000000000}', /is its unit s/],
  ];
for (const [rule, payload, message] of refused) {
  test(`${rule} refuses ${JSON.stringify(payload.slice(0, 30))}`, async () => {
    const mapping = await parseRule("topic: a", rule);
    assert.throws(() => mapping.map(toMessage("a", payload)), {
      code: "PAYLOAD_UNREADABLE",
      message,
    });
  });
}

const seriesTables: readonly (readonly [
  rule: readonly string[],
  topic: string,
  name: string,
  tags: Record<string, string>,
])[] = [
  [["topic: a/+x/#"], "a/1/t/u", "a/t/u", { x: "1" }],
  [["topic: a/+x/#m", 'name: "{m}"'], "a/1/t/u", "t/u", { x: "1" }],
  [["topic: a/+x/#m", "name: n"], "a/1/t", "n", { m: "t", x: "1" }],
  [["topic: a/+x/+y", 'name: "{y} of {x}"'], "a/1/t", "t of 1", {}],
  [["topic: a/+x/b"], "a//b", "a/b", {}],
  [["topic: a/#m", 'name: "{m}"'], "a", "a", {}],
  [["topic: +x/#"], "a", "a", { x: "a" }],
  [["topic: a/+x", "tags: {site: home, floor: 2, up: true}"], "a/1", "a", tagged()],
];

function tagged(): Record<string, string> {
  return { floor: "2", site: "home", up: "true", x: "1" };
}

for (const [rule, topic, name, tags] of seriesTables) {
  test(`${rule.join(", ")} calls ${topic} ${name}`, async () => {
    const mapping = await parseRule(...rule);
    const [{ series }] = mapping.map(toMessage(topic, "1"));
    assert.equal(series.name, name);
    assert.deepEqual([...series.tags], Object.entries(tags), "in the order of their names");
    assert.equal(series.topic, topic);
    assert.equal(mapping.map(toMessage(topic, "2"))[0].series, series, "it is remembered");
  });
}

test("tags of the payload make series of their own, which are remembered", async () => {
  const mapping = await parseRule("topic: a/+x", "tags: {id: {path: id}}", "units: {t: °C}");
  const seriesOf = (payload: string) => mapping.map(toMessage("a/1", payload))[0].series;
  const first = seriesOf('{"id": 7, "t": 1}');
  assert.deepEqual([...first.tags], Object.entries({ id: "7", x: "1" }));
  assert.deepEqual([...first.units], [["t", "°C"]]);
  assert.equal(seriesOf('{"id": 7, "t": 2}'), first);
  assert.notEqual(seriesOf('{"id": 8, "t": 2}'), first);
  assert.deepEqual([...seriesOf('{"id": "", "t": 2}').tags], [["x", "1"]]);
  assert.equal(seriesOf('{"id": "\\ud800", "t": 2}').tags.get("id"), "\ufffd");
  assert.deepEqual([...seriesOf('{"t": 2}').tags], [["x", "1"]]);
});

test("a line has its measurement as name, and cannot say that it comes from elsewhere", async () => {
  const mapping = await parseRule(
    "topic: metrics/+host",
    "payload: influx",
    "tags: {site: home}",
    "precision: s",
  );
  const readings = mapping.map(toMessage("metrics/h", "cpu,core=0,host=x,site=y a=1 2\nmem b=2"));
  const [cpu, memory] = readings;
  assert.deepEqual([cpu.series.name, memory.series.name], ["cpu", "mem"]);
  assert.deepEqual([...cpu.series.tags], Object.entries({ core: "0", host: "h", site: "home" }));
  assert.deepEqual([cpu.time, memory.time], [2_000_000, arrivedAt]);
  const named = await parseRule("topic: metrics", "payload: influx", "name: all");
  assert.equal(named.map(toMessage("metrics", "cpu a=1"))[0].series.name, "all");
});

test("the first rule counts, and what no rule is for is mapped as without a file", async () => {
  const rules = ["rules:", "  - {topic: a/b, drop: true}", "  - {topic: a/+x, payload: text}"];
  const mapping = await parseMapping(rules.join("\n"), "m.yaml");
  assert.deepEqual(mapping.map(toMessage("a/b", "1")), []);
  assert.deepEqual([...mapping.map(toMessage("a/c", "1"))[0].fields], [["value", "1"]]);
  const [other] = mapping.map(toMessage("c", "1"));
  assert.deepEqual([other.series.name, ...other.fields], ["c", ["value", 1]]);
  const strict = await parseMapping(["others: drop", ...rules].join("\n"), "m.yaml");
  assert.deepEqual(strict.map(toMessage("c", "1")), []);
});

test("CBOR has paths, times and tags as JSON has", async () => {
  const mapping = await parseRule(
    "topic: a",
    "payload: cbor",
    "fields: {t: s.0.t}",
    "time: {path: ts, unit: ns}",
    "tags: {id: {path: id}}",
  );
  const payload = encode({ s: [{ t: 21.5 }], ts: 1_700_000_000_123_456_000n, id: 7 });
  const [{ series, time, fields }] = mapping.map(toMessage("a", payload));
  assert.deepEqual(
    [...series.tags, ...fields, time],
    [["id", "7"], ["t", 21.5], 1_700_000_000_123_456],
  );
});
