/** What is in the file: as people query it, with what they may rely on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { Series } from "../../src/readings/index.ts";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import type { MappedMessage } from "../../src/sinks/index.ts";
import { BatchEncoder } from "../../src/sinks/sqlite/batch.ts";
import { ReadingsWriter } from "../../src/sinks/sqlite/readings-writer.ts";
import { makeFolder, openSink, query, readRows } from "./sqlite-file.ts";

/** As a mapping does it: the messages of a topic share their series. */
function shareSeries(messages: readonly MappedMessage[]): MappedMessage[] {
  const known = new Map<string, Series>();
  return messages.map(({ message, readings: [reading] }) => {
    const series = known.get(message.topic) ?? reading.series;
    known.set(message.topic, series);
    return { message, readings: [{ ...reading, series }] };
  });
}

const time = Date.parse("2026-11-23T12:33:20.123Z") * 1000 + 456;

test("readings is a view with the time as a number and as text, and everything else of a reading", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  const tags = { room: "hall", floor: "1" };
  const parts = { topic: "home/hall", name: "temp", tags, units: { value: "°C" }, time };
  await sink.write([new MessageMaker().make({ ...parts, fields: { value: 21.5 } })]);
  assert.deepEqual(query(file, "select * from readings"), [
    [
      time / 1e6,
      "2026-11-23 12:33:20.123",
      "home/hall",
      "temp",
      "value",
      21.5,
      "°C",
      '{"floor":"1","room":"hall"}',
    ],
  ]);
  assert.deepEqual(query(file, "select datetime(time, 'unixepoch') from readings"), [
    ["2026-11-23 12:33:20"],
  ]);
  assert.deepEqual(query(file, "select tags ->> 'room' from readings"), [["hall"]]);
});

test("1, true and the text 1 of one time are three readings, and each comes back as what it was", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  const maker = new MessageMaker();
  const values = [1, true, "1", 0, false, "0", "true", ""];
  const batch = values.map((value) => maker.make({ topic: "a", fields: { value }, time }));
  await sink.write(batch);
  await sink.write(batch);
  const stored = readRows(file).map(({ value }) => value);
  assert.equal(stored.length, values.length);
  assert.deepEqual(new Set(stored), new Set(values));
  const types = query(
    file,
    "select distinct type, typeof(value) from data join series on id = series order by 1",
  );
  assert.deepEqual(types, [
    ["boolean", "integer"],
    ["number", "real"],
    ["string", "text"],
  ]);
});

test("two values of one time are both kept: a clock of seconds may say two things in one", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  const maker = new MessageMaker();
  await sink.write([21, 22].map((value) => maker.make({ fields: { value }, time })));
  assert.deepEqual(query(file, "select value from readings order by value"), [[21], [22]]);
});

test("another unit is a change of the series, and no other series", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  const maker = new MessageMaker();
  for (const unit of ["°F", "°C"]) {
    await sink.write([maker.make({ topic: "a", fields: { value: 1 }, units: { value: unit } })]);
  }
  assert.deepEqual(query(file, "select topic, unit from series"), [["a", "°C"]]);
});

const plans: Readonly<Record<string, RegExp>> = {
  "select * from readings order by time desc limit 10": /data_by_time/,
  "select * from readings where topic like 'home/%' order by time desc limit 10": /data_by_time/,
  "select * from readings where topic = 'home/a'": /SEARCH data USING PRIMARY KEY/,
  "select * from readings where topic = 'home/a' and time > unixepoch('now', '-1 hour')":
    /SEARCH data USING PRIMARY KEY \(series=\? AND time>\?\)/,
  "select count(*) from readings where time > unixepoch('now', '-1 hour')":
    /SEARCH data USING .*data_by_time \(time>\?\)/,
};

test("what people ask uses an index", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  await sink.write([new MessageMaker().number("home/a")]);
  for (const [statement, expected] of Object.entries(plans)) {
    const plan = query(file, `explain query plan ${statement}`).map((row) => row[3]);
    assert.match(plan.join("\n"), expected, statement);
  }
});

test("more series than are remembered are written as well", (context) => {
  const file = join(makeFolder(context), "readings.db");
  const writer = new ReadingsWriter({ file, retentionSeconds: undefined }, Date.now);
  context.after(() => writer.close());
  const encoder = new BatchEncoder(10);
  const maker = new MessageMaker();
  const messages = shareSeries(
    Array.from({ length: 200 }, (_, index) => maker.number(`topic/${index % 37}`)),
  );
  const batches = Array.from({ length: 25 }, (_, index) =>
    encoder.encode(messages.slice(index * 8, index * 8 + 8)),
  );
  for (const batch of batches) writer.write(batch);
  assert.ok(batches.filter(({ isFresh }) => isFresh).length > 5, "they are forgotten");
  const stored = readRows(file);
  assert.equal(stored.length, messages.length);
  const topics = new Set(stored.map(({ series, value }) => `${JSON.parse(series)[0]} ${value}`));
  const expected = messages.map(({ message }) => `${message.topic} ${message.payload}`);
  assert.deepEqual(topics, new Set(expected));
  assert.deepEqual(query(file, "select count(*) from series"), [[37]]);
});

test("series that another program has deleted are made again", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sink = await openSink(context, file);
  const batch = shareSeries(new MessageMaker().numbers(3));
  await sink.write(batch.slice(0, 2));
  const other = new DatabaseSync(file, { timeout: 5000 });
  other.exec(
    "delete from data; delete from series; insert into series values (1, 'x', 'x', 'x', '{}', 'number', null)",
  );
  other.close();
  await sink.write(batch.slice(2));
  const rows = query(file, "select topic, value from readings");
  assert.deepEqual(rows, [["site/hall/temp", 2.5]]);
});

test("readings older than the retention go in the course of writing, with series of which nothing is left", (context) => {
  const file = join(makeFolder(context), "readings.db");
  const day = 86_400_000;
  const start = Date.parse("2026-11-01");
  const clock = { now: start };
  const settings = { file, retentionSeconds: (10 * day) / 1000 };
  const writer = new ReadingsWriter(settings, () => clock.now);
  context.after(() => writer.close());
  const encoder = new BatchEncoder();
  const maker = new MessageMaker();
  const [{ series: old }] = maker.number("old").readings;
  const write = (topic: string, count: number) => {
    const batch = Array.from({ length: count }, (_, index) =>
      maker.make({ topic, fields: { value: index }, time: clock.now * 1000 + index }),
    );
    const shared = batch.map(({ message, readings: [reading] }) => ({
      message,
      readings: [topic === "old" ? { ...reading, series: old } : reading],
    }));
    writer.write(encoder.encode(shared));
  };
  write("old", 5000);
  clock.now += 5 * day;
  write("kept", 10);
  clock.now += 6 * day;
  const count = () => Number(query(file, "select count(*) from data where series = 1")[0][0]);
  const counts = Array.from({ length: 6 }, () => {
    write("new", 1);
    clock.now += 1;
    return count();
  });
  assert.deepEqual(counts, [4000, 3000, 2000, 1000, 0, 0], "a portion with each batch");
  assert.deepEqual(query(file, "select topic from series order by id"), [["kept"], ["new"]]);
  // Its number is forgotten with it.
  write("old", 3);
  assert.deepEqual(
    query(file, "select topic, count(*) from readings group by topic order by topic"),
    [
      ["kept", 10],
      ["new", 6],
      ["old", 3],
    ],
  );
});
