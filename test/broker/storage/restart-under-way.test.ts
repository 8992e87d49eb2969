/** What was under way before a restart: sent again under its identifier, with DUP, in its order, and nothing else is. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredDelivery } from "../../../src/broker/index.ts";
import type { QueuedMessage } from "../../../src/broker/queued-message.ts";
import { ProtocolVersion } from "../../../src/codec/index.ts";
import type { MemoryClient } from "../memory-client.ts";
import { answers, connack, describe, kept, StoredBroker, say } from "./stored-broker.ts";
import { storageFull } from "./test-storage.ts";

const { v3_1_1, v5 } = ProtocolVersion;

/** A session with five messages under way, of QoS 1 and 2, of which the third is acknowledged, and two that wait. */
async function stopInTheMiddle(protocolVersion: ProtocolVersion): Promise<StoredBroker> {
  const broker = new StoredBroker(undefined, { limits: { inFlightMessagesMax: 5 } });
  const client = await broker.keepingSubscriber("sub", "t", { qos: 2, protocolVersion });
  for (const [payload, qos] of [
    ["a", 1],
    ["b", 2],
    ["c", 1],
    ["d", 2],
    ["e", 1],
    ["f", 2],
    ["g", 1],
    ["h", 1],
  ] as const)
    broker.publish("t", payload, qos);
  await broker.rest();
  assert.equal(client.payloads.length, 5);
  say(client, "puback", 3);
  await broker.rest();
  return broker;
}

for (const protocolVersion of [v3_1_1, v5]) {
  test(`5.0 [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] 3.1.1 [MQTT-4.4.0-1] [MQTT-3.3.1-1] [MQTT-4.6.0-1] what was under way comes again: identifiers, DUP and order as before (protocol level ${protocolVersion})`, async () => {
    const before = await stopInTheMiddle(protocolVersion);
    const after = await before.restart(10);
    for (let round = 0; round < 2; round++) {
      const client = await after.keeper("sub", { protocolVersion });
      await after.rest();
      assert.equal(connack(client).sessionPresent, true);
      assert.deepEqual(client.publishes.map(describe), [
        "a 1 dup 1",
        "b 2 dup 2",
        "d 2 dup 4",
        "e 1 dup 5",
        "f 2 dup 6",
      ]);
      client.lose();
      await after.rest();
    }
    const again = await after.restart();
    const client = await again.keeper("sub", { protocolVersion });
    await again.rest();
    for (const identifier of [1, 5]) say(client, "puback", identifier);
    for (const identifier of [4, 2, 6]) say(client, "pubrec", identifier);
    await again.rest();
    assert.deepEqual(client.publishes.slice(5).map(describe), ["g 1 7", "h 1 8"]);
    assert.deepEqual(answers(client), ["pubrel 4", "pubrel 2", "pubrel 6"]);
  });

  test(`5.0 [MQTT-4.3.3-5] [MQTT-4.6.0-4] 3.1.1 [MQTT-4.3.3-1] [MQTT-4.6.0-4] PUBREL comes again in the order of PUBREC, its message does not (protocol level ${protocolVersion})`, async () => {
    const before = await stopInTheMiddle(protocolVersion);
    const client = await before.keeper("sub", { protocolVersion });
    await before.rest();
    for (const identifier of [4, 2]) say(client, "pubrec", identifier);
    await before.rest();
    assert.deepEqual(answers(client), ["pubrel 4", "pubrel 2"]);
    const after = await before.restart();
    const again = await after.keeper("sub", { protocolVersion });
    await after.rest();
    assert.deepEqual(answers(again), ["pubrel 4", "pubrel 2"]);
    assert.ok(!again.payloads.includes("b") && !again.payloads.includes("d"));
    say(again, "pubcomp", 4);
    say(again, "pubcomp", 2);
    await after.rest();
    const last = await after.restart();
    const third = await last.keeper("sub", { protocolVersion });
    await last.rest();
    assert.deepEqual(answers(third), []);
  });
}

test("5.0 [MQTT-4.3.3-6] a PUBREC that the broker had not yet written is asked for again", async () => {
  const before = new StoredBroker();
  const client = await before.keepingSubscriber("sub", "t", { qos: 2 });
  before.publish("t", "a", 2);
  await before.rest();
  before.storage.isHolding = true;
  say(client, "pubrec", 1);
  await before.rest();
  const after = await before.restart();
  const again = await after.keeper("sub");
  await after.rest();
  assert.deepEqual(again.publishes.map(describe), ["a 2 dup 1"]);
  say(again, "pubrec", 1);
  say(again, "pubcomp", 1);
  await after.rest();
  assert.deepEqual(answers(again), ["pubrel 1"]);
  assert.equal(after.storage.kept.messageLast, 0);
});

test("5.0 [MQTT-2.2.1-3] an identifier that was not written before the crash has named nothing", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "t", 2);
  before.publish("t", "a", 2);
  await before.rest();
  before.storage.isHolding = true;
  const client = before.open();
  client.connect("sub", kept());
  await before.rest();
  assert.deepEqual(client.payloads, [], "it is not safe yet");
  const after = await before.restart();
  after.publish("t", "b", 2);
  const again = await after.keeper("sub", { properties: { receiveMaximum: 1 } });
  await after.rest();
  assert.deepEqual(again.publishes.map(describe), ["a 2 1"]);
  assert.equal(after.session("sub").queuedMessages, 1);
});

