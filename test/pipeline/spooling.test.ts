import assert from "node:assert/strict";
import {
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import {
  hasSpool,
  makeFolder,
  makeGate,
  makeMessage,
  readLetters,
  TestSink,
  textOf,
  World,
} from "./consumer-world.ts";

const numbers = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => String(first + index));

/** A sink that is away until `isAway` says otherwise. */
function makeAwaySink(): TestSink & { isAway: boolean } {
  const sink = Object.assign(new TestSink(), { isAway: true });
  sink.behave = () => {
    if (sink.isAway) throw new SinkUnavailable("home is away");
  };
  return sink;
}

test("a sink that is away gets a spool, which is emptied in order when it is back", async (context) => {
  const folder = makeFolder(context);
  const [away, well] = [makeAwaySink(), new TestSink()];
  const world = await World.open({
    folder,
    sinks: { away, well },
    limits: { batchMessagesMax: 40 },
  });
  world.take(...numbers(100));
  await world.until(() => world.safe === 100);
  assert.equal(world.sink("away").state, "spooling");
  assert.equal(world.sink("away").spooledMessages, 100);
  assert.equal(well.has.length, 100);
  assert.equal(statSync(join(folder, "spool-away.db")).mode & 0o777, 0o600);
  world.take(...numbers(50, 100));
  await world.until(() => world.safe === 150);
  away.isAway = false;
  await world.until(() => away.has.length >= 40);
  world.take(...numbers(50, 150));
  await world.until(() => away.has.length === 200 && world.safe === 200);
  assert.deepEqual(away.has, numbers(200));
  assert.ok(!hasSpool(folder, "away"));
  // Straight again.
  world.take("200");
  await world.until(() => world.safe === 201);
  assert.deepEqual(away.has, numbers(201));
  assert.equal(world.sink("away").state, "flowing");
  assert.equal(world.sink("away").spooledBytes, 0);
  assert.deepEqual(world.lines, [
    "home is away; it is tried again",
    `what comes for away at home is kept in ${join(folder, "spool-away.db")} until it takes it`,
    "away at home is well again, 150 messages that were kept on the disk go there now",
  ]);
  await world.pipeline.close();
});

test("a write that hangs is spooled, waited for, and not written twice", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  const gate = makeGate();
  sink.behave = () => (sink.attempts === 1 ? gate.passed : undefined);
  const world = await World.open({ folder, sinks: { sink }, limits: { batchMessagesMax: 10 } });
  world.take(...numbers(25));
  await world.until(() => world.safe === 25);
  assert.equal(sink.attempts, 1);
  assert.equal(world.sink("sink").state, "spooling");
  gate.open();
  await world.until(() => sink.has.length === 25);
  assert.deepEqual(sink.has, numbers(25));
  assert.equal(await world.pipeline.drain(5), true);
  assert.ok(!hasSpool(folder, "sink"));
  await world.pipeline.close();
});

