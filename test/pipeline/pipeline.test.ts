import assert from "node:assert/strict";
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

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index));

test("messages are safe when every sink has them, and not before", async (context) => {
  const [quick, slow] = [new TestSink(), new TestSink()];
  const gate = makeGate();
  slow.behave = () => gate.passed;
  const limits = { spoolAfterSeconds: 60 };
  const world = await World.open({ folder: makeFolder(context), sinks: { quick, slow }, limits });
  assert.equal(world.take("a", "b"), 2);
  await world.until(() => quick.has.length === 2 && slow.attempts === 1);
  assert.equal(world.safe, 0);
  gate.open();
  await world.until(() => world.safe === 2);
  assert.deepEqual(slow.has, ["a", "b"]);
  assert.equal(await world.pipeline.drain(5), true);
  await world.pipeline.close();
  assert.ok(quick.closed && slow.closed);
  assert.deepEqual(world.lines, []);
});

test("a batch ends at its messages and at its bytes, and a longer message goes by itself", async (context) => {
  const sink = new TestSink();
  const limits = { batchMessagesMax: 3, batchBytesMax: 3000 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  const long = "x".repeat(5000);
  world.take("1", "2", "3", "4", long, "5", "6");
  await world.until(() => world.safe === 7);
  assert.deepEqual(sink.batches, [["1", "2", "3"], ["4"], [long], ["5", "6"]]);
  await world.pipeline.close();
});

test("a batch waits its time for more, and no longer", async (context) => {
  const sink = new TestSink();
  const limits = { batchMilliseconds: 100 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  const begin = performance.now();
  world.take("1");
  await new Promise((resolve) => setTimeout(resolve, 20));
  world.take("2");
  await world.until(() => world.safe === 2);
  const milliseconds = performance.now() - begin;
  assert.ok(milliseconds >= 95, `${milliseconds} ms`);
  assert.deepEqual(sink.batches, [["1", "2"]]);
  // A whole batch, and a drain, do not wait.
  world.take(...numbers(5000));
  await world.until(() => world.safe === 5002);
  world.take("last");
  assert.equal(await world.pipeline.drain(5), true);
  assert.ok(performance.now() - begin - milliseconds < 100);
  await world.pipeline.close();
});

test("a batch does not wait for what cannot come: there is no room for more", async (context) => {
  const sink = new TestSink();
  const limits = { batchMilliseconds: 60_000, pendingMessagesMax: 3 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  world.take("1", "2", "3");
  assert.equal(world.pipeline.hasRoom, false);
  await world.until(() => world.safe === 3);
  assert.deepEqual(sink.batches, [["1", "2", "3"]]);
  await world.pipeline.close();
});

test("what has no readings is safe in its turn, and no sink sees it", async (context) => {
  const sink = new TestSink();
  const world = await World.open({ folder: makeFolder(context), sinks: { sink } });
  world.take("drop", "a", "drop", "b", "drop");
  await world.until(() => world.safe === 5);
  world.take("drop");
  await world.until(() => world.safe === 6);
  assert.deepEqual(sink.batches, [["a", "b"]]);
  assert.equal(world.pipeline.counts().dropped, 4);
  await world.pipeline.close();
});

test("what the mapping cannot read is a dead letter before it is safe", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  const world = await World.open({ folder, sinks: { sink } });
  world.take("a", "unreadable", "b");
  await world.until(() => world.safe === 3);
  const [letter, ...more] = readLetters(folder);
  assert.deepEqual(more, []);
  const { sink: who, reason, topic, payload, qos, retain } = letter;
  assert.deepEqual(
    { who, reason, topic, payload, qos, retain },
    {
      who: "mapping",
      reason: "it is not readable",
      topic: "site/room",
      payload: "unreadable",
      qos: 1,
      retain: false,
    },
  );
  assert.deepEqual(sink.has, ["a", "b"]);
  assert.equal(world.pipeline.counts().unreadable, 1);
  assert.equal(world.lines.length, 1);
  await world.pipeline.close();
});

test("the same batch comes again until the sink takes it, and two lines tell of it", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  sink.behave = () => {
    if (sink.attempts <= 3) throw new SinkUnavailable("home is away");
  };
  const world = await World.open({ folder, sinks: { sink }, limits: { spoolAfterSeconds: 60 } });
  world.take("a", "b");
  await world.until(() => sink.attempts === 2);
  assert.equal(world.sink("sink").state, "retrying");
  assert.equal(world.sink("sink").lastError, "home is away");
  await world.until(() => world.safe === 2);
  assert.deepEqual(sink.batches, [["a", "b"]]);
  assert.equal(world.sink("sink").retries, 3);
  assert.equal(world.sink("sink").state, "flowing");
  assert.deepEqual(world.lines, ["home is away; it is tried again", "sink at home is well again"]);
  assert.ok(!hasSpool(folder, "sink"));
  await world.pipeline.close();
});

test("a destination that asks for time gets it", async (context) => {
  const sink = new TestSink();
  const times: number[] = [];
  sink.behave = () => {
    times.push(performance.now());
    if (times.length === 1) throw new SinkUnavailable("busy", { retryAfterSeconds: 0.3 });
  };
  const limits = { spoolAfterSeconds: 60 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  world.take("a");
  await world.until(() => world.safe === 1);
  assert.ok(times[1] - times[0] >= 295, `${times[1] - times[0]} ms`);
  await world.pipeline.close();
});

test("refused by index: those are dead letters, the rest is done", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  sink.behave = (batch) => {
    const refused = new Map<number, string>();
    for (const [index, message] of batch.entries()) {
      if (textOf(message).startsWith("bad")) refused.set(index, `no ${textOf(message)}`);
    }
    if (refused.size > 0) throw new SinkRefusal("some are bad", { refused });
  };
  const world = await World.open({ folder, sinks: { sink } });
  world.take("a", "bad1", "b", "bad2");
  await world.until(() => world.safe === 4);
  const letters = readLetters(folder).map(({ sink: who, reason, payload }) => [
    who,
    reason,
    payload,
  ]);
  assert.deepEqual(letters, [
    ["sink", "no bad1", "bad1"],
    ["sink", "no bad2", "bad2"],
  ]);
  const { messages, records, refused, state } = world.sink("sink");
  assert.deepEqual({ messages, records, refused }, { messages: 2, records: 2, refused: 2 });
  assert.equal(state, "flowing");
  assert.equal(sink.attempts, 1);
  await world.pipeline.close();
});

test("refused without saying what: one bad message is found in few writes, unavailable in between", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  sink.behave = (batch) => {
    if (sink.attempts === 5) throw new SinkUnavailable("home is away");
    if (batch.some((message) => textOf(message) === "300")) throw new SinkRefusal("it is bad");
  };
  const world = await World.open({ folder, sinks: { sink } });
  world.take(...numbers(1024));
  await world.until(() => world.safe === 1024);
  assert.deepEqual(
    readLetters(folder).map(({ payload, reason }) => [payload, reason]),
    [["300", "it is bad"]],
  );
  assert.deepEqual(
    sink.has,
    numbers(1024).filter((text) => text !== "300"),
  );
  // Each of 10 halvings: the bad half, the good half; and the first, and the one that was away.
  assert.equal(sink.attempts, 22);
  await world.pipeline.close();
});

