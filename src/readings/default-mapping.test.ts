/** What a payload becomes without a mapping file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encode } from "cbor2";
import { TstackError } from "../base/index.ts";
import { depthMax, fieldsMax, nameLengthMax, payloadBytesMax, textLengthMax } from "./bounds.ts";
import { type ConsumedMessage, createDefaultMapping, type FieldValue } from "./index.ts";

function toMessage(payload: string | Uint8Array, contentType?: string): ConsumedMessage {
  const base = { topic: "a/b", payload: Buffer.from(payload), qos: 1, retain: false } as const;
  return { ...base, arrivedAt: 1_700_000_000_000_001, ...(contentType && { contentType }) };
}

function mapFields(message: ConsumedMessage): Record<string, FieldValue> {
  const readings = createDefaultMapping().map(message);
  return Object.fromEntries(readings.flatMap(({ fields }) => [...fields]));
}

const values: readonly (readonly [payload: string, value: FieldValue | undefined])[] = [
  ["21.5", 21.5],
  ["  -3\r\n", -3],
  ["+3", 3],
  [".5", 0.5],
  ["1e3", 1000],
  ["\ufeff7", 7],
  ["0", 0],
  ["007", "007"],
  ["5.", "5."],
  ["0x10", "0x10"],
  ["1,5", "1,5"],
  ["1_000", "1_000"],
  ["1e999", "1e999"],
  ["Infinity", "Infinity"],
  ["21.5 °C", "21.5 °C"],
  ["true", true],
  ["false\n", false],
  ["True", "True"],
  ["ON", "ON"],
  ["off", "off"],
  ["nan", undefined],
  ["NaN", undefined],
  ["null", undefined],
  ["", undefined],
  [" \n", undefined],
  ["online", "online"],
  [" two words ", " two words "],
  ["Grüße 🌡", "Grüße 🌡"],
  ["\ufffd", "\ufffd"],
  ['"quoted"', "quoted"],
  ['"\\ud800"', "\ufffd"],
  ['{"cut": ', '{"cut": '],
  ["[not json]", "[not json]"],
  ["\u0000\u0015", undefined],
];
for (const [payload, value] of values) {
  test(`the payload ${JSON.stringify(payload)} is ${JSON.stringify(value)}`, () => {
    assert.deepEqual(mapFields(toMessage(payload)), value === undefined ? {} : { value });
  });
}

const documents: readonly (readonly [payload: string, fields: Record<string, FieldValue>])[] = [
  ['{"t": 21.5, "on": true, "s": "x"}', { t: 21.5, on: true, s: "x" }],
  ['{"a": {"b": {"c": 1}}, "d": [2, {"e": 3}]}', { "a.b.c": 1, "d.0": 2, "d.1.e": 3 }],
  ['{"a": null, "b": 1e999, "c": {}, "d": []}', {}],
  ['{"\\ud800": 1}', { "\ufffd": 1 }],
  ["[1, 2]", { 0: 1, 1: 2 }],
  ['{"": 1, "a": {"": 2}}', { _: 1, "a._": 2 }],
  ['{"value": 1, "a.b": 2, "a": {"b": 3}}', { value: 1, "a.b": 3 }],
  ['\ufeff{"t": 1}', { t: 1 }],
];
for (const [payload, fields] of documents) {
  test(`the document ${JSON.stringify(payload)} has its fields`, () => {
    assert.deepEqual(mapFields(toMessage(payload)), fields);
  });
}

test("the reading has the topic as its name, no tags, and the time of the arrival", () => {
  const mapping = createDefaultMapping();
  const [reading] = mapping.map(toMessage("1"));
  assert.deepEqual(reading, {
    series: { topic: "a/b", name: "a/b", tags: new Map(), units: new Map() },
    time: 1_700_000_000_000_001,
    fields: new Map([["value", 1]]),
  });
  assert.equal(mapping.map(toMessage("2"))[0].series, reading.series, "the series is remembered");
});

test("CBOR is read where the content type says it", () => {
  const payload = encode({ t: 21.5, list: [1, true], bytes: new Uint8Array([255, 254]) });
  const fields = { t: 21.5, "list.0": 1, "list.1": true, bytes: "__4" };
  assert.deepEqual(mapFields(toMessage(payload, "application/cbor")), fields);
  assert.deepEqual(mapFields(toMessage(payload, "Application/CBOR; x=y")), fields);
  assert.deepEqual(mapFields(toMessage(encode(7n), "application/cbor")), { value: 7 });
  assert.deepEqual(mapFields(toMessage(encode(Number.NaN), "application/cbor")), {});
  assert.deepEqual(mapFields(toMessage(encode(new Map([[1, 2]])), "application/cbor")), { 1: 2 });
  assert.deepEqual(mapFields(toMessage(payload)), {}, "bytes that are no text hold nothing");
});

const encodedInCbor: readonly (readonly [hex: string, fields: Record<string, FieldValue>])[] = [
  ["a1 61 74 c1 1a 655f4e80", { t: 1_700_744_832 }], // a time, which is a number
  ["a1 61 74 c0 64 32303236", { t: "2026" }], // a time, which is text
  ["a1 61 74 c2 49 010000000000000000", { t: "AQAAAAAAAAAA" }], // a number beyond 64 bits
  ["a1 61 74 3b ffffffffffffffff", { t: -(2 ** 64) }],
  ["a1 61 74 f8 ff", {}], // a simple value that nobody has given a meaning
  ["a1 61 74 f7", {}], // undefined
  ["a1 61 74 f9 7c00", {}], // infinity
  ["a1 82 01 02 03", { "[1,2]": 3 }],
  [`${"81".repeat(31)} 07`, { [Array(31).fill("0").join(".")]: 7 }],
];
for (const [hex, fields] of encodedInCbor) {
  test(`the CBOR ${hex.slice(0, 40)} has its fields`, () => {
    const payload = Buffer.from(hex.replaceAll(" ", ""), "hex");
    assert.deepEqual(mapFields(toMessage(payload, "application/cbor")), fields);
  });
}

test("a name of JavaScript's own is a field like any other", () => {
  const payload = '{"__proto__": {"x": 1}, "constructor": 2, "toString": 3}';
  const [{ fields }] = createDefaultMapping().map(toMessage(payload));
  assert.deepEqual(
    [...fields],
    [
      ["__proto__.x", 1],
      ["constructor", 2],
      ["toString", 3],
    ],
  );
  assert.equal(Reflect.get({}, "x"), undefined);
});

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
const listOf = (length: number) => `[${Array(length).fill("1").join()}]`;
const bounds: readonly (readonly [
  name: string,
  within: string,
  beyond: string,
  message: RegExp,
])[] = [
  ["depth", nested(depthMax), nested(depthMax + 1), /deeper than 32 levels/],
  ["fields", listOf(fieldsMax), listOf(fieldsMax + 1), /more than 1024 fields/],
  [
    "the name of a field",
    `{"${"n".repeat(nameLengthMax)}":1}`,
    `{"${"n".repeat(nameLengthMax + 1)}":1}`,
    /name of a field has more than 512 characters/,
  ],
  ["text", "x".repeat(textLengthMax), "x".repeat(textLengthMax + 1), /text has more than 65536/],
  [
    "a document",
    `{"a":1${" ".repeat(payloadBytesMax - 7)}}`,
    `{"a":1${" ".repeat(payloadBytesMax - 6)}}`,
    /more than 4194304 bytes/,
  ],
];
test("what is longer than any document is refused before a text is made of it; no text at all holds nothing", () => {
  const mapping = createDefaultMapping();
  const message = toMessage(Buffer.alloc(100_000_000, 1));
  const before = process.memoryUsage().rss;
  assert.throws(() => mapping.map(message), /more than 4194304 bytes/);
  message.payload[0] = 0xff;
  assert.deepEqual(mapping.map(message), []);
  assert.ok(process.memoryUsage().rss - before < message.payload.length / 2);
});

for (const [name, within, beyond, message] of bounds) {
  test(`${name} has a bound`, () => {
    const mapping = createDefaultMapping();
    assert.equal(mapping.map(toMessage(within)).length, 1);
    assert.throws(
      () => mapping.map(toMessage(beyond)),
      (error) =>
        error instanceof TstackError &&
        error.code === "PAYLOAD_UNREADABLE" &&
        message.test(error.message),
    );
  });
}

test("CBOR that is none is told, with nothing of it in the message", () => {
  const payload = Buffer.from("secret");
  assert.throws(() => createDefaultMapping().map(toMessage(payload, "application/cbor")), {
    code: "PAYLOAD_UNREADABLE",
    message: "the payload is no CBOR",
  });
});
