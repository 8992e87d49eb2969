/** Gap markers: a 5.0 client that asked for it is told what it has lost, ahead of the next message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolVersion } from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const gapTopic = "$tstack/gap/client";

async function openBroker(limits: object = {}): Promise<TestBroker> {
  const broker = new TestBroker({ limits: { outboxBytesMax: 1000, ...limits } });
  await broker.settle();
  return broker;
}

async function subscribe(
  broker: TestBroker,
  client: MemoryClient,
  ...filters: [string, 0 | 1][]
): Promise<void> {
  for (const [filter, qos] of filters) client.subscribe(filter, qos);
  await broker.settle();
  client.packets.length = 0;
}

/** What came, gap markers without the times. */
function heard(client: MemoryClient): unknown[] {
  return client.publishes.map(({ topic, payload }) => {
    const text = Buffer.from(payload).toString();
    if (!topic.startsWith("$tstack/gap/")) return text[0];
    const { firstAt, lastAt, ...gap } = JSON.parse(text);
    assert.ok(firstAt <= lastAt);
    return gap;
  });
}

test("QoS 0 lost by a slow reader is told before the next message, with its topics and times", async () => {
  const broker = await openBroker();
  const client = await broker.connect("client");
  await subscribe(broker, client, ["t/#", 0], [gapTopic, 0]);
  client.isBusy = true;
  broker.publish("t/a", "1".repeat(900));
  await broker.settle();
  for (const topic of ["t/a", "t/b", "t/c", "t/b"]) broker.publish(topic, "x".repeat(1000));
  await broker.settle();
  broker.clock.advance(3000);
  broker.publish("t/d", "x".repeat(1000));
  client.drain();
  await broker.settle();
  const before = broker.clock.now();
  broker.publish("t/e", "2");
  broker.publish("t/e", "3");
  await broker.settle();
  const count = broker.core.counters.dropped.slowReader;
  assert.ok(count >= 3);
  const gaps = heard(client).filter((each) => typeof each === "object");
  assert.equal(gaps.length, 1);
  const [{ topics, ...gap }] = gaps as { topics: string[] }[];
  assert.deepEqual(gap, { count, moreTopics: false, reason: "slowReader" });
  assert.ok(topics.length === new Set(topics).size && topics.includes("t/d"));
  assert.deepEqual(heard(client).slice(-3), [{ topics, ...gap }, "2", "3"]);
  const marker = client.publishes.at(-3);
  const { firstAt, lastAt } = JSON.parse(Buffer.from(marker?.payload ?? "").toString());
  assert.deepEqual([firstAt, lastAt], [before - 3000, before]);
  assert.equal(marker?.properties.contentType, "application/json");
  broker.expectErrors(0);
});

test("what a full queue lost while the client was away is told when it comes back, before the rest", async () => {
  const broker = await openBroker({ queueMessagesMax: 2 });
  const properties = { sessionExpiryInterval: 100 };
  const before = await broker.connect("client", { properties });
  await subscribe(broker, before, ["t", 1], [gapTopic, 0]);
  before.lose();
  await broker.settle();
  for (const payload of ["1", "2", "3", "4", "5"]) broker.publish("t", payload, 1);
  await broker.settle();
  const client = await broker.connect("client", { cleanStart: false, properties });
  await broker.settle();
  const gap = { count: 3, topics: ["t"], moreTopics: false, reason: "queueFull" };
  assert.deepEqual(heard(client), [gap, "1", "2"]);
  broker.expectErrors(0);
});

test("who does not ask, asks for another's, or speaks 3.1.1 gets no marker", async () => {
  for (const [filter, protocolVersion] of [
    ["t", ProtocolVersion.v5],
    ["$tstack/gap/other", ProtocolVersion.v5],
    [gapTopic, ProtocolVersion.v3_1_1],
  ] as const) {
    const broker = await openBroker();
    const client = await broker.connect("client", { protocolVersion });
    await subscribe(broker, client, ["t", 0], [filter, 0]);
    client.isBusy = true;
    for (let count = 0; count < 5; count++) broker.publish("t", "x".repeat(900));
    await broker.settle();
    client.drain();
    await broker.settle();
    broker.publish("t", "y");
    await broker.settle();
    assert.ok(broker.core.counters.dropped.slowReader > 0);
    assert.deepEqual(
      heard(client).filter((each) => typeof each === "object"),
      [],
    );
  }
});

