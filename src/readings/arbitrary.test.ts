/**
 * Mappings with whatever fast-check thinks of: payloads that are nearly right, plain noise, and mapping files with pieces
 * put in, taken out and changed. Nothing is thrown but what the contracts say, and every reading is one.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cbor2";
import fc from "fast-check";
import { TstackError } from "../base/index.ts";
import {
  type ConsumedMessage,
  createDefaultMapping,
  type Mapping,
  parseMapping,
  type Reading,
} from "./index.ts";

const file = `
others: default
rules:
  - { topic: drop/#, drop: true }
  - { topic: number/+room/#m, name: "{m}", payload: number, units: { value: °C } }
  - { topic: text/+, payload: text, tags: { site: home, floor: 2 } }
  - { topic: boolean/+room, payload: boolean, fields: { on: value } }
  - topic: json/+room
    payload: json
    fields: { t: a.0, on: { path: b, as: boolean }, n: { path: c, as: number } }
    time: { path: ts, unit: ms }
    tags: { id: { path: id } }
  - { topic: auto/+room, omit: [a.b, c], time: { path: ts, unit: iso } }
  - { topic: cbor/+room, payload: cbor, tags: { id: { path: a } } }
  - { topic: influx/+host, payload: influx, precision: ms }
`;

const kinds = ["drop", "number", "text", "boolean", "json", "auto", "cbor", "influx", "other"];
const topic = fc
  .tuple(fc.constantFrom(...kinds), fc.string({ unit: "binary", maxLength: 8 }))
  .map(([kind, rest]) => `${kind}/${rest.replace(/[+#\0]/g, "")}`);

const key = fc.oneof(
  fc.constantFrom("a", "b", "c", "ts", "id", "", "__proto__", "a.b", "0"),
  fc.string({ unit: "binary", maxLength: 4 }),
);
const scalar = fc.oneof(
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.string({ unit: "binary" }),
  fc.integer({ min: 0, max: 9e15 }),
  fc.constantFrom("2026-11-23T12:00:00Z", "ON", "21.5", "\ud800"),
);
const { document } = fc.letrec((tie) => ({
  document: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    scalar,
    fc.array(tie("document"), { maxLength: 4 }),
    fc.dictionary(key, tie("document"), { maxKeys: 5 }),
  ),
}));
const pieces = [
  "m",
  ",t=x",
  " ",
  "f=1",
  ",",
  "=",
  '"',
  "\\",
  "\n",
  "#",
  "1i",
  " 1700",
  "\r\n",
  "t",
];
const lines = fc.array(fc.constantFrom(...pieces), { maxLength: 20 }).map((list) => list.join(""));
const digits = fc.stringMatching(/^ ?[+-]?[0-9.eEnaxNif_,]{0,12}\n?$/);

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
  document.map((value) => Buffer.from(JSON.stringify(value) ?? "")),
  document.map((value) => Buffer.from(encode(value))),
  fc.tuple(document, fc.nat()).map(([value, cut]) => {
    const bytes = Buffer.from(encode(value));
    return bytes.subarray(0, cut % (bytes.length + 1));
  }),
  fc.oneof(lines, digits, fc.string({ unit: "binary" })).map((text) => Buffer.from(text)),
);
const message = fc.record(
  {
    topic,
    payload,
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    retain: fc.boolean(),
    arrivedAt: fc.maxSafeNat(),
    contentType: fc.constantFrom("application/cbor", "text/plain", ""),
  },
  { requiredKeys: ["topic", "payload", "qos", "retain", "arrivedAt"] },
);

function mapOrRefuse(mapping: Mapping, given: ConsumedMessage): readonly Reading[] | string {
  try {
    return mapping.map(given);
  } catch (error) {
    assert.ok(error instanceof TstackError, String(error));
    assert.equal(error.code, "PAYLOAD_UNREADABLE");
    return error.message;
  }
}

function checkReading({ series, time, fields }: Reading, given: ConsumedMessage): void {
  assert.equal(series.topic, given.topic);
  assert.notEqual(series.name, "");
  assert.ok(Number.isSafeInteger(time) && time >= 0, `time ${time}`);
  const names = [...series.tags.keys()];
  assert.deepEqual(names, names.toSorted());
  for (const [name, value] of series.tags) {
    assert.ok(name !== "" && typeof value === "string" && value !== "", `tag ${name}=${value}`);
    assert.ok(value.isWellFormed());
  }
  assert.ok(fields.size > 0);
  for (const [name, value] of fields) {
    assert.ok(name !== "" && name.isWellFormed());
    if (typeof value === "number") assert.ok(Number.isFinite(value), `${name}=${value}`);
    else if (typeof value === "string") assert.ok(value.isWellFormed());
    else assert.equal(typeof value, "boolean");
  }
}

test("whatever is published, it becomes readings or is refused, and always the same", async () => {
  const mappings = [createDefaultMapping(), await parseMapping(file, "mapping.yaml")];
  const counts = { readings: 0, refused: 0, nothing: 0 };
  fc.assert(
    fc.property(message, (given) => {
      for (const mapping of mappings) {
        const result = mapOrRefuse(mapping, given);
        assert.deepEqual(mapOrRefuse(mapping, given), result);
        if (typeof result === "string") counts.refused++;
        else if (result.length === 0) counts.nothing++;
        else counts.readings++;
        if (typeof result !== "string") for (const reading of result) checkReading(reading, given);
      }
    }),
    { numRuns: 4_000 },
  );
  assert.ok(Math.min(...Object.values(counts)) > 200, JSON.stringify(counts));
});

const words = [
  ..."{}[]:,-#&*!|>'\"%@`+ \n\t\0",
  "topic:",
  "  - topic: x\n",
  "drop: true",
  "fields: {a: b}",
  "{path: a}",
  "__proto__: 1",
  "&a",
  "*a",
  "<<: *a",
  "!!binary x",
  "? a",
  "---\n",
  "null",
  "1e999",
  "name: '{m}'",
];
const mutation = fc.record({
  at: fc.nat(file.length),
  cut: fc.nat(12),
  put: fc.oneof(fc.constantFrom(...words), fc.string({ unit: "binary", maxLength: 5 })),
});

test("a mapping file with any change is read, or refused with lines for people", async () => {
  const counts = { read: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      let text = file;
      for (const { at, cut, put } of mutations) {
        text = `${text.slice(0, at)}${put}${text.slice(at + cut)}`;
      }
      try {
        await parseMapping(text, "mapping.yaml");
        counts.read++;
      } catch (error) {
        assert.ok(error instanceof TstackError, String((error as Error).stack));
        assert.equal(error.code, "CONFIGURATION_INVALID");
        for (const line of error.message.split("\n")) {
          assert.match(line, /^(?:mapping\.yaml:\d+: \S|mapping\.yaml: \S|and \d+ more$)/);
        }
        counts.refused++;
      }
    }),
    { numRuns: 1_500 },
  );
  assert.ok(Math.min(...Object.values(counts)) > 10, JSON.stringify(counts));
});
