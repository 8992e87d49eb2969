/** Shared subscriptions: once a stored session is a member, what waits and what is under way to any member is kept. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemoryClient } from "../memory-client.ts";
import { describe, ping, StoredBroker, say } from "./stored-broker.ts";

const filter = "$share/g/t";

function numbers(from: number, until: number): string[] {
  return Array.from({ length: until - from }, (_, index) => `${from + index}`);
}

function publish(broker: StoredBroker, from: number, until: number, qos: 1 | 2 = 1): void {
  for (const payload of numbers(from, until)) broker.publish("t", payload, qos);
}

async function member(broker: StoredBroker, name: string, receiveMaximum = 2) {
  const client = await broker.connect(name, { properties: { receiveMaximum } });
  client.subscribe(filter, 1);
  await broker.rest();
  return client;
}

async function drain(broker: StoredBroker, ...clients: MemoryClient[]): Promise<void> {
  for (let quiet = 0, count = -1; quiet < 2; ) {
    const got = clients.reduce((sum, { payloads }) => sum + payloads.length, 0);
    quiet = got === count ? quiet + 1 : 0;
    count = got;
    for (const client of clients) {
      const { publishes } = client;
      for (const { qos, packetIdentifier = 0 } of publishes)
        if (qos === 1) say(client, "puback", packetIdentifier);
    }
    await broker.rest();
  }
}

test("5.0 [MQTT-4.8.2-1] the queue of a group outlives the broker, in order", async () => {
  const before = new StoredBroker();
  await before.absentee("absent", filter);
  publish(before, 0, 1500);
  await before.rest();
  const after = await before.restart();
  publish(after, 1500, 1510);
  const client = await after.keeper("absent");
  await drain(after, client);
  assert.deepEqual(client.payloads, numbers(0, 1510));
  assert.equal(after.storage.kept.messageLast, 0);
  assert.equal(after.storage.kept.shared.length, 1);
});

test("5.0 [MQTT-4.8.2-5] what was under way at a member that is not stored goes to others after a restart", async () => {
  const before = new StoredBroker();
  await before.absentee("absent", filter);
  const passing = await member(before, "passing");
  publish(before, 0, 5);
  await before.rest();
  assert.deepEqual(passing.payloads, ["0", "1"]);
  const after = await before.restart();
  const client = await after.keeper("absent");
  await drain(after, client);
  assert.deepEqual(client.payloads, numbers(0, 5));
  assert.equal(after.storage.kept.messageLast, 0);
});

test("5.0 [MQTT-4.8.2-6] what a member that is not stored has acknowledged is gone, also after a restart", async () => {
  const before = new StoredBroker();
  await before.absentee("absent", filter);
  const passing = await member(before, "passing");
  publish(before, 0, 5);
  await before.rest();
  say(passing, "puback", 2);
  await before.rest();
  assert.deepEqual(passing.payloads, ["0", "1", "2"]);
  const after = await before.restart();
  const client = await after.keeper("absent");
  await drain(after, client);
  assert.deepEqual(client.payloads, ["0", "2", "3", "4"]);
});

test("5.0 [MQTT-4.4.0-1] what was under way at a stored member stays its own", async () => {
  const before = new StoredBroker();
  const one = await before.keepingSubscriber("one", filter, { properties: { receiveMaximum: 2 } });
  publish(before, 0, 4);
  await before.rest();
  assert.deepEqual(one.payloads, ["0", "1"]);
  const after = await before.restart();
  const again = await after.keeper("one", { properties: { receiveMaximum: 10 } });
  await after.rest();
  assert.deepEqual(again.publishes.map(describe), ["0 1 dup 1", "1 1 dup 2", "2 1 3", "3 1 4"]);
  await drain(after, again);
  assert.equal(after.storage.kept.messageLast, 0);
});

test("a member that leaves gives back what it was sent, with its place in the storage", async () => {
  const broker = new StoredBroker();
  const one = await broker.keepingSubscriber("one", filter, { properties: { receiveMaximum: 2 } });
  await broker.absentee("two", filter);
  publish(broker, 0, 4);
  await broker.rest();
  one.lose();
  await broker.rest();
  assert.deepEqual(broker.storage.underWay(broker.session("one").stored), []);
  const after = await broker.restart();
  const two = await after.keeper("two");
  await drain(after, two);
  assert.deepEqual(two.payloads, numbers(0, 4));
  assert.equal(after.storage.kept.messageLast, 0);
});

test("messages go to and fro between members, written or not, and none is lost or left", async () => {
  for (const isSlow of [false, true]) {
    const broker = new StoredBroker();
    await broker.absentee("two", filter);
    broker.storage.isHolding = isSlow;
    const passing = await broker.connect("passing", { properties: { receiveMaximum: 2 } });
    passing.subscribe(filter, 1);
    await broker.settle();
    publish(broker, 0, 3);
    await broker.settle();
    passing.lose();
    await broker.settle();
    publish(broker, 3, 6);
    const third = await broker.connect("third", { properties: { receiveMaximum: 2 } });
    third.subscribe(filter, 1);
    await broker.settle();
    third.lose();
    await broker.settle();
    broker.storage.letGo();
    await broker.rest();
    const after = await broker.restart();
    const two = await after.keeper("two");
    await drain(after, two);
    assert.deepEqual(two.payloads, numbers(0, 6));
    assert.equal(after.storage.kept.messageLast, 0);
  }
});

test("a member that begins while a message waits to be written may get it: its session is written first", async () => {
  const broker = new StoredBroker();
  await broker.absentee("absent", filter);
  await broker.absentee("other", "other");
  broker.storage.isHolding = true;
  broker.publish("other", "x", 1);
  await broker.settle();
  assert.ok(broker.storage.isUnderWay);
  publish(broker, 0, 2);
  await broker.settle();
  const client = await broker.keeper("late");
  client.subscribe(filter, 1);
  ping(client);
  await broker.settle();
  ping(client);
  await broker.settle();
  assert.deepEqual(client.payloads, ["0", "1"]);
  broker.storage.letGo();
  await broker.rest();
  assert.deepEqual(
    broker.lines.filter(({ level }) => level === "error"),
    [],
  );
  const after = await broker.restart();
  const again = await after.keeper("late");
  await after.rest();
  assert.deepEqual(again.publishes.map(describe), ["0 1 dup 1", "1 1 dup 2"]);
});

test("5.0 [MQTT-4.8.2-4] QoS 2 of a member that is not stored is gone with it, and leaves nothing behind", async () => {
  const broker = new StoredBroker();
  await broker.absentee("absent", filter, 2);
  const passing = await broker.connect("passing");
  passing.subscribe(filter, 2);
  await broker.rest();
  publish(broker, 0, 3, 2);
  await broker.rest();
  assert.deepEqual(passing.payloads, ["0", "1", "2"]);
  say(passing, "pubrec", passing.publishes[0].packetIdentifier ?? 0);
  await broker.rest();
  passing.lose();
  await broker.rest();
  const [{ queue }] = broker.storage.kept.shared;
  assert.deepEqual(broker.storage.waiting(queue), []);
  assert.equal(broker.storage.kept.messageLast, 0);
});

test("a group that becomes stored keeps what waited before; one whose last member goes is gone", async () => {
  const broker = new StoredBroker();
  const passing = await member(broker, "passing", 1);
  publish(broker, 0, 4);
  await broker.rest();
  assert.equal(broker.storage.kept.shared.length, 0);
  await broker.absentee("absent", filter);
  const [{ queue }] = broker.storage.kept.shared;
  assert.equal(broker.storage.waiting(queue).length, 3);
  const after = await broker.restart();
  assert.equal(passing.payloads.length, 1);
  const client = await after.keeper("absent");
  await drain(after, client);
  assert.deepEqual(client.payloads, ["1", "2", "3"]);
  client.send({ type: 14, reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
  await after.rest();
  after.storage.expectEmpty();
});

test("the queue of a group in which nobody is stored any more ends with the broker", async () => {
  const before = new StoredBroker();
  const passing = await member(before, "passing", 1);
  await before.absentee("absent", filter);
  publish(before, 0, 4);
  await before.rest();
  (await before.connect("absent")).lose();
  await before.rest();
  assert.equal(passing.payloads.length, 1);
  assert.equal(before.storage.kept.shared.length, 1);
  const after = await before.restart();
  after.storage.expectEmpty();
});

test("who leaves a group keeps what it was sent through it, and answers that as before", async () => {
  const broker = new StoredBroker();
  await broker.absentee("absent", filter);
  const passing = await member(broker, "passing", 2);
  publish(broker, 0, 3);
  await broker.rest();
  passing.send({
    type: 10,
    packetIdentifier: 9,
    filters: [filter],
    properties: {},
  });
  await broker.rest();
  const [{ queue }] = broker.storage.kept.shared;
  assert.equal(
    broker.storage.waiting(queue).length,
    1,
    "what it was sent is between the two of them",
  );
  passing.acknowledge(1, 2);
  await broker.rest();
  const faults = broker.lines.filter(({ level }) => level === "error");
  assert.deepEqual(faults, []);
  const client = await broker.keeper("absent");
  await drain(broker, client);
  assert.deepEqual(client.payloads, ["2"]);
});