test("everybody may read of its own gaps, whatever the rights say, and nobody of another's by that", async () => {
  const broker = new TestBroker({
    authorizer: {
      generation: 0,
      authorize: ({ topic }) => ({ allowed: topic === "t", rule: "t" }),
    },
  });
  const client = await broker.connect("client");
  for (const filter of [gapTopic, "$tstack/gap/other", "$tstack/gap/+", "$tstack/#"])
    client.subscribe(filter, 0);
  await broker.settle();
  const codes = client.packets.flatMap((packet) =>
    "reasonCodes" in packet ? packet.reasonCodes : [],
  );
  assert.deepEqual(codes, [0, 0x87, 0x87, 0x87]);
});

test("a marker names few topics and no long ones, and none is sent that the client cannot take", async () => {
  const broker = await openBroker({ queueMessagesMax: 1 });
  const properties = { sessionExpiryInterval: 100 };
  const before = await broker.connect("client", { properties });
  await subscribe(broker, before, ["#", 1], [gapTopic, 0]);
  before.lose();
  await broker.settle();
  broker.publish("kept", "k", 1);
  for (let number = 0; number < 50; number++) broker.publish(`t/${number}`, "x", 1);
  broker.publish("l".repeat(5000), "x", 1);
  await broker.settle();
  const small = { ...properties, maximumPacketSize: 100 };
  const narrow = await broker.connect("client", { cleanStart: false, properties: small });
  await broker.settle();
  assert.deepEqual(heard(narrow), ["k"]);
  assert.equal(
    broker.core.counters.dropped.packetTooLarge,
    0,
    "a marker is no message that is lost",
  );
  narrow.lose();
  await broker.settle();
  for (let number = 0; number < 50; number++) broker.publish(`t/${number}`, "x", 1);
  await broker.settle();
  const client = await broker.connect("client", { cleanStart: false, properties });
  await broker.settle();
  const [gap] = heard(client).filter((each) => typeof each === "object") as { topics: string[] }[];
  assert.equal(gap.topics.length, 20);
  assert.ok("moreTopics" in gap && gap.moreTopics);
});

test("the marker is ahead of the next message also where that comes through a group or is retained", async () => {
  for (const next of ["s", "r"]) {
    const broker = await openBroker();
    broker.publish("r", "retained", 0, true);
    const client = await broker.connect("client");
    await subscribe(broker, client, ["t", 0], ["$share/g/s", 1], [gapTopic, 0]);
    client.isBusy = true;
    for (let count = 0; count < 5; count++) broker.publish("t", "x".repeat(900));
    await broker.settle();
    client.drain();
    await broker.settle();
    client.packets.length = 0;
    if (next === "s") broker.publish("s", "shared", 1);
    else client.subscribe("r", 0);
    await broker.settle();
    const { slowReader } = broker.core.counters.dropped;
    const gap = { count: slowReader, topics: ["t"], moreTopics: false, reason: "slowReader" };
    assert.deepEqual(heard(client), [gap, next]);
    broker.expectErrors(0);
  }
});

test("what a client published in vain is no gap in what it gets", async () => {
  const broker = await openBroker({ retainedMessagesMax: 0 });
  const client = await broker.connect("client");
  await subscribe(broker, client, ["t", 0], [gapTopic, 0]);
  client.publish("r", "no room", { retain: true });
  await broker.settle();
  assert.ok(broker.core.counters.dropped.retainedFull > 0);
  broker.publish("t", "y");
  await broker.settle();
  assert.deepEqual(heard(client), ["y"]);
});
