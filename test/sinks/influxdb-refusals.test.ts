/** What a real InfluxDB does not want: the rest is there, and what is not is named. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { after, before, type TestContext, test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import {
  type MappedMessage,
  type Sink,
  SinkRefusal,
  SinkUnavailable,
} from "../../src/sinks/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { InfluxdServer, withoutInfluxd as skip } from "./influxd-server.ts";

let server: InfluxdServer;
let databases = 0;

before(async () => {
  if (!skip) server = await InfluxdServer.start();
});

after(() => server?.process.end());

async function open(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  databases += 1;
  const database = `refusals${databases}`;
  const said: string[] = [];
  const configured = await influxdbSink.configure({
    "influxdb-url": server.url,
    "influxdb-database": database,
    ...more,
  });
  const sink = await configured.open({
    stdout: new PassThrough(),
    say: (line) => void said.push(line),
  });
  t.after(() => sink.close());
  return { sink, database, said };
}

async function catchRefusal(sink: Sink, batch: readonly MappedMessage[]): Promise<SinkRefusal> {
  try {
    await sink.write(batch);
  } catch (error) {
    assert.ok(error instanceof SinkRefusal, String(error));
    return error;
  }
  return assert.fail("nothing was refused");
}

test("of fields with another type than before, each message is named and the rest is there", {
  skip,
}, async (t) => {
  const { sink, database } = await open(t);
  const maker = new MessageMaker();
  const make = (topic: string, value: number | string | boolean, field = "value") =>
    maker.make({ topic, fields: { [field]: value } });
  const difficult = 'a "b" is type float, already, c=d\\';
  await sink.write([make("t", 1), make("s", "text"), make("b", true), make(difficult, 1)]);
  const batch = [
    make("t", 2),
    make("t", "a word where a number was"),
    make("s", 3),
    make("s", "more"),
    make("t", false),
    make("b", 1),
    make("t", 4),
    make(difficult, "word"),
    make("t", "another word"),
    make("t", "a new field", "note"),
    make("b", false),
  ];
  const { refused } = await catchRefusal(sink, batch);
  assert.deepEqual([...(refused ?? [])].map(([index]) => index).sort(), [1, 2, 4, 5, 7, 8]);
  assert.match(refused?.get(2) ?? "", /input field "value" on measurement "s" is type float/);
  const values = (await server.readBack(database)).map(({ value }) => value);
  const expected = [1, "text", true, 1, 2, "more", 4, "a new field", false];
  assert.deepEqual(values.map(String).sort(), expected.map(String).sort());
});

test("of a field that is new and has two types at once, nobody knows which, and halves find it", {
  skip,
}, async (t) => {
  const { sink, database } = await open(t);
  const maker = new MessageMaker();
  const batch = [1, 2, "three"].map((value) => maker.make({ topic: "t", fields: { value } }));
  const refusal = await catchRefusal(sink, batch);
  assert.equal(refusal.refused, undefined);
  assert.match(refusal.message, /refused it \(400\): field type conflict$/);
  await sink.write(batch.slice(0, 2));
  const { refused } = await catchRefusal(sink, batch.slice(2));
  assert.deepEqual(
    [...(refused ?? [])].map(([index]) => index),
    [0],
  );
  assert.equal((await server.readBack(database)).length, 2);
});

test("a time that it cannot have, and what it cannot keep, is refused without the rest", {
  skip,
}, async (t) => {
  const { sink, database } = await open(t);
  const maker = new MessageMaker();
  const wrong = maker.make({ topic: "t", time: 2 ** 60, fields: { value: 2 } });
  assert.equal((await catchRefusal(sink, [maker.number("t"), wrong])).refused, undefined);
  assert.match((await catchRefusal(sink, [wrong])).message, /time outside range|unable to parse/);
  const long = maker.make({ topic: "x".repeat(65_535), fields: { value: 3 } });
  await catchRefusal(sink, [long]);
  assert.equal((await server.readBack(database)).length, 1);
});

test("a field of a name that InfluxDB keeps for itself takes no other's place", {
  skip,
}, async (t) => {
  const { sink, database } = await open(t);
  await sink.write([new MessageMaker().make({ fields: { time: 1, time_: 2, time__: 3 } })]);
  const stored = (await server.readBack(database)).map(({ field, value }) => `${field} ${value}`);
  assert.deepEqual(stored.sort(), ["time_ 1", "time__ 2", "time___ 3"]);
});

test("a batch beyond one body is written in several", { skip }, async (t) => {
  const { sink, database } = await open(t);
  const maker = new MessageMaker();
  const batch = Array.from({ length: 7 }, (_, index) =>
    maker.make({ topic: "t", fields: { value: `${index}`.padEnd(400_000, "x") } }),
  );
  const numbers = maker.numbers(50, "n");
  const long = await sink.write([...batch, ...numbers]).catch((error: unknown) => error);
  assert.equal(long, 57);
  assert.equal((await server.readBack(database)).length, 57);
});

test("the database is made once, with a word, and made again when somebody drops it", {
  skip,
}, async (t) => {
  const { sink, database, said } = await open(t);
  const maker = new MessageMaker();
  await sink.write([maker.number()]);
  await sink.write([maker.number()]);
  const words = "the database was not there, and has been made";
  assert.deepEqual(said, [`InfluxDB at ${server.url}, database ${database}: ${words}`]);
  await server.query(`DROP DATABASE ${database}`);
  await sink.write([maker.number()]);
  assert.equal(said.length, 2);
  assert.equal((await server.readBack(database)).length, 1);
});

test("a retention policy that is not there is told, and one that is there is used", {
  skip,
}, async (t) => {
  const { sink, database } = await open(t, { "influxdb-retention-policy": "long" });
  const batch = [new MessageMaker().number()];
  await assert.rejects(sink.write(batch), (error) => {
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, /retention policy not found: long/);
    return true;
  });
  await server.query(`CREATE RETENTION POLICY "long" ON "${database}" DURATION INF REPLICATION 1`);
  await sink.write(batch);
  const [series] = await server.query('SELECT * FROM "long"."site/hall/temp"', { db: database });
  assert.equal(series.values?.length, 1);
});
