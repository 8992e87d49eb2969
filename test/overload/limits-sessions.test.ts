/** What happens at each limit of sessions, subscriptions and queues, in $SYS and in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectReturnCode, ReasonCode } from "../../src/base/index.ts";
import { PacketType, ProtocolVersion, type SubackPacket } from "../../src/codec/index.ts";
import type { MemoryClient } from "../broker/memory-client.ts";
import { connackOf, endOf, LimitedBroker } from "./limited-broker.ts";
import { SlowStorage } from "./slow-storage.ts";

const { v3_1_1 } = ProtocolVersion;
const persistent = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };

function subackCodes(client: MemoryClient): number[] {
  return client.packets
    .filter((packet): packet is SubackPacket => packet.type === PacketType.suback)
    .flatMap(({ reasonCodes }) => reasonCodes);
}

/** A session with one subscription of QoS 1 whose client is away. */
async function leaveBehind(broker: LimitedBroker, name: string, filter = "t"): Promise<void> {
  const client = await broker.connect(name, persistent);
  client.subscribe(filter, 1);
  await broker.settle();
  client.lose();
  await broker.settle();
}

test("sessionsMax: a client without a session is refused, one with a session is not", async () => {
  const broker = new LimitedBroker({ sessionsMax: 1 });
  await leaveBehind(broker, "first");
  assert.equal(await broker.connectCode("second"), ReasonCode.quotaExceeded);
  assert.equal(
    await broker.connectCode("second", { protocolVersion: v3_1_1 }),
    ConnectReturnCode.serverUnavailable,
  );
  assert.equal(await broker.connectCode("first", persistent), ReasonCode.success);
  await broker.expectHits("sessionsMax", 2);
});

test("sessionExpirySecondsMax: a longer one is cut, and the client told; counted, and no news", async () => {
  const broker = new LimitedBroker({ sessionExpirySecondsMax: 10 });
  const client = broker.open();
  client.connect("long", persistent);
  await broker.settle();
  assert.equal(connackOf(client).properties.sessionExpiryInterval, 10);
  assert.equal(await broker.figure("limits/sessionExpirySecondsMax"), "1");
  assert.deepEqual(broker.warnings, []);
  client.lose();
  broker.clock.advanceSeconds(10);
  assert.equal(broker.core.sessions.size, 0);
});

test("sessionExpirySecondsV3: the session of a 3.x client ends so long after its connection", async () => {
  const broker = new LimitedBroker({ sessionExpirySecondsV3: 10 });
  const client = await broker.connect("old", { protocolVersion: v3_1_1, cleanStart: false });
  client.lose();
  broker.clock.advance(9999);
  assert.equal(broker.core.sessions.size, 1);
  broker.clock.advance(1);
  assert.equal(broker.core.sessions.size, 0);
  assert.equal(await broker.figure("clients/expired"), "1");
});

test("subscriptionsMax: new ones are refused, and one that is there may be changed", async () => {
  const broker = new LimitedBroker({ subscriptionsMax: 2 });
  const client = await broker.connect("client");
  for (const filter of ["a", "b", "c", "d", "b"]) client.subscribe(filter, 1);
  await broker.settle();
  assert.deepEqual(subackCodes(client), [1, 1, 0x97, 0x97, 1]);
  const old = await broker.connect("old", { protocolVersion: v3_1_1 });
  for (const filter of ["a", "b", "c"]) old.subscribe(filter, 1);
  await broker.settle();
  assert.deepEqual(subackCodes(old), [1, 1, 0x80]);
  await broker.expectHits("subscriptionsMax", 3);
});

test("topicLevelsMax: of topics, filters and wills; what is wrong otherwise is not counted", async () => {
  const broker = new LimitedBroker({ topicLevelsMax: 2 });
  const subscriber = await broker.connect("subscriber");
  for (const filter of ["a/b", "a/b/c", "a/#/c"]) subscriber.subscribe(filter);
  await broker.settle();
  assert.deepEqual(subackCodes(subscriber), [0, 0x8f, 0x8f]);
  const publisher = await broker.connect("publisher");
  publisher.publish("a/b/c", "x");
  assert.equal(endOf(publisher), ReasonCode.topicNameInvalid);
  const will = { topic: "a/b/c", payload: Buffer.alloc(0), qos: 0, retain: false, properties: {} };
  assert.equal(
    await broker.connectCode("mortal", { will: { ...will, qos: 0 } }),
    ReasonCode.topicNameInvalid,
  );
  const mistaken = await broker.connect("mistaken");
  mistaken.publish("a/+", "x");
  assert.equal(endOf(mistaken), ReasonCode.topicNameInvalid);
  await broker.expectHits("topicLevelsMax", 3);
});

