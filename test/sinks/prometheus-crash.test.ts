/** VictoriaMetrics, which keeps the last seconds in memory only, is killed: what it acknowledged is there all the same. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { type MappedMessage, type Sink, SinkUnavailable } from "../../src/sinks/index.ts";
import { prometheusSink } from "../../src/sinks/prometheus/index.ts";
import { withoutVictoria as skip, VictoriaServer } from "./victoria-server.ts";

async function open(t: TestContext, more: Readonly<Record<string, string>> = {}) {
  const server = await VictoriaServer.start();
  t.after(() => server.process.end());
  const configured = await prometheusSink.configure({
    "prometheus-url": `${server.url}/api/v1/write`,
    ...more,
  });
  const said: string[] = [];
  const heard = Promise.withResolvers<void>();
  const sink = await configured.open({
    stdout: new PassThrough(),
    say(line) {
      said.push(line);
      heard.resolve();
    },
  });
  t.after(() => sink.close());
  return { server, sink, said, heard: heard.promise };
}

async function countValues(server: VictoriaServer): Promise<number> {
  const all = await server.export('{topic!=""}');
  return all.reduce((sum, { values }) => sum + values.length, 0);
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

test("killed in the middle of a stream, nothing is missing and nothing doubled", {
  skip,
}, async (t) => {
  const { server, sink } = await open(t);
  const maker = new MessageMaker();
  // A second apart, they are all in the three hours before now.
  const [batchCount, batchLength, killEvery] = [150, 70, 30];
  let outage = Promise.resolve();
  let failures = 0;
  for (let index = 1; index <= batchCount; index++) {
    const batch = maker.numbers(batchLength, `topic/${index % 7}`);
    // Not awaited: it is killed while the batch is on its way.
    if (index % killEvery === 0 && index < batchCount) outage = interrupt(server);
    failures += await deliver(sink, batch);
  }
  await outage;
  assert.ok(failures >= 4, `${failures} failures in 4 outages`);
  assert.equal(await countValues(server), batchCount * batchLength);
});

async function interrupt(server: VictoriaServer): Promise<void> {
  await sleep(2);
  await server.process.kill();
  await server.process.restart();
}

test("killed when nothing more is written, it has everything once it is back", {
  skip,
}, async (t) => {
  const { server, sink, said, heard } = await open(t);
  await sink.write(new MessageMaker().numbers(30));
  await server.process.kill();
  await server.process.restart();
  await heard;
  const words = "was away: the last 30 samples were sent again";
  assert.deepEqual(said, [`Prometheus at ${server.url} ${words}`]);
  assert.equal(await countValues(server), 30);
});

test("without sending again, what was in memory is missing: this is what the option is for", {
  skip,
}, async (t) => {
  const { server, sink } = await open(t, { "prometheus-resend-seconds": "0" });
  const maker = new MessageMaker();
  await sink.write(maker.numbers(30));
  await server.process.kill();
  await server.process.restart();
  await deliver(sink, maker.numbers(5));
  assert.equal(await countValues(server), 5);
});

test("stopped and not killed, it keeps everything by itself", { skip }, async (t) => {
  const { server, sink } = await open(t, { "prometheus-resend-seconds": "0" });
  const maker = new MessageMaker();
  await sink.write(maker.numbers(30));
  await server.process.kill("SIGTERM");
  await server.process.restart();
  await deliver(sink, maker.numbers(5));
  assert.equal(await countValues(server), 35);
});
