/** What a client is told, it is told when that is safe, and in order; what confirms nothing that is kept does not wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType, ProtocolVersion } from "../../../src/codec/index.ts";
import { answers, connack, describe, kept, ping, StoredBroker, say } from "./stored-broker.ts";
import { TestStorage } from "./test-storage.ts";

const { v3_1_1 } = ProtocolVersion;

test("5.0 [MQTT-4.3.2-4] [MQTT-3.3.4-1] 3.1.1 [MQTT-4.3.2-2] PUBACK waits until what it confirms is written", async () => {
  for (const protocolVersion of [v3_1_1, ProtocolVersion.v5]) {
    const broker = new StoredBroker();
    await broker.absentee("sub", "t");
    const publisher = await broker.connect("pub", { protocolVersion });
    broker.storage.isHolding = true;
    publisher.publish("t", "a", { qos: 1 });
    await broker.rest();
    assert.deepEqual(answers(publisher), []);
    broker.storage.answer();
    await broker.settle();
    assert.deepEqual(answers(publisher), ["puback 1"]);
    assert.equal(broker.storage.waiting(broker.session("sub").stored).length, 1);
  }
});

test("5.0 [MQTT-4.3.3-8] [MQTT-4.3.3-11] 3.1.1 [MQTT-4.3.3-2] PUBREC and PUBCOMP each wait until their identifier is written, or its end", async () => {
  const broker = new StoredBroker();
  const publisher = await broker.keeper("pub");
  await broker.rest();
  broker.storage.isHolding = true;
  publisher.publish("nobody", "a", { qos: 2 });
  await broker.rest();
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher), ["pubrec 1"]);
  assert.deepEqual(broker.stored("pub").receivedIdentifiers, [1]);
  say(publisher, "pubrel", 1);
  await broker.rest();
  assert.deepEqual(answers(publisher), ["pubrec 1"]);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher), ["pubrec 1", "pubcomp 1"]);
  assert.deepEqual(broker.stored("pub").receivedIdentifiers, []);
});

test("5.0 [MQTT-4.3.3-10] a duplicate of QoS 2 is answered no sooner than the first, and so is a second PUBREL", async () => {
  const broker = new StoredBroker();
  const publisher = await broker.keeper("pub");
  await broker.rest();
  broker.storage.isHolding = true;
  const packet = publisher.publishPacket("nobody", "a", { qos: 2 });
  publisher.send(packet);
  await broker.settle();
  publisher.send({ ...packet, dup: true });
  await broker.rest();
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher), ["pubrec 1", "pubrec 1"]);
  say(publisher, "pubrel", 1);
  await broker.settle();
  say(publisher, "pubrel", 1);
  await broker.rest();
  assert.equal(answers(publisher).length, 2);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher).slice(2), ["pubcomp 1", "pubcomp 1"]);
});

test("5.0 [MQTT-4.3.3-4] 3.1.1 [MQTT-4.3.3-1] PUBREL waits until it is written that the client has the message", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t", { qos: 2 });
  broker.publish("t", "a", 2);
  await broker.rest();
  assert.deepEqual(subscriber.payloads, ["a"]);
  broker.storage.isHolding = true;
  say(subscriber, "pubrec", 1);
  await broker.rest();
  assert.deepEqual(answers(subscriber), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(subscriber), ["pubrel 1"]);
  const [row] = broker.storage.underWay(broker.session("sub").stored);
  assert.deepEqual(
    [row.message, row.packetIdentifier],
    [0, 1],
    "a PUBREL in the place of the message",
  );
  broker.storage.letGo();
  say(subscriber, "pubcomp", 1);
  await broker.rest();
  assert.deepEqual(broker.storage.underWay(broker.session("sub").stored), []);
});

test("5.0 [MQTT-4.4.0-1] a PUBREL that comes again waits for the same", async () => {
  const broker = new StoredBroker();
  const before = await broker.keepingSubscriber("sub", "t", { qos: 2 });
  broker.publish("t", "a", 2);
  await broker.rest();
  broker.storage.isHolding = true;
  say(before, "pubrec", 1);
  await broker.rest();
  before.lose();
  const after = await broker.keeper("sub");
  await broker.rest();
  assert.deepEqual(answers(after), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(after), ["pubrel 1"]);
});

test("5.0 [MQTT-3.8.4-1] [MQTT-3.10.4-4] SUBACK and UNSUBACK wait until the subscription is written, or its end", async () => {
  const broker = new StoredBroker();
  const client = await broker.keeper("sub");
  await broker.rest();
  broker.storage.isHolding = true;
  client.subscribe("t", 1);
  await broker.rest();
  assert.deepEqual(answers(client), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(client), ["suback 1"]);
  assert.equal(broker.stored("sub").subscriptions.length, 1);
  client.send({
    type: PacketType.unsubscribe,
    packetIdentifier: 2,
    filters: ["t"],
    properties: {},
  });
  await broker.rest();
  assert.equal(answers(client).length, 1);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(client), ["suback 1", "unsuback 2"]);
  assert.deepEqual(broker.stored("sub").subscriptions, []);
});

test("5.0 [MQTT-4.6.0-2] 3.1.1 [MQTT-4.6.0-2] an acknowledgement that need not wait stays behind one that does", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "kept", { qos: 1 });
  await broker.settle();
  publisher.publish("nobody", "not kept", { qos: 1 });
  publisher.publish("nobody", "not kept", { qos: 2 });
  await broker.settle();
  publisher.publish("nobody", "not kept", { qos: 1 });
  publisher.publish("t", "kept", { qos: 1 });
  await broker.rest();
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher), ["puback 1", "puback 2", "pubrec 3"]);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher).slice(3), ["puback 4", "puback 5"]);
});

test("5.0 [MQTT-3.12.4-1] what confirms nothing that is kept does not wait: PINGRESP, QoS 0, a message for nobody", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  const reader = await broker.subscriber("reader", "t");
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "kept", { qos: 1 });
  await broker.rest();
  publisher.publish("t", "at once");
  ping(publisher);
  const other = await broker.connect("other");
  other.publish("nobody", "x", { qos: 1 });
  other.publish("nobody", "x", { qos: 2 });
  await broker.rest();
  assert.deepEqual(reader.payloads, ["kept", "at once"]);
  assert.equal(publisher.packets.at(-1)?.type, PacketType.pingresp);
  assert.deepEqual(answers(other), ["puback 1", "pubrec 2"]);
  assert.deepEqual(answers(publisher), []);
});

test("5.0 [MQTT-3.3.4-1] QoS 1 goes out before it is written, QoS 2 after, and nothing overtakes it", async () => {
  const broker = new StoredBroker();
  const subscriber = await broker.keepingSubscriber("sub", "t", { qos: 2 });
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "first", { qos: 1 });
  await broker.settle();
  assert.deepEqual(subscriber.publishes.map(describe), ["first 1 1"]);
  publisher.publish("t", "second", { qos: 2 });
  await broker.settle();
  publisher.publish("t", "third", { qos: 1 });
  publisher.publish("t", "fourth", { qos: 1 });
  await broker.rest();
  assert.deepEqual(subscriber.payloads, ["first"]);
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(subscriber.publishes.map(describe), [
    "first 1 1",
    "second 2 2",
    "third 1 3",
    "fourth 1 4",
  ]);
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(answers(publisher), ["puback 1", "pubrec 2", "puback 3", "puback 4"]);
});

test("5.0 [MQTT-4.3.3-1] QoS 2 out of the queue leaves when its identifier is written", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t", 2);
  broker.publish("t", "a", 2);
  broker.publish("t", "b", 1);
  await broker.rest();
  broker.storage.isHolding = true;
  const subscriber = broker.open();
  subscriber.connect("sub", kept());
  await broker.rest();
  assert.deepEqual(subscriber.payloads, []);
  while (broker.storage.isUnderWay) {
    broker.storage.answer();
    await broker.rest();
  }
  assert.deepEqual(subscriber.publishes.map(describe), ["a 2 1", "b 1 2"]);
});

test("5.0 [MQTT-3.3.1-5] a retained message of QoS 1 is acknowledged when it is written, and so is its end", async () => {
  const broker = new StoredBroker();
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "value", { qos: 1, retain: true });
  await broker.rest();
  assert.deepEqual(answers(publisher), []);
  broker.storage.answer();
  await broker.settle();
  assert.deepEqual(answers(publisher), ["puback 1"]);
  assert.equal(broker.storage.kept.retained.length, 1);
  publisher.publish("t", "", { qos: 1, retain: true });
  await broker.rest();
  assert.deepEqual(answers(publisher), ["puback 1"]);
  const other = await broker.connect("other");
  other.publish("t", "", { qos: 1, retain: true });
  await broker.rest();
  assert.deepEqual(answers(other), [], "what it says is gone may yet come back");
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(
    [...answers(publisher), ...answers(other)],
    ["puback 1", "puback 2", "puback 1"],
  );
  assert.equal(broker.storage.kept.retained.length, 0);
});

test("5.0 [MQTT-3.1.2-4] CONNACK of a clean start waits until the session before it is gone for good", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  broker.storage.isHolding = true;
  const client = broker.open();
  client.connect("sub");
  await broker.rest();
  assert.deepEqual(client.packets, []);
  broker.storage.answer();
  await broker.rest();
  assert.deepEqual(connack(client).sessionPresent, false);
  assert.deepEqual(broker.storage.kept.sessions, []);
});

test("5.0 [MQTT-3.1.2-5] one that comes back while its ended session may yet come back waits too", async () => {
  const broker = new StoredBroker();
  const before = await broker.keepingSubscriber("sub", "t");
  broker.storage.isHolding = true;
  const disconnect = { type: PacketType.disconnect, reasonCode: 0 } as const;
  before.send({ ...disconnect, properties: { sessionExpiryInterval: 0 } });
  await broker.rest();
  const client = broker.open();
  client.connect("sub", kept());
  await broker.rest();
  assert.deepEqual(client.packets, []);
  broker.storage.letGo();
  await broker.rest();
  assert.equal(connack(client).sessionPresent, false);
});

test("who has gone meanwhile is not waited for, and its messages are kept", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  const publisher = await broker.connect("pub");
  broker.storage.isHolding = true;
  publisher.publish("t", "a", { qos: 1 });
  await broker.settle();
  publisher.lose();
  broker.storage.letGo();
  await broker.rest();
  assert.equal(broker.session("sub").queuedMessages, 1);
  assert.deepEqual(
    broker.lines.filter(({ level }) => level === "error"),
    [],
  );
});

test("5.0 [MQTT-3.3.1-9] a retained message of QoS 2 follows its SUBACK, also where everything is written at once", async () => {
  for (const durability of ["memory", "os"] as const) {
    const broker = new StoredBroker(new TestStorage(durability));
    broker.publish("r", "value", 2, true);
    await broker.rest();
    const client = await broker.keeper("sub");
    client.subscribe("r", 2);
    await broker.settle();
    assert.deepEqual(client.payloads, ["value"], durability);
  }
});

test("5.0 [MQTT-4.3.3-10] a duplicate on another connection is answered no sooner than the first would have been", async () => {
  const broker = new StoredBroker();
  const before = await broker.keeper("pub");
  await broker.rest();
  broker.storage.isHolding = true;
  const packet = before.publishPacket("nobody", "a", { qos: 2 });
  before.send(packet);
  await broker.rest();
  const after = await broker.keeper("pub");
  after.send({ ...packet, dup: true });
  await broker.rest();
  assert.deepEqual(answers(after), []);
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(answers(after), ["pubrec 1"]);
});

test("5.0 [MQTT-3.1.2-25] QoS 2 that turns out too large when it is written leaves its place to the next", async () => {
  const broker = new StoredBroker();
  const properties = { receiveMaximum: 1, maximumPacketSize: 100 };
  const client = await broker.keepingSubscriber("sub", "t", { qos: 2, properties });
  for (const payload of ["x".repeat(200), "y".repeat(200), "fits"]) broker.publish("t", payload, 2);
  await broker.rest();
  assert.deepEqual(client.payloads, ["fits"]);
  assert.equal(broker.core.counters.dropped.packetTooLarge, 2);
});
