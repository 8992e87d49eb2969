/** What waits for a session waits for it after a restart: everything of each message, in order, however many there are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProtocolVersion } from "../../../src/codec/index.ts";
import { connack, describe, kept, StoredBroker, say } from "./stored-broker.ts";
import { storageFull } from "./test-storage.ts";

const { v3_1_1, v5 } = ProtocolVersion;

const properties = {
  payloadFormatIndicator: 1 as const,
  messageExpiryInterval: 100,
  contentType: "text/plain",
  responseTopic: "answers",
  correlationData: Buffer.from("correlation"),
  userProperties: [
    ["name", "one"],
    ["name", "two"],
  ] as [string, string][],
};

test("5.0 [MQTT-4.5.0-1] [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-17] queued messages keep their properties, and what is left of their time", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "t/#", 2);
  const publisher = await before.connect("pub");
  publisher.publish("t/1", "one", { qos: 1, properties });
  publisher.publish("t/2", "two", { qos: 2, properties });
  publisher.publish("t/3", "short", { qos: 2, properties: { messageExpiryInterval: 30 } });
  publisher.publish("t/4", "long", { qos: 1 });
  publisher.publish("t/5", "not kept", { qos: 0 });
  await before.rest();
  before.clock.advanceSeconds(10);
  const after = await before.restart(30);
  const subscriber = await after.keeper("sub");
  await after.rest();
  assert.deepEqual(subscriber.publishes.map(describe), ["one 1 1", "two 2 2", "long 1 3"]);
  const [one, two, long] = subscriber.publishes;
  const left = { ...properties, messageExpiryInterval: 60 };
  assert.deepEqual([one.properties, two.properties, long.properties], [left, left, {}]);
  assert.deepEqual([one.topic, two.topic, long.topic], ["t/1", "t/2", "t/4"]);
  assert.equal(after.core.counters.dropped.expired, 1);
});

test("5.0 [MQTT-4.6.0-1] [MQTT-4.6.0-5] 3.1.1 [MQTT-4.6.0-6] order, QoS, RETAIN and subscription identifiers are as before", async () => {
  const before = new StoredBroker();
  const client = await before.keeper("sub");
  client.send({
    type: 8,
    packetIdentifier: 1,
    subscriptions: [
      { filter: "a", qos: 1, noLocal: false, retainAsPublished: true, retainHandling: 0 },
    ],
    properties: { subscriptionIdentifiers: [5] },
  });
  await before.settle();
  client.subscribe("b", 2);
  await before.rest();
  client.lose();
  for (let count = 0; count < 20; count++) {
    const message = { payload: Buffer.from(`${count}`), properties: {} };
    before.core.publish({ ...message, topic: "a", qos: 2, retain: count % 2 === 0 });
    before.core.publish({ ...message, topic: "b", qos: 2, retain: false });
  }
  await before.rest();
  const after = await before.restart();
  before.expectErrors(0);
  for (let count = 20; count < 22; count++) after.publish("b", `${count}`, 2);
  const subscriber = await after.keeper("sub");
  await after.rest();
  assert.equal(subscriber.publishes.length, 42);
  for (const [index, packet] of subscriber.publishes.entries()) {
    const count = index < 40 ? Math.floor(index / 2) : index - 20;
    assert.equal(Buffer.from(packet.payload).toString(), `${count}`);
    const isA = index < 40 && index % 2 === 0;
    assert.equal(packet.topic, isA ? "a" : "b");
    assert.equal(packet.qos, isA ? 1 : 2);
    assert.equal(packet.retain, isA && count % 2 === 0);
    assert.deepEqual(packet.properties.subscriptionIdentifiers, isA ? [5] : undefined);
    assert.equal(packet.dup, false);
    assert.equal(packet.packetIdentifier, index + 1);
  }
});

test("5.0 [MQTT-4.4.0-1] 3.1.1 [MQTT-4.4.0-1] several thousand messages are read page by page, and no page twice", async () => {
  const count = 3500;
  const before = new StoredBroker();
  await before.absentee("sub", "t");
  for (let number = 0; number < count; number++) before.publish("t", `${number}`, 1);
  await before.rest();
  const after = await before.restart();
  assert.equal(after.session("sub").queuedMessages, count);
  after.storage.isHoldingReads = true;
  const subscriber = after.open();
  subscriber.connect("sub", kept());
  await after.settle();
  after.storage.answerReads(); // what is under way
  await after.settle();
  assert.equal(connack(subscriber).sessionPresent, true);
  let acknowledged = 0;
  for (let round = 0; acknowledged < count; round++) {
    assert.ok(round < 1000, `it stands still after ${acknowledged}`);
    after.storage.answerReads();
    await after.settle();
    const { publishes } = subscriber;
    for (; acknowledged < publishes.length; acknowledged++) {
      const { packetIdentifier = 0 } = publishes[acknowledged];
      say(subscriber, "puback", packetIdentifier);
    }
    if (round % 10 === 0) after.clock.advance(25);
  }
  assert.deepEqual(
    subscriber.payloads,
    Array.from({ length: count }, (_, number) => `${number}`),
  );
  after.storage.letGo();
  await after.rest();
  after.expectSameCounts("sub");
  assert.equal(after.storage.kept.messageLast, 0);
});

test("5.0 [MQTT-4.6.0-1] what is published while a page is read comes behind it", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "t");
  for (let number = 0; number < 5; number++) before.publish("t", `${number}`, 1);
  await before.rest();
  const after = await before.restart();
  after.storage.isHoldingReads = true;
  after.storage.isHolding = true;
  const subscriber = after.open();
  subscriber.connect("sub", kept());
  await after.settle();
  after.storage.answerReads();
  await after.settle();
  assert.equal(after.storage.readsUnderWay, 1, "the queue is being read");
  after.publish("t", "5", 1);
  await after.rest();
  after.publish("t", "6", 1);
  after.storage.answerReads();
  await after.settle();
  after.publish("t", "7", 1);
  for (let round = 0; round < 10; round++) {
    if (after.storage.isUnderWay) after.storage.answer();
    await after.rest();
    after.storage.answerReads();
    await after.rest();
  }
  assert.deepEqual(subscriber.payloads, ["0", "1", "2", "3", "4", "5", "6", "7"]);
  after.storage.letGo();
  await after.rest();
  after.expectSameCounts("sub");
});

test("a read that fails is tried again while the client stays, and nothing is lost or sent twice", async () => {
  for (const isLate of [false, true]) {
    const before = new StoredBroker();
    await before.absentee("sub", "t");
    for (let number = 0; number < 3; number++) before.publish("t", `${number}`, 1);
    await before.rest();
    const after = await before.restart();
    const client = after.open();
    client.connect("sub", kept());
    after.storage.isHoldingReads = true;
    await after.settle();
    after.storage.answerReads();
    await after.settle();
    after.storage.readFailure = storageFull();
    if (!isLate) after.storage.isHoldingReads = false;
    after.storage.answerReads();
    await after.settle();
    assert.deepEqual(client.payloads, []);
    assert.equal(after.linesWith("error", "cannot be read").length, 1);
    after.publish("t", "3", 1);
    after.clock.advanceSeconds(3);
    await after.rest();
    after.storage.readFailure = undefined;
    after.storage.isHoldingReads = false;
    after.storage.answerReads();
    after.clock.advanceSeconds(3);
    await after.rest();
    assert.deepEqual(client.payloads, ["0", "1", "2", "3"]);
    assert.equal(after.linesWith("error", "cannot be read").length, 1, "told once");
  }
});

test("who leaves while a page is read, and comes back, gets everything once", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t", 1, v3_1_1);
  for (let number = 0; number < 3; number++) broker.publish("t", `${number}`, 1);
  await broker.rest();
  broker.storage.isHoldingReads = true;
  const first = await broker.keeper("sub", { protocolVersion: v3_1_1 });
  first.lose();
  const second = await broker.keeper("sub", { protocolVersion: v5 });
  assert.equal(broker.storage.readsUnderWay, 2);
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(second.payloads, ["0", "1", "2"]);
  assert.deepEqual(first.payloads, []);
  broker.expectSameCounts("sub");
});

test("a queue that is left and taken up again is read again, from where it was", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "t");
  for (let number = 0; number < 10; number++) before.publish("t", `${number}`, 1);
  await before.rest();
  const after = await before.restart();
  const got: string[] = [];
  for (let round = 0; round < 10; round++) {
    const client = await after.keeper("sub", { properties: { receiveMaximum: 1 } });
    await after.settle();
    got.push(...client.payloads);
    say(client, "puback", client.publishes[0].packetIdentifier ?? 0);
    client.lose();
    await after.settle();
  }
  await after.rest();
  const distinct = [...new Set(got)];
  assert.deepEqual(
    distinct,
    Array.from({ length: 10 }, (_, number) => `${number}`).slice(0, distinct.length),
  );
  after.expectSameCounts("sub");
});

test("a restart at which nothing is due writes nothing, and what begins after it is apart from what was there", async () => {
  const before = new StoredBroker();
  await before.absentee("one", "t");
  await before.absentee("two", "$share/g/t");
  before.publish("t", "old", 1);
  await before.rest();
  const after = await before.restart();
  assert.deepEqual(after.storage.handedOver(), []);
  await after.absentee("three", "t");
  await after.absentee("four", "$share/h/t");
  after.publish("t", "new", 1);
  await after.rest();
  const { sessions, shared } = after.storage.kept;
  const queues = [...sessions.map(({ session }) => session), ...shared].map(({ queue }) => queue);
  assert.equal(new Set(queues).size, 6);
  for (const [name, expected] of [
    ["one", ["old", "new"]],
    ["two", ["old", "new"]],
    ["three", ["new"]],
    ["four", ["new"]],
  ] as const) {
    const client = await after.keeper(name);
    await after.rest();
    assert.deepEqual(client.payloads, expected, name);
  }
});
