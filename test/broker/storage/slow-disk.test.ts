/** A disk that does not keep up: who publishes what must be kept is not read, everybody else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolVersion } from "../../../src/codec/index.ts";
import { answers, ping, StoredBroker, say } from "./stored-broker.ts";
import { TestStorage } from "./test-storage.ts";

const payload = "x".repeat(5000);

async function crowded(): Promise<StoredBroker> {
  const broker = new StoredBroker(new TestStorage(), { limits: { unsyncedBytesMax: 20_000 } });
  await broker.absentee("sub", "t");
  broker.storage.isHolding = true;
  return broker;
}

test("unsyncedBytesMax: who waits for the disk is not read, others are, and both when there is room", async () => {
  const broker = await crowded();
  const publisher = await broker.connect("pub", { keepAliveSeconds: 10 });
  const other = await broker.connect("other");
  const reader = await broker.subscriber("reader", "#");
  for (let count = 0; count < 3; count++) publisher.publish("t", payload, { qos: 1 });
  assert.equal(publisher.isPaused, false);
  publisher.publish("t", payload, { qos: 1 });
  assert.equal(publisher.isPaused, true);
  other.publish("t", "QoS 0");
  other.publish("nobody", "x", { qos: 1 });
  ping(other);
  await broker.settle();
  assert.equal(other.isPaused, false);
  assert.deepEqual(answers(other), ["puback 1"]);
  assert.equal(reader.payloads.length, 6);
  other.publish("t", "one more", { qos: 1 });
  assert.equal(other.isPaused, true);
  while (broker.storage.isUnderWay) {
    broker.storage.answer();
    await broker.rest();
  }
  assert.equal(publisher.isPaused, false);
  assert.equal(other.isPaused, false);
  assert.equal(answers(publisher).length, 4);
  assert.equal(broker.session("sub").queuedMessages, 5);
});

test("5.0 [MQTT-3.1.2-22] 3.1.1 [MQTT-3.1.2-24] a client is not cut off for the time in which the disk kept the broker from reading", async () => {
  for (const protocolVersion of [ProtocolVersion.v5, ProtocolVersion.v3_1_1]) {
    const broker = await crowded();
    const publisher = await broker.connect("pub", { keepAliveSeconds: 10, protocolVersion });
    const idle = await broker.connect("idle", { keepAliveSeconds: 10 });
    for (let count = 0; count < 4; count++) publisher.publish("t", payload, { qos: 1 });
    await broker.settle();
    for (let second = 0; second < 60; second++) {
      broker.clock.advance(1000);
      await broker.settle();
    }
    assert.equal(publisher.isEnded, false);
    assert.equal(idle.isEnded, true, "who is read and says nothing is");
    broker.storage.letGo();
    await broker.rest();
    assert.equal(publisher.isPaused, false);
    broker.clock.advanceSeconds(14);
    assert.equal(publisher.isEnded, false);
    broker.clock.advanceSeconds(2);
    assert.equal(publisher.isEnded, true, "and from then on it counts again");
  }
});

test("a publisher that has left does not keep the room it took", async () => {
  const broker = await crowded();
  const publisher = await broker.connect("pub");
  for (let count = 0; count < 4; count++) publisher.publish("t", payload, { qos: 1 });
  await broker.settle();
  publisher.lose();
  broker.storage.letGo();
  await broker.rest();
  assert.equal(broker.core.journal.unsyncedBytes, 0);
  const next = await broker.connect("next");
  next.publish("t", payload, { qos: 1 });
  assert.equal(next.isPaused, false);
});

test("what is called off, replaced or written leaves no bytes behind", async () => {
  const broker = new StoredBroker();
  const sub = await broker.keepingSubscriber("sub", "t");
  await broker.absentee("absent", "u");
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  for (const size of [10, 5000, 10])
    publisher.publish("r", "x".repeat(size), { retain: true, qos: 1 });
  await broker.settle();
  for (const size of [10, 5000, 10])
    publisher.publish("r", "x".repeat(size), { retain: true, qos: 1 });
  for (const size of [10, 5000]) publisher.publish("t", "x".repeat(size), { qos: 1 });
  for (const size of [10, 5000]) publisher.publish("u", "x".repeat(size), { qos: 1 });
  await broker.settle();
  const { unsyncedBytes } = broker.core.journal;
  assert.ok(unsyncedBytes > 10_000 && unsyncedBytes < 15_000, `${unsyncedBytes}`);
  sub.acknowledge(1, 2);
  broker.storage.letGo();
  await broker.rest();
  assert.equal(broker.core.journal.unsyncedBytes, 0);
  assert.ok(broker.core.journal.isIdle);
});

test("a client whose answers wait is not read when they are too many, and is not blamed for it", async () => {
  const broker = new StoredBroker(new TestStorage(), { limits: { outboxBytesMax: 10_000 } });
  const client = await broker.keeper("client", { keepAliveSeconds: 10 });
  await broker.absentee("sub", "t");
  broker.storage.isHolding = true;
  broker.publish("t", "it keeps the disk busy", 1);
  await broker.settle();
  let sent = 0;
  for (; sent < 5000 && !client.isPaused; sent++) {
    say(client, "pubrel", 7);
    if (sent % 10 === 0) await broker.settle();
  }
  assert.equal(client.isPaused, true);
  broker.clock.advanceSeconds(60);
  assert.equal(client.isEnded, false);
  broker.storage.letGo();
  await broker.rest();
  assert.equal(client.isPaused, false);
  assert.equal(answers(client).length, sent);
});
