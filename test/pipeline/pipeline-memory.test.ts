import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { makeFolder, TestSink, World } from "./consumer-world.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

const roundMessages = 100_000;
const mebibyte = 1_048_576;

test("memory stays flat over many messages, through a sink that comes and goes", async (context) => {
  const [well, sometimes] = [new TestSink(), new TestSink()];
  for (const sink of [well, sometimes]) {
    sink.behave = () => {
      sink.has.length = 0;
      sink.batches.length = 0;
    };
  }
  const forget = sometimes.behave;
  sometimes.behave = (batch) => {
    if (Math.floor(sometimes.attempts / 10) % 2 === 0) throw new SinkUnavailable("away");
    return forget(batch);
  };
  const limits = { retryMillisecondsMin: 1, retryMillisecondsMax: 1, spoolAfterSeconds: 0.005 };
  const world = await World.open({
    folder: makeFolder(context),
    sinks: { well, sometimes },
    limits,
  });
  const heapBytes: number[] = [];
  for (let round = 0; round < 5; round++) {
    for (let index = 0; index < roundMessages; index++) {
      world.take("21.5");
      if (index % 500 !== 0) continue;
      await new Promise((resolve) => setImmediate(resolve));
      await world.until(() => world.pipeline.hasRoom);
    }
    assert.equal(await world.pipeline.drain(30), true);
    collectGarbage();
    heapBytes.push(process.memoryUsage().heapUsed);
  }
  await world.pipeline.close();
  assert.equal(world.safe, 5 * roundMessages);
  // The first round warms up.
  const grown = heapBytes[4] - heapBytes[1];
  assert.ok(grown < 2 * mebibyte, `${grown} bytes more after ${3 * roundMessages} messages`);
});
