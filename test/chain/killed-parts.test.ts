/**
 * Any one part is killed at any time, and comes back: nothing that the broker acknowledged is missing at any sink; and
 * nothing is there twice where the message was taken once.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { withoutCarbon } from "../sinks/carbon-server.ts";
import { withoutInfluxd } from "../sinks/influxd-server.ts";
import { withoutPostgres } from "../sinks/postgres-server.ts";
import { Chain, type Found, type SinkName, sinkNames } from "./chain.ts";

const skip = withoutCarbon || withoutInfluxd || withoutPostgres;
const arriveSecondsMax = 30;
const awayMilliseconds = 700;

/** Every number at every sink. */
async function assertComplete(chain: Chain): Promise<ReadonlyMap<SinkName, Found>> {
  const found = await chain.arrive(arriveSecondsMax);
  for (const name of sinkNames) {
    const missing = chain.missingIn(found.get(name) ?? new Map());
    assert.deepEqual(missing, [], `missing in ${name}; tconsume said:\n${chain.said}`);
  }
  return found;
}

function assertOnce(found: ReadonlyMap<SinkName, Found>): void {
  for (const name of sinkNames) {
    const doubled = [...(found.get(name) ?? [])].filter(([, count]) => count > 1);
    assert.deepEqual(doubled, [], `there more than once in ${name}`);
  }
}

test("each database is killed in the middle of the stream and comes back: every message is there, and once", {
  skip,
}, async (t) => {
  const chain = await Chain.start();
  t.after(() => chain.end());
  const stream = chain.publish(1200);
  for (const server of [
    { kill: () => chain.postgres.kill(), restart: () => chain.postgres.resume() },
    { kill: () => chain.influxd.process.kill(), restart: () => chain.influxd.process.restart() },
    { kill: () => chain.carbon.stop("SIGKILL"), restart: () => chain.carbon.restart() },
  ]) {
    await sleep(awayMilliseconds);
    await server.kill();
    await sleep(awayMilliseconds);
    await server.restart();
  }
  await stream;
  assertOnce(await assertComplete(chain));
});

test("tconsume is killed three times in the middle of the stream: every message is there", {
  skip,
}, async (t) => {
  const chain = await Chain.start();
  t.after(() => chain.end());
  const stream = chain.publish(900);
  for (let round = 0; round < 3; round += 1) {
    await sleep(awayMilliseconds);
    await chain.killConsumer();
    await chain.startConsumer();
  }
  await stream;
  await assertComplete(chain);
});

test("tserve is killed twice in the middle of the stream: every message that it acknowledged is there", {
  skip,
}, async (t) => {
  const chain = await Chain.start();
  t.after(() => chain.end());
  const stream = chain.publish(900);
  for (let round = 0; round < 2; round += 1) {
    await sleep(awayMilliseconds);
    await chain.killBroker();
    await chain.startBroker();
  }
  await stream;
  await assertComplete(chain);
});
