/** What sessions that were kept have cost is given back when they have ended: memory returns to its start, cycle after cycle. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Session } from "../../../src/broker/session.ts";
import { MemoryStorage } from "../../../src/storage/index.ts";
import { MemoryClient } from "../memory-client.ts";
import { TestBroker } from "../test-broker.ts";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const sessions = 1000;
const kept = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

async function usedBytes(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await setImmediate();
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}

/** Sessions that never were before, with subscriptions, groups, wills, and messages that wait and are under way. */
async function leaveBehind(broker: TestBroker, cycle: number): Promise<void> {
  const clients = Array.from({ length: sessions }, (_, index) => {
    const client = new MemoryClient(broker);
    const will = { topic: "w", payload: Buffer.from("will"), qos: 1, retain: false } as const;
    const properties = { willDelayInterval: 30 };
    client.connect(`${cycle}-${index}`, { ...kept, will: { ...will, properties } });
    return client;
  });
  await broker.settle();
  for (const [index, client] of clients.entries()) {
    for (const filter of [`t/${index}`, `$share/g/s/${index}`]) client.subscribe(filter, 1);
    if (index % 2 === 0) client.lose();
    for (const topic of [`t/${index}`, `s/${index}`]) {
      broker.publish(topic, "waits", 1);
      broker.publish(topic, "retained", 2, true);
    }
  }
  await broker.settle();
  for (const client of clients) client.lose();
  await broker.settle();
}

async function pass(broker: TestBroker, seconds: number): Promise<void> {
  broker.clock.advanceSeconds(seconds);
  await broker.settle();
}

test("a thousand sessions that were kept and have ended leave nothing behind", async (context) => {
  const broker = new TestBroker();
  const used: number[] = [];
  for (let cycle = 0; cycle < 6; cycle++) {
    await leaveBehind(broker, cycle);
    assert.equal(broker.core.sessions.size, sessions);
    await pass(broker, 31);
    await pass(broker, 31);
    assert.equal(broker.core.sessions.size, 0);
    used.push(await usedBytes());
  }
  // Who got which topic is remembered until it comes again: see routesBytesMax.
  for (let index = 0; index < sessions; index++)
    for (const topic of [`t/${index}`, `s/${index}`]) broker.publish(topic, "to nobody");
  await usedBytes();
  const grown = (used[5] - used[2]) / (3 * sessions);
  context.diagnostic(`${grown.toFixed(1)} bytes for each session`);
  assert.ok(grown < 60, `${grown} bytes for each session: ${used.join(" ")}`);
  assert.equal(queryObjects(Session, { format: "count" }), 0);
  broker.expectErrors(0);
});

test("nor do those that nobody took up after a restart", async () => {
  const storage = new MemoryStorage();
  await leaveBehind(new TestBroker({ storage }), 0);
  const broker = new TestBroker({ storage });
  await broker.core.restore();
  assert.equal(broker.core.sessions.size, sessions);
  await pass(broker, 31);
  await pass(broker, 31);
  assert.equal(broker.core.sessions.size, 0);
  await usedBytes();
  assert.equal(queryObjects(Session, { format: "count" }), 0);
  assert.equal(broker.core.connectionCount, 0);
});
