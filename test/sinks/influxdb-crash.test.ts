/** InfluxDB is killed again and again in the middle of a stream: what it acknowledged is there, once. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type MappedMessage, type Sink, SinkUnavailable } from "../../src/sinks/index.ts";
import { influxdbSink } from "../../src/sinks/influxdb/index.ts";
import { InfluxdServer, withoutInfluxd as skip } from "./influxd-server.ts";

const batchCount = 150;
const batchLength = 200;
const kills = 4;

test("killed in the middle of a stream, nothing is missing and nothing doubled", {
  skip,
}, async (t) => {
  const server = await InfluxdServer.start();
  t.after(() => server.process.end());
  const configured = await influxdbSink.configure({ "influxdb-url": server.url });
  const sink = await configured.open({ stdout: new PassThrough(), say: () => undefined });
  t.after(() => sink.close());
  const maker = new MessageMaker();
  const killEvery = batchCount / (kills + 1);
  let outage = Promise.resolve();
  let failures = 0;
  for (let index = 1; index <= batchCount; index++) {
    const batch = maker.numbers(batchLength, `topic/${index % 7}`);
    // Not awaited: it is killed while the batch is on its way.
    if (index % killEvery === 0 && index < batchCount) outage = interrupt(server);
    failures += await deliver(sink, batch);
  }
  await outage;
  assert.ok(failures >= kills, `${failures} failures in ${kills} outages`);
  const stored = await server.readBack("readings");
  const values = new Set(stored.map(({ value }) => value));
  assert.deepEqual(
    [stored.length, values.size],
    [batchCount * batchLength, batchCount * batchLength],
  );
});

async function interrupt(server: InfluxdServer): Promise<void> {
  await sleep(2);
  await server.process.kill();
  await server.process.restart();
}

/** How often it had to be written again. */
async function deliver(sink: Sink, batch: readonly MappedMessage[]): Promise<number> {
  for (let failures = 0; ; failures++) {
    try {
      assert.equal(await sink.write(batch), batch.length);
      return failures;
    } catch (error) {
      if (!(error instanceof SinkUnavailable) || failures > 500) throw error;
      await sleep(20);
    }
  }
}