test("5.0 [MQTT-4.4.0-1] one that was given an identifier, and left before it was sent, bears no DUP", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t", 2);
  broker.publish("t", "a", 2);
  await broker.rest();
  broker.storage.isHolding = true;
  const first = broker.open();
  first.connect("sub", kept());
  await broker.rest();
  first.lose();
  broker.storage.letGo();
  await broker.rest();
  const second = await broker.keeper("sub");
  await broker.rest();
  assert.deepEqual(second.publishes.map(describe), ["a 2 1"]);
});

test("5.0 [MQTT-4.3.3-7] what has expired since it was sent is sent again; what was never sent is not", async () => {
  const before = new StoredBroker();
  const client = await before.keepingSubscriber("sub", "t", {
    qos: 2,
    properties: { receiveMaximum: 2 },
  });
  const publisher = await before.connect("pub");
  const properties = { messageExpiryInterval: 10 };
  for (const [payload, qos] of [
    ["a", 1],
    ["b", 2],
    ["c", 1],
  ] as const)
    publisher.publish("t", payload, { qos, properties });
  await before.rest();
  assert.equal(client.payloads.length, 2);
  const after = await before.restart(60);
  const again = await after.keeper("sub");
  await after.rest();
  assert.deepEqual(again.publishes.map(describe), ["a 1 dup 1", "b 2 dup 2"]);
  assert.equal(after.core.counters.dropped.expired, 1);
});

test("two connections at once while what was under way is being read: the last one has the session", async () => {
  const before = await stopInTheMiddle(v5);
  const after = await before.restart();
  after.storage.isHoldingReads = true;
  const first = after.open();
  first.connect("sub", kept());
  await after.settle();
  const second = after.open();
  second.connect("sub", kept());
  await after.settle();
  assert.equal(after.storage.readsUnderWay, 1, "both wait for one answer");
  after.storage.letGo();
  await after.rest();
  assert.ok(first.isEnded);
  assert.deepEqual(second.publishes.map(describe).slice(0, 2), ["a 1 dup 1", "b 2 dup 2"]);
  assert.equal(second.publishes.length, 5);
  assert.equal(after.session("sub").inFlightMessages, 5);
});

test("a clean start while what was under way is being read ends it, and the other finds the new session", async () => {
  const before = await stopInTheMiddle(v5);
  const after = await before.restart();
  after.storage.isHoldingReads = true;
  const first = after.open();
  first.connect("sub", kept());
  await after.settle();
  const second = await after.connect("sub");
  after.storage.letGo();
  await after.rest();
  assert.equal(connack(second).sessionPresent, false);
  const clients: MemoryClient[] = [first, second];
  for (const client of clients) assert.deepEqual(client.payloads, []);
  await after.rest();
  assert.equal(after.storage.kept.messageLast, 0);
});

test("5.0 [MQTT-3.2.2-7] who cannot be told what is under way is turned away, and not the next", async () => {
  for (const isLate of [false, true]) {
    const before = await stopInTheMiddle(v5);
    const after = await before.restart();
    after.storage.isHoldingReads = isLate;
    after.storage.readFailure = storageFull();
    const client = after.open();
    client.connect("sub", kept());
    await after.settle();
    after.storage.answerReads();
    await after.settle();
    const { reasonCode, properties } = connack(client);
    assert.equal(reasonCode, 0x88);
    assert.match(properties.reasonString ?? "", /its session cannot be read: .*full/);
    after.expectErrors(0); // the storage's fault, and no bug
    after.storage.readFailure = undefined;
    after.storage.isHoldingReads = false;
    const again = await after.keeper("sub");
    await after.rest();
    assert.equal(connack(again).sessionPresent, true);
    assert.equal(again.publishes.length, 5);
  }
});

test("who has gone while what was under way is being read takes the session from nobody", async () => {
  const after = await (await stopInTheMiddle(v5)).restart();
  after.storage.isHoldingReads = true;
  const gone = after.open();
  gone.connect("sub", kept());
  await after.settle();
  gone.lose();
  const next = await after.connect("sub");
  after.storage.letGo();
  await after.settle();
  assert.equal(next.isEnded, false);
  assert.equal(after.session("sub").connection?.transport, next);
});

test("of a page that was read only what is under way stays in memory when its client has left", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  broker.publish("t", "a", 1);
  await broker.rest();
  const { storage } = broker;
  const readWaiting = storage.readWaiting.bind(storage);
  storage.readWaiting = (page) =>
    (readWaiting(page) as StoredDelivery[]).map(({ row, content }) => {
      if (content === undefined) return { row, content };
      const large = Buffer.alloc(1_000_000);
      large.set(content.bytes);
      return { row, content: { ...content, bytes: large.subarray(0, content.bytes.length) } };
    });
  const client = await broker.keeper("sub");
  assert.deepEqual(client.payloads, ["a"]);
  client.lose();
  const held: number[] = [];
  const look = ({ message }: QueuedMessage): boolean => {
    held.push(message.bytes.buffer.byteLength);
    return false;
  };
  assert.deepEqual([...broker.session("sub").flights.takeBack(look)], []);
  assert.equal(held.length, 1);
  assert.ok(held[0] < 1_000_000, `${held[0]} bytes`);
});