test("no room in memory: a sink that is away is spooled at once", async (context) => {
  const sink = makeAwaySink();
  const limits = { pendingMessagesMax: 20, spoolAfterSeconds: 60 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  world.take(...numbers(10));
  await world.until(() => sink.attempts > 1);
  assert.equal(world.safe, 0);
  world.take(...numbers(10, 10));
  await world.until(() => world.safe === 20 && world.pipeline.hasRoom);
  await world.pipeline.close();
});

test("a full spool: what comes waits in memory, and goes on when there is room", async (context) => {
  const folder = makeFolder(context);
  const sink = makeAwaySink();
  const limits = { spoolBytesMax: 50 * 52, pendingMessagesMax: 30, batchMessagesMax: 20 };
  const world = await World.open({ folder, sinks: { sink }, limits });
  let taken = 0;
  while (world.sink("sink").state !== "full") {
    while (world.pipeline.hasRoom) world.take(String(taken++));
    await world.until(() => world.pipeline.hasRoom || world.sink("sink").state === "full");
  }
  await world.until(() => !world.pipeline.hasRoom || world.take(String(taken++)) < 0);
  const { spooledBytes, spooledMessages } = world.sink("sink");
  assert.ok(spooledBytes <= limits.spoolBytesMax && spooledMessages >= 40);
  assert.equal(world.safe, spooledMessages);
  assert.equal(world.pipeline.counts().pendingMessages, taken - spooledMessages);
  assert.match(world.lines.at(-1) ?? "", /spool-sink\.db is full/);
  sink.isAway = false;
  await world.until(() => world.safe === taken && sink.has.length === taken);
  assert.deepEqual(sink.has, numbers(taken));
  assert.equal(world.lines.filter((line) => line.includes("is full")).length, 1);
  await world.pipeline.close();
});

test("what a run has left in a spool goes first in the next, as it came", async (context) => {
  const folder = makeFolder(context);
  const away = makeAwaySink();
  const first = await World.open({ folder, sinks: { away } });
  const message = makeMessage("with all", {
    payload: Buffer.from([0, 255, 10]),
    qos: 2,
    retain: true,
    contentType: "text/plain",
    responseTopic: "answer/here",
    correlationData: Buffer.from([1, 2, 0xff]),
    userProperties: [
      ["a", "1"],
      ["a", "2"],
    ],
  });
  const plain = makeMessage("", { topic: "ü/'\"\n\u0001" });
  first.pipeline.take(message);
  first.pipeline.take(plain);
  await first.until(() => first.safe === 2);
  await first.pipeline.close();

  const back = new TestSink();
  const other = new TestSink();
  const messages: unknown[] = [];
  const gate = makeGate();
  back.behave = async (batch) => {
    await gate.passed;
    messages.push(...batch.map((mapped) => mapped.message));
  };
  // Without the sink it is told, and stays.
  const without = await World.open({ folder, sinks: { other } });
  assert.match(without.lines.join(), /spool-away\.db holds messages of an earlier run/);
  await without.pipeline.close();
  const limits = { spoolAfterSeconds: 60 };
  const second = await World.open({ folder, sinks: { away: back }, limits });
  assert.equal(second.sink("away").state, "spooling");
  // Behind the others in the spool it is safe before the sink has anything.
  second.take("new");
  await second.until(() => second.safe === 1);
  assert.equal(second.sink("away").spooledMessages, 3);
  gate.open();
  await second.until(() => messages.length === 3);
  assert.deepEqual(messages.slice(0, 2), [message, plain]);
  assert.match(second.lines[0], /^2 messages in .*spool-away\.db go to away at home first/);
  await second.until(() => !hasSpool(folder, "away"));
  await second.pipeline.close();
});

test("out of a spool: what is refused or cannot be mapped any more is a dead letter", async (context) => {
  const folder = makeFolder(context);
  const away = makeAwaySink();
  const first = await World.open({
    folder,
    sinks: { away },
    mapping: {
      map: (message) => [{ series: makeSeries(message.topic), time: 1, fields: new Map() }],
    },
  });
  first.take("a", "unreadable", "drop", "bad", "b");
  await first.until(() => first.safe === 5);
  await first.pipeline.close();
  const back = new TestSink();
  back.behave = (batch) => {
    if (batch.some((mapped) => textOf(mapped) === "bad")) throw new SinkRefusal("it is bad");
  };
  const second = await World.open({ folder, sinks: { away: back } });
  assert.equal(await second.pipeline.drain(5), true);
  assert.deepEqual(back.has, ["a", "b"]);
  assert.deepEqual(
    readLetters(folder).map(({ sink, payload }) => [sink, payload]),
    [
      ["mapping", "unreadable"],
      ["away", "bad"],
    ],
  );
  await second.pipeline.close();
});

const makeSeries = (name: string) => ({ topic: name, name, tags: new Map(), units: new Map() });

test("drain: what waits for a sink that is away is spooled at once, a slow one has its time", async (context) => {
  const folder = makeFolder(context);
  const [away, hung] = [makeAwaySink(), new TestSink()];
  hung.behave = () => new Promise(() => undefined);
  const limits = { spoolAfterSeconds: 60 };
  const world = await World.open({ folder, sinks: { away, hung }, limits });
  world.take("a", "b");
  await world.until(() => away.attempts > 1 && hung.attempts === 1);
  assert.equal(await world.pipeline.drain(0.1), false);
  assert.equal(world.safe, 2);
  assert.ok(hasSpool(folder, "away") && hasSpool(folder, "hung"));
  await world.pipeline.close();
});

test("a spool that cannot be written: messages wait in memory, told once, until it can", async (context) => {
  const folder = makeFolder(context);
  const sink = makeAwaySink();
  const file = join(folder, "spool-sink.db");
  const world = await World.open({ folder, sinks: { sink } });
  mkdirSync(file);
  world.take("a", "b");
  await world.until(() => world.sink("sink").state === "full" && sink.attempts > 5);
  assert.equal(world.safe, 0);
  assert.match(world.sink("sink").lastError ?? "", /spool-sink\.db.* cannot be written/);
  rmdirSync(file);
  await world.until(() => world.safe === 2);
  assert.equal(world.sink("sink").state, "spooling");
  assert.equal(world.lines.filter((line) => line.includes("cannot be written")).length, 1);
  sink.isAway = false;
  await world.until(() => sink.has.length === 2);
  await world.pipeline.close();
});

test("a spool that fails while the sink comes back: it flows straight again", async (context) => {
  const folder = makeFolder(context);
  const sink = makeAwaySink();
  const world = await World.open({ folder, sinks: { sink } });
  mkdirSync(join(folder, "spool-sink.db"));
  world.take("a", "b");
  await world.until(() => world.sink("sink").state === "full");
  sink.isAway = false;
  await world.until(() => world.safe === 2);
  assert.deepEqual(sink.has, ["a", "b"]);
  assert.equal(world.sink("sink").state, "flowing");
  await world.pipeline.close();
});

test("a spool that was moved away while in use gets no more, and goes on when it is back", async (context) => {
  const folder = makeFolder(context);
  const sink = makeAwaySink();
  const file = join(folder, "spool-sink.db");
  const world = await World.open({ folder, sinks: { sink } });
  world.take("a");
  await world.until(() => world.safe === 1);
  renameSync(file, `${file}.aside`);
  world.take("b");
  await world.until(() => world.sink("sink").state === "full");
  assert.equal(world.safe, 1);
  assert.match(
    world.lines.at(-1) ?? "",
    /moved or deleted while 1 messages wait in it: put it back/,
  );
  renameSync(`${file}.aside`, file);
  await world.until(() => world.safe === 2);
  sink.isAway = false;
  await world.until(() => sink.has.length === 2);
  await world.pipeline.close();
});

test("a damaged spool at start is an error that says what to do, and stays as it is", async (context) => {
  const folder = makeFolder(context);
  const file = join(folder, "spool-sink.db");
  const sink = makeAwaySink();
  const first = await World.open({ folder, sinks: { sink } });
  first.take(...numbers(1000));
  await first.until(() => first.safe === 1000);
  await first.pipeline.close();
  const whole = readFileSync(file);
  truncateSync(file, 8192);
  const fails = { code: "SPOOL_FAILED", message: /spool-sink\.db.*damaged.*Move it away/ };
  await assert.rejects(World.open({ folder, sinks: { sink: new TestSink() } }), fails);
  assert.equal(statSync(file).size, 8192);
  writeFileSync(file, "this is no database, and never was one ".repeat(100));
  const [closed, other] = [new TestSink(), new TestSink()];
  await assert.rejects(World.open({ folder, sinks: { sink: closed, other } }), fails);
  assert.ok(closed.closed && other.closed);
  writeFileSync(file, whole);
  const back = new TestSink();
  const second = await World.open({ folder, sinks: { sink: back } });
  assert.equal(await second.pipeline.drain(10), true);
  assert.deepEqual(back.has, numbers(1000));
  await second.pipeline.close();
});