test("queueMessagesMax: what does not fit is dropped and counted", async () => {
  const broker = new LimitedBroker({ queueMessagesMax: 3 });
  await leaveBehind(broker, "away");
  for (let count = 0; count < 5; count++) broker.publish("t", `${count}`, 1);
  await broker.expectDropped("queueFull", 2, "away");
  const client = await broker.connect("away", persistent);
  assert.deepEqual(client.payloads, ["0", "1", "2"]);
  client.lose();
  assert.deepEqual(broker.notes.at(-1)?.dropped, { queueFull: 2 });
});

test("queueBytesMax: the same for bytes", async () => {
  const broker = new LimitedBroker({ queueBytesMax: 1000 });
  await leaveBehind(broker, "away");
  for (let count = 0; count < 5; count++) broker.publish("t", `${count}`.padEnd(400), 1);
  await broker.expectDropped("queueFull", 3, "away");
});

test("sharedQueueBytesMax: the same for all shared subscriptions together", async () => {
  const broker = new LimitedBroker({ sharedQueueBytesMax: 1100 });
  await leaveBehind(broker, "one", "$share/g/t");
  await leaveBehind(broker, "two", "$share/h/t");
  for (let count = 0; count < 5; count++) broker.publish("t", "".padEnd(400), 1);
  assert.equal(await broker.figure("publish/messages/dropped/queueFull"), "8");
  const losers = broker.warnings.filter(({ reason }) => reason === "queueFull");
  assert.deepEqual(losers.map(({ client }) => client).sort(), ["$share/g/t", "$share/h/t"]);
});

test("unsyncedBytesMax: who publishes what must be kept waits for the disk, who does not goes on, past the keep alive", async () => {
  const storage = new SlowStorage();
  const broker = new LimitedBroker({ unsyncedBytesMax: 10_000 }, { storage });
  await leaveBehind(broker, "away");
  const publisher = await broker.connect("publisher", { keepAliveSeconds: 5 });
  const other = await broker.connect("other");
  storage.isSlow = true;
  let sent = 0;
  for (; !publisher.isPaused && sent < 100; sent++) {
    publisher.publish("t", `${sent}`.padEnd(1000), { qos: 1 });
    await broker.settle();
  }
  assert.ok(sent >= 8 && sent <= 10, `${sent} sent`);
  const pubacks = () => publisher.packetTypes.filter((type) => type === PacketType.puback).length;
  assert.equal(pubacks(), 0);
  other.publish("elsewhere", "x", { qos: 1 });
  await broker.settle();
  assert.equal(other.packetTypes.at(-1), PacketType.puback);
  broker.clock.advanceSeconds(60);
  assert.equal(publisher.isEnded, false);
  while (publisher.isPaused) {
    storage.release();
    await broker.settle();
  }
  storage.isSlow = false;
  storage.release();
  await broker.settle();
  assert.equal(pubacks(), sent);
  await broker.expectHits("unsyncedBytesMax", 1);
});

test("unsyncedBytesMax: places in queues count, however small the message", async () => {
  const storage = new SlowStorage();
  const broker = new LimitedBroker({ unsyncedBytesMax: 100_000 }, { storage });
  for (let count = 0; count < 100; count++) await leaveBehind(broker, `away-${count}`);
  const publisher = await broker.connect("publisher");
  storage.isSlow = true;
  let sent = 0;
  for (; !publisher.isPaused && sent < 100; sent++) {
    publisher.publish("t", "", { qos: 1 });
    await broker.settle();
  }
  assert.ok(sent <= 6, `${sent} messages of nothing for 100 queues`);
});

test("inFlightMessagesMax: no more are under way to one client, the others wait", async () => {
  const broker = new LimitedBroker({ inFlightMessagesMax: 3 });
  const client = await broker.subscriber("client", "t", 1);
  for (let count = 0; count < 10; count++) broker.publish("t", `${count}`, 1);
  await broker.settle();
  assert.equal(client.payloads.length, 3);
  assert.equal(await broker.figure("messages/inflight"), "3");
  client.acknowledge(...client.publishes.map(({ packetIdentifier = 0 }) => packetIdentifier));
  await broker.settle();
  assert.equal(client.payloads.length, 6);
  assert.deepEqual(broker.warnings, []);
});

test("outboxBytesMax: QoS 0 to a slow reader is dropped and counted, and is told when it leaves", async () => {
  const broker = new LimitedBroker({ outboxBytesMax: 5000 });
  const slow = await broker.subscriber("slow", "t");
  const quick = await broker.subscriber("quick", "t");
  slow.isBusy = true;
  for (let count = 0; count < 20; count++) {
    broker.publish("t", `${count}`.padEnd(1000));
    await broker.settle();
  }
  const dropped = Number(await broker.figure("publish/messages/dropped/slowReader"));
  slow.drain();
  await broker.settle();
  assert.equal(quick.payloads.length, 20);
  assert.equal(slow.payloads.length, 20 - dropped);
  assert.ok(dropped > 10, `${dropped}`);
  await broker.expectDropped("slowReader", dropped, "slow");
  slow.lose();
  assert.deepEqual(broker.notes.at(-1)?.dropped, { slowReader: dropped });
});