test("a flood of refusals is kept whole, and told of once", async (context) => {
  const folder = makeFolder(context);
  const sink = new TestSink();
  sink.behave = (batch) => {
    throw new SinkRefusal("no", { refused: new Map(batch.map((_, index) => [index, "no"])) });
  };
  const world = await World.open({ folder, sinks: { sink } });
  world.take(...numbers(20_000));
  await world.until(() => world.safe === 20_000);
  assert.deepEqual(
    readLetters(folder).map(({ payload }) => payload),
    numbers(20_000),
  );
  assert.equal(world.lines.length, 1);
  await world.pipeline.close();
});

for (const limits of [{ pendingMessagesMax: 100 }, { pendingBytesMax: 100 * 600 }]) {
  const [name] = Object.keys(limits);
  test(`beyond ${name} there is no room until half is done`, async (context) => {
    const [quick, slow] = [new TestSink(), new TestSink()];
    let gate = makeGate();
    slow.behave = () => gate.passed;
    const world = await World.open({
      folder: makeFolder(context),
      sinks: { quick, slow },
      limits: { ...limits, batchMessagesMax: 30, spoolAfterSeconds: 60 },
    });
    let taken = 0;
    while (world.pipeline.hasRoom) {
      world.take(String(taken++));
      // The quick one goes on meanwhile: only all together are bounded.
      if (taken % 10 === 0) await world.until(() => quick.has.length === taken);
    }
    assert.ok(taken >= 90 && taken <= 140, `${taken}`);
    const before = gate;
    gate = makeGate();
    before.open();
    await world.until(() => slow.has.length > 0 && slow.attempts > 1);
    assert.equal(world.rooms, 0);
    gate.open();
    await world.until(() => world.rooms === 1);
    assert.ok(world.pipeline.hasRoom);
    await world.until(() => world.safe === taken);
    assert.equal(world.pipeline.counts().pendingMessages, 0);
    assert.equal(world.pipeline.counts().pendingBytes, 0);
    await world.pipeline.close();
  });
}

