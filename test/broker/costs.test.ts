/** What one client may cost the others: work, memory and log lines stay in proportion to what it sends. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLog } from "../../src/base/index.ts";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 3600 } };

/** Takes one QoS 2 message to its end. */
function complete(client: MemoryClient, packetIdentifier: number): void {
  const rest = { packetIdentifier, reasonCode: 0, properties: {} } as const;
  client.send({ type: PacketType.pubrec, ...rest }, { type: PacketType.pubcomp, ...rest });
}

test("a kept session gets more than queueBytesMax at QoS 2 over time", async () => {
  const broker = new TestBroker({ limits: { queueBytesMax: 1000 } });
  const client = await broker.connect("client", kept);
  client.subscribe("t", 2);
  for (let count = 1; count <= 50; count++) {
    broker.publish("t", "x".repeat(100), 2);
    await broker.settle();
    complete(client, client.publishes.at(-1)?.packetIdentifier ?? 0);
  }
  await broker.settle();
  assert.equal(client.publishes.length, 50);
});

test("one SUBSCRIBE with very many filters is no more work than each of them", async () => {
  const broker = new TestBroker({ limits: { subscriptionsMax: 50_000 } });
  const client = await broker.connect("client");
  const subscriptions = Array.from({ length: 40_000 }, (_, number) => ({
    filter: `${number}/+`,
    qos: 0 as const,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
  }));
  const started = performance.now();
  client.send({ type: PacketType.subscribe, packetIdentifier: 1, subscriptions, properties: {} });
  await broker.settle();
  // Quadratic it took 2.5 s and more; 15 s would be the slowest machine.
  assert.ok(performance.now() - started < 1500, `${performance.now() - started} ms`);
});

test("a client that leaves thousands of retained walks waiting makes its other messages no dearer", async () => {
  const broker = new TestBroker();
  for (const topic of ["a/1", "a/2"]) broker.publish(topic, "kept", 1, true);
  const client = await broker.connect("client", { properties: { receiveMaximum: 1 } });
  client.subscribe("a/+", 1); // one message, never acknowledged: what follows waits behind it
  const subscriptions = Array.from({ length: 9000 }, (_, number) => ({
    filter: `b/${number}/+`,
    qos: 1 as const,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
  }));
  client.send({ type: PacketType.subscribe, packetIdentifier: 9, subscriptions, properties: {} });
  await broker.settle();
  const started = performance.now();
  for (let count = 0; count < 5000; count++) broker.publish("b/8000/x", "new");
  // Each filter asked for each message, it took 2 s; so it is 0.02 s.
  assert.ok(performance.now() - started < 700, `${performance.now() - started} ms`);
  await broker.settle();
  assert.equal(client.payloads.length, 5001);
});

test("a filter that walks far through retained messages lets others in between", async () => {
  const broker = new TestBroker();
  for (let number = 0; number < 30_000; number++) broker.publish(`a/${number}/b`, "1", 0, true);
  broker.publish("a/last/c", "found", 0, true);
  const client = await broker.connect("client");
  const other = await broker.connect("other");
  const subscriptions = Array.from({ length: 20 }, (_, number) => ({
    filter: number === 19 ? "a/+/c" : `+/+/x${number}`,
    qos: 0 as const,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
  }));
  client.send({ type: PacketType.subscribe, packetIdentifier: 1, subscriptions, properties: {} });
  other.send({ type: PacketType.pingreq });
  await broker.settle();
  assert.equal(other.packetTypes.at(-1), PacketType.pingresp);
  assert.deepEqual(client.payloads, [], "the walk is still under way");
  for (let round = 0; round < 200 && client.payloads.length === 0; round++) await broker.settle();
  assert.deepEqual(client.payloads, ["found"]);
});

test("what is refused to publish is logged once for each topic, and counted each time", async () => {
  const lines: string[] = [];
  const broker = new TestBroker({
    log: { ...silentLog, info: (_, line) => lines.push(line) },
    authorizer: { generation: 0, authorize: () => ({ allowed: false, rule: "nobody" }) },
  });
  const client = await broker.connect("client");
  lines.length = 0;
  for (let count = 0; count < 100; count++) client.publish("t", "x", { qos: 1 });
  await broker.settle();
  assert.equal(lines.length, 1);
  assert.equal(broker.core.counters.dropped.notAuthorized, 100);
});

