/** The suite itself: a sink as it should be passes, and every check fails for a sink with the fault that it is for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SinkRefusal } from "../sink.ts";
import { type MemoryFault, openMemorySink } from "./memory-sink.ts";
import type { SinkTraits } from "./sink-under-test.ts";
import { runSinkCheck, sinkChecks, testSink } from "./test-sink.ts";

const traits: SinkTraits = { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: true };

testSink("memory", traits, async () => openMemorySink());

const syntax = /[^\w/]/;

/** Line ends, commas and quotes of what `part` answers make a second value. */
function injected(part: (message: Parameters<typeof textsOf>[0]) => string | undefined) {
  const fault: MemoryFault = {
    store(entry) {
      const isHarmful = syntax.test(part(entry.message) ?? "");
      return isHarmful ? [entry, { ...entry, key: `${entry.key}2`, value: 1 }] : [entry];
    },
  };
  return fault;
}

function textsOf({ readings: [reading] }: { readonly readings: readonly Reading[] }) {
  const { series, fields } = reading;
  return { series, field: [...fields.keys()][0] };
}

type Reading = Parameters<NonNullable<MemoryFault["explain"]>>[0]["readings"][number];

const forgetsAtOutage: MemoryFault = { forgetsAtOutage: true };

/** By the check that must fail. */
const faults: Readonly<Record<keyof typeof sinkChecks, MemoryFault>> = {
  "a number comes back as it was": {
    store: (entry) => [{ ...entry, value: Math.fround(Number(entry.value)) }],
  },
  "true and false come back": {
    store: (entry) => [{ ...entry, value: String(entry.value) }],
  },
  "text comes back as it was, or is left out": {
    store: (entry) => [
      { ...entry, value: typeof entry.value === "string" ? entry.value.trim() : entry.value },
    ],
  },
  "what a destination may not hold harms nothing else": {
    accept(batch) {
      if (batch.some(({ readings }) => readings[0].fields.get("value") === "a\0b")) {
        throw new SinkRefusal("a zero", { refused: new Map([[0, "not this"]]) });
      }
    },
  },
  "every field of every reading of a message is there": {
    store: (entry) =>
      entry.message.readings[0].fields.keys().next().value === entry.field ? [entry] : [],
  },
  "a time is as exact as the destination can have it": {
    store: (entry) => [{ ...entry, time: Math.floor(entry.time / 1000) * 1000 }],
  },
  "an older reading may come after a younger": {
    accept(batch, rows) {
      const last = Math.max(0, ...Array.from(rows.values(), ({ time }) => time));
      if (batch.some(({ readings }) => readings[0].time < last)) rows.clear();
    },
  },
  "whatever is in a topic, a value is one value": injected(
    (message) => textsOf(message).series.topic,
  ),
  "whatever is in a name, a value is one value": injected(
    (message) => textsOf(message).series.name,
  ),
  "whatever is in a name of a tag, a value is one value": injected((message) =>
    [...textsOf(message).series.tags.keys()].join(""),
  ),
  "whatever is in a value of a tag, a value is one value": injected((message) =>
    [...textsOf(message).series.tags.values()].join(""),
  ),
  "whatever is in a field, a value is one value": injected((message) => textsOf(message).field),
  "whatever is in a unit, a value is one value": injected((message) =>
    textsOf(message).series.units.get("value"),
  ),
  "topics may have empty and many levels": {
    store: (entry) => (entry.message.message.topic.includes("//") ? [] : [entry]),
  },
  "other series and fields have other names, the same the same": {
    store: (entry) => [{ ...entry, series: entry.message.message.topic }],
  },
  "an empty batch is nothing": { count: (records) => records + 1 },
  "a large batch is there as a whole": {
    accept(batch) {
      if (batch.length > 1000) throw new SinkRefusal("too many");
    },
  },
  "batches come one after the other": { accept: (_, rows) => rows.clear() },
  "a batch that comes again is there once, where there is a key": {
    accept(_, rows) {
      for (const [key, value] of [...rows]) rows.set(`again ${key}`, value);
    },
  },
  "a batch of which part is there already is completed": {
    accept(batch, rows) {
      if (rows.size > 0 && batch.length > rows.size) throw new SinkRefusal("there already");
    },
  },
  "closed and opened again it goes on, and what was there stays": { forgetsAtOpen: true },
  "opened and closed again without a write it leaves nothing": { leavesMark: true },
  "cut off it says so, and takes the same batch once it is back": { hidesOutage: true },
  "cut off twice in the middle of a stream, nothing is missing": forgetsAtOutage,
  "opened while the destination is away, it waits for nothing": { waitsAtOpen: true },
  "closed while the destination is away, it ends": { failsAtClose: true },
  "explain says what is written": { explain: () => "something" },
  "explain writes nothing, and is empty only where nothing is written": {
    explain(message, write) {
      write(message);
      return "written";
    },
  },
};

test("every check has a fault that it finds", () => {
  assert.deepEqual(Object.keys(faults), Object.keys(sinkChecks));
});

for (const [title, fault] of Object.entries(faults)) {
  test(`a sink at fault fails: ${title}`, async () => {
    const run = runSinkCheck(sinkChecks[title], traits, async () => openMemorySink(fault));
    await assert.rejects(run);
  });
}

test("without a key repeated values may be there twice, and without text none is there", async () => {
  const poor: SinkTraits = { ...traits, keepsText: false, keepsBooleans: false, hasKey: false };
  const fault: MemoryFault = {
    store: (entry) =>
      typeof entry.value === "string"
        ? []
        : [{ ...entry, key: `${Math.random()}`, value: Number(entry.value) }],
  };
  for (const title of [
    "true and false come back",
    "a batch that comes again is there once, where there is a key",
    "cut off twice in the middle of a stream, nothing is missing",
  ]) {
    await runSinkCheck(sinkChecks[title], poor, async () => openMemorySink(fault));
  }
});