test("what a sink throws that is neither ends the program, and nothing is safe any more", async (context) => {
  const [sink, other] = [new TestSink(), new TestSink()];
  sink.behave = () => {
    throw new TypeError("x is undefined");
  };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink, other } });
  world.take("a");
  await world.until(() => world.failures.length === 1 && other.has.length === 1);
  assert.match(world.failures[0].message, /bug in tStack.*x is undefined/);
  world.take("b");
  const begin = performance.now();
  assert.equal(await world.pipeline.drain(30), false);
  await world.pipeline.close();
  assert.equal(await world.pipeline.drain(30), false);
  assert.ok(performance.now() - begin < 5000);
  assert.equal(world.safe, 0);
  assert.equal(world.failures.length, 1);
});

test("a mapping with a bug ends the program, and its message is not safe", async (context) => {
  const world = await World.open({
    folder: makeFolder(context),
    sinks: { sink: new TestSink() },
    mapping: {
      map: () => {
        throw new RangeError("mapped too far");
      },
    },
  });
  world.pipeline.take(makeMessage("a"));
  await world.until(() => world.failures.length === 1);
  await world.pipeline.close();
  assert.equal(world.safe, 0);
});

test("a write that never ends does not keep the program from closing", async (context) => {
  const sink = new TestSink();
  sink.behave = () => new Promise(() => undefined);
  const limits = { spoolAfterSeconds: 60 };
  const world = await World.open({ folder: makeFolder(context), sinks: { sink }, limits });
  world.take("a");
  await world.until(() => sink.attempts === 1);
  const begin = performance.now();
  await world.pipeline.close();
  assert.ok(performance.now() - begin < 2000);
  assert.equal(world.safe, 0);
});

test("who takes whole messages gets those without readings too, and through its spool", async (context) => {
  const [bridge, table] = [new TestSink(), new TestSink()];
  const folder = makeFolder(context);
  const takesMessages = ["bridge"];
  const world = await World.open({ folder, sinks: { bridge, table }, takesMessages });
  world.take("1", "drop", "unreadable", "2");
  await world.until(() => world.safe === 4);
  assert.deepEqual(bridge.has, ["1", "drop", "unreadable", "2"]);
  assert.deepEqual(table.has, ["1", "2"]);
  assert.equal(readLetters(folder).length, 1);
  bridge.behave = () => {
    throw new SinkUnavailable("it is away");
  };
  world.take("3", "drop", "unreadable");
  await world.until(() => world.safe === 7 && hasSpool(folder, "bridge"));
  bridge.behave = () => undefined;
  await world.until(() => bridge.has.length === 7);
  assert.deepEqual(bridge.has.slice(4), ["3", "drop", "unreadable"]);
  await world.pipeline.close();
});

test("what the mapping cannot read is no dead letter where nobody wants readings", async (context) => {
  const bridge = new TestSink();
  const folder = makeFolder(context);
  const world = await World.open({ folder, sinks: { bridge }, takesMessages: ["bridge"] });
  world.take("unreadable");
  await world.until(() => world.safe === 1);
  await world.pipeline.close();
  assert.deepEqual([bridge.has, readLetters(folder)], [["unreadable"], []]);
});