for (const version of [ProtocolVersion.v3_1_1, ProtocolVersion.v5]) {
  test(`when the retained store is full, who cannot be told still reaches subscribers (v${version})`, async () => {
    const broker = new TestBroker({ limits: { retainedMessagesMax: 1 } });
    broker.publish("first", "1", 0, true);
    const subscriber = await broker.subscriber("subscriber", "second", 1);
    const client = await broker.connect("client", { protocolVersion: version });
    client.publish("second", "qos 0", { retain: true });
    client.publish("second", "qos 1", { retain: true, qos: 1 });
    await broker.settle();
    const isTold = version === ProtocolVersion.v5;
    assert.deepEqual(subscriber.payloads, isTold ? ["qos 0"] : ["qos 0", "qos 1"]);
    const answer = client.packets.at(-1);
    assert.equal(answer?.type === PacketType.puback && answer.reasonCode, isTold ? 0x97 : 0);
    assert.equal(broker.core.retained.size, 1);
    assert.equal(broker.core.counters.dropped.retainedFull, 2);
  });
}

test("topics that come once and never again cost the same however many there were", async () => {
  const broker = new TestBroker({ limits: { routesBytesMax: 1_000_000 } });
  const client = await broker.subscriber("client", "last/#");
  const round = (from: number): number => {
    const started = performance.now();
    for (let number = from; number < from + 30_000; number++) broker.publish(`t/${number}`, "x");
    return performance.now() - started;
  };
  round(0);
  const early = round(30_000);
  for (let from = 60_000; from < 300_000; from += 30_000) round(from);
  const late = round(300_000);
  assert.ok(late < 5 * early + 100, `${early} ms, later ${late} ms`);
  broker.publish("last/one", "here");
  await broker.settle();
  assert.deepEqual(client.payloads, ["here"]);
});

test("a handler that answers its messages with more of them is stopped", async () => {
  const broker = new TestBroker();
  let calls = 0;
  broker.core.subscribe("t", () => {
    calls++;
    broker.publish("t", "again");
    broker.publish("t", "and again");
  });
  broker.publish("t", "first");
  assert.ok(calls < 200_000, `${calls} calls`);
  assert.ok(broker.errors.length > 0, "it is told");
  broker.publish("other", "works");
});

test("messages that are dropped are told in the log: the first of each reason, and how many at the end", async () => {
  const lines: string[] = [];
  const warned: object[] = [];
  const ended: { dropped?: object }[] = [];
  const log = {
    ...silentLog,
    warn: (fields: object, line: string) => {
      warned.push(fields);
      lines.push(line);
    },
    info: (fields: object, line: string) => {
      if (line.startsWith("disconnected")) ended.push(fields);
    },
  };
  const broker = new TestBroker({ log, limits: { queueMessagesMax: 2, inFlightMessagesMax: 1 } });
  const client = await broker.subscriber("client", "t", 1);
  for (let count = 0; count < 10; count++) broker.publish("t", "x", 1);
  await broker.settle();
  assert.deepEqual(warned, [{ client: "client", reason: "queueFull" }]);
  assert.match(lines[0], /queueMessagesMax/);
  client.lose();
  await broker.settle();
  assert.deepEqual(ended[0].dropped, { queueFull: 7, sessionEnded: 2 });
});

test("all shared subscriptions together keep within sharedQueueBytesMax", async () => {
  const broker = new TestBroker({ limits: { sharedQueueBytesMax: 10_000 } });
  const client = await broker.connect("client", kept);
  for (let group = 0; group < 100; group++) client.subscribe(`$share/g${group}/t`, 1);
  await broker.settle();
  client.lose();
  await broker.settle();
  for (let count = 0; count < 10; count++) broker.publish("t", "x".repeat(99), 1);
  assert.equal(broker.core.counters.dropped.queueFull, 1000 - 50);
  const again = await broker.connect("client", kept);
  await broker.settle();
  assert.equal(again.publishes.length, 50);
});
