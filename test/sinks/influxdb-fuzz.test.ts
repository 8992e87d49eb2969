/** Whatever names, tags, fields and texts hold, a real InfluxDB has each value once, under the name that docs/sinks.md says. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import type { FieldValue } from "../../src/readings/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { InfluxdServer, withoutInfluxd as skip } from "./influxd-server.ts";

const signs = [
  "\\",
  "\\",
  ",",
  " ",
  "=",
  '"',
  "'",
  "#",
  "\n",
  "\r",
  "\t",
  "\0",
  "/",
  "a",
  "Z",
  "7",
];
const sign = fc.constantFrom(...signs, "é", "🦀", "\u007f", "-", ".", "_", "{", "%");
const name = fc.oneof(
  fc.string({ unit: sign, minLength: 1, maxLength: 8 }),
  fc.constantFrom(
    "time",
    "time_",
    "_field",
    "_measurement",
    "value",
    "true",
    "#",
    "\\",
    "\\\\",
    " ",
    "=",
  ),
);
const tags = fc.dictionary(name, name, { maxKeys: 3 });
const values = {
  number: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()),
  boolean: fc.boolean(),
  string: fc.oneof(fc.string({ unit: sign, maxLength: 12 }), fc.string({ unit: "binary" })),
};

/** In InfluxDB a field has one type for ever, so the values of a run have one. */
const runs = fc.oneof(
  ...Object.values(values).map((value: fc.Arbitrary<FieldValue>) =>
    fc.array(
      fc.record({
        name,
        tags,
        fields: fc.dictionary(fc.oneof(name, fc.constant("")), value, { minKeys: 1, maxKeys: 3 }),
      }),
      { minLength: 1, maxLength: 40 },
    ),
  ),
);

const pictures: Readonly<Record<string, string>> = {
  "\n": "␊",
  "\r": "␍",
  "\t": "␉",
  "\0": "␀",
  "\u007f": "␡",
};

/** The rules once more, sign by sign. */
function show(text: string): string {
  const all = [...text];
  return all
    .map((sign, index) => {
      const next = all[index + 1];
      const isPlain = sign !== "\\" || (next !== undefined && !'\\, ="'.includes(next));
      return pictures[sign] ?? (isPlain ? sign : "＼");
    })
    .join("");
}

function showKey(key: string): string {
  return /^(time|_field|_measurement)_*$/.test(key) ? `${key}_` : show(key) || "_";
}

function showValue(value: FieldValue): FieldValue {
  if (typeof value === "number") return value === 0 ? 0 : value;
  // A line end came back as itself, as it was read back.
  return typeof value === "string" ? value.replaceAll("␊", "\n") : value;
}

test("whatever is written is read back", { skip }, async (t) => {
  const server = await InfluxdServer.start();
  t.after(() => server.process.end());
  let run = 0;
  const property = fc.asyncProperty(runs, async (readings) => {
    run += 1;
    const database = `run${run}`;
    const configured = await influxdbSink.configure({
      "influxdb-url": server.url,
      "influxdb-database": database,
    });
    const sink = await configured.open({ stdout: new PassThrough(), say: () => undefined });
    const expected: unknown[] = [];
    const batch = readings.map(({ name, tags, fields }, index) => {
      const time = 1_700_000_000_000_000 + index;
      const shownTags = Object.entries(tags).map(([key, value]) => [showKey(key), show(value)]);
      const measurement = show(name).replace(/^#/, "＃");
      for (const [key, value] of Object.entries(fields)) {
        const tagsInOrder = shownTags.sort().filter(([, text]) => text !== "");
        expected.push([time, measurement, tagsInOrder, showKey(key), showValue(value)]);
      }
      const series = { topic: "t", name, tags: new Map(Object.entries(tags)), units: new Map() };
      const message = { topic: "t", payload: Buffer.of(), qos: 1, retain: false, arrivedAt: time };
      return {
        message: { ...message, qos: 1 as const },
        readings: [{ series, time, fields: new Map(Object.entries(fields)) }],
      };
    });
    // InfluxDB asks for the field where a tag has the same name.
    fc.pre(
      batch.every(({ readings: [{ series, fields }] }) => {
        const keys = [...series.tags.keys(), ...fields.keys()].map(showKey);
        return new Set(keys).size === keys.length;
      }),
    );
    await sink.write(batch);
    await sink.close();
    const stored = (await server.readBack(database)).map(({ series, field, time, value }) => {
      const [measurement, found] = JSON.parse(series);
      const tagsInOrder = Object.entries(found ?? {})
        .sort()
        .filter(([, text]) => text !== "");
      return [time, measurement, tagsInOrder, field, value];
    });
    const inOrder = (all: unknown[]) => all.map((one) => JSON.stringify(one)).sort();
    assert.deepEqual(inOrder(stored), inOrder(expected));
  });
  await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 40_000 });
});
