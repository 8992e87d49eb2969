/** What happens at each limit of packets, topics, retained messages and rates, in $SYS and in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../../src/base/index.ts";
import { encodePacket, PacketType } from "../../src/codec/index.ts";
import type { MemoryClient } from "../broker/memory-client.ts";
import { endOf, LimitedBroker } from "./limited-broker.ts";

function pubackCodes(client: MemoryClient): number[] {
  return client.packets.flatMap((packet) =>
    packet.type === PacketType.puback ? [packet.reasonCode] : [],
  );
}

test("packetBytesMax: a larger packet ends its connection", async () => {
  const broker = new LimitedBroker({ packetBytesMax: 100 });
  const client = await broker.connect("client");
  client.publish("t", "x".repeat(90));
  assert.equal(client.isEnded, false);
  client.publish("t", "x".repeat(100));
  assert.equal(endOf(client), ReasonCode.packetTooLarge);
  await broker.expectHits("packetBytesMax", 1);
});

test("receiveMaximum: a client with more QoS 2 under way than it was told is disconnected", async () => {
  const broker = new LimitedBroker({ receiveMaximum: 2 });
  const client = await broker.connect("client");
  for (let count = 0; count < 3; count++) client.publish("t", "x", { qos: 2 });
  await broker.settle();
  assert.equal(endOf(client), ReasonCode.receiveMaximumExceeded);
  await broker.expectHits("receiveMaximum", 1);
});

test("topicAliasMax: a client that sets one beyond it is disconnected", async () => {
  const broker = new LimitedBroker({ topicAliasMax: 2 });
  const client = await broker.connect("client");
  client.publish("t", "x", { properties: { topicAlias: 2 } });
  assert.equal(client.isEnded, false);
  client.publish("t", "x", { properties: { topicAlias: 3 } });
  assert.equal(endOf(client), ReasonCode.topicAliasInvalid);
  await broker.expectHits("topicAliasMax", 1);
});

test("retainedMessagesMax: a new topic is refused, one that is there may change", async () => {
  const broker = new LimitedBroker({ retainedMessagesMax: 1 }, { sysTopicsSeconds: 0 });
  const client = await broker.connect("client");
  for (const topic of ["a", "b", "a"]) client.publish(topic, "x", { qos: 1, retain: true });
  await broker.settle();
  assert.deepEqual(pubackCodes(client), [0x10, ReasonCode.quotaExceeded, 0x10]);
  assert.equal(broker.core.counters.dropped.retainedFull, 1);
  assert.equal(broker.warnings.length, 1);
});

test("retainedBytesMax: the same for bytes", async () => {
  const broker = new LimitedBroker({ retainedBytesMax: 3000 }, { sysTopicsSeconds: 0 });
  const client = await broker.connect("client");
  for (const topic of ["a", "b"]) {
    client.publish(topic, "x".repeat(1000), { qos: 1, retain: true });
    client.publish(topic, "x".repeat(1500), { qos: 1, retain: true });
  }
  await broker.settle();
  const full = ReasonCode.quotaExceeded;
  assert.deepEqual(pubackCodes(client), [0x10, 0x10, full, full]);
  assert.equal(broker.core.counters.dropped.retainedFull, 2);
  assert.equal(broker.warnings.length, 1, "once for each topic");
});

test("routesBytesMax: routes beyond it are forgotten, counted, and messages arrive all the same", async () => {
  const broker = new LimitedBroker({ routesBytesMax: 10_000 });
  const subscriber = await broker.subscriber("subscriber", "#");
  for (let count = 0; count < 100; count++) broker.publish(`topic/${count % 50}`, "x");
  await broker.settle();
  assert.equal(subscriber.payloads.length, 100);
  const forgotten = Number(await broker.figure("limits/routesBytesMax"));
  assert.ok(forgotten > 50, `${forgotten}`);
  assert.deepEqual(broker.warnings, []);
});

/** Sends `count` messages of QoS 1 in chunks of 10 like a socket: nothing while it is paused. */
async function sendSlowly(broker: LimitedBroker, client: MemoryClient, count: number) {
  const pauses: number[] = [];
  for (let sent = 0; sent < count; sent += 10) {
    const began = broker.clock.now();
    while (client.isPaused) {
      broker.clock.advance(1);
      assert.ok(broker.clock.now() - began < 100_000, "paused for ever");
    }
    if (broker.clock.now() > began) pauses.push(broker.clock.now() - began);
    const packets = Array.from({ length: 10 }, (_, index) =>
      client.publishPacket("t", `${sent + index}`.padEnd(92), { qos: 1 }),
    );
    client.sendBytes(Buffer.concat(packets.map((packet) => encodePacket(packet, 5))));
    await broker.settle();
  }
  return pauses;
}

test("messagesPerSecondMax: a client beyond it is read more slowly, loses nothing and stays connected", async () => {
  const broker = new LimitedBroker({ messagesPerSecondMax: 50 });
  const subscriber = await broker.subscriber("subscriber", "t");
  const client = await broker.connect("fast", { keepAliveSeconds: 1 });
  const other = await broker.connect("other");
  const began = broker.clock.now();
  const pauses = await sendSlowly(broker, client, 1000);
  const seconds = (broker.clock.now() - began) / 1000;
  assert.ok(seconds > 17 && seconds < 20, `${seconds} s`); // two seconds' worth go first
  assert.ok(pauses.length > 50, `${pauses.length} pauses`);
  assert.equal(subscriber.payloads.length, 1000);
  assert.equal(client.isEnded, false);
  assert.equal(other.isPaused, false);
  const paused = pauses.length + Number(client.isPaused);
  assert.equal(await broker.figure("limits/messagesPerSecondMax"), `${paused}`);
  const told = broker.warnings.filter(({ limit }) => limit === "messagesPerSecondMax");
  assert.deepEqual(told[0]?.client, "fast");
  assert.equal(told.length, 1);
});

test("bytesPerSecondMax: who leaves while it is held back is not touched again", async () => {
  const broker = new LimitedBroker({ bytesPerSecondMax: 1000 }, { sysTopicsSeconds: 0 });
  const client = await broker.connect("fast");
  client.publish("t", "x".repeat(50_000));
  await broker.settle();
  assert.equal(client.isPaused, true);
  client.lose();
  broker.clock.advanceSeconds(100);
  assert.equal(client.isPaused, true);
});

test("bytesPerSecondMax: the same for bytes, and a large chunk is paid off before the next, past the keep alive", async () => {
  const broker = new LimitedBroker({ bytesPerSecondMax: 1000 });
  const subscriber = await broker.subscriber("subscriber", "t");
  const client = await broker.connect("fast", { keepAliveSeconds: 5 });
  client.publish("t", "x".repeat(50_000));
  await broker.settle();
  assert.equal(client.isPaused, true);
  broker.clock.advanceSeconds(48);
  assert.equal(client.isPaused, true);
  assert.equal(client.isEnded, false);
  broker.clock.advanceSeconds(2);
  assert.equal(client.isPaused, false);
  const pauses = await sendSlowly(broker, client, 100);
  assert.ok(pauses.length >= 9, `${pauses.length}`);
  assert.equal(subscriber.payloads.length, 101);
  assert.equal(client.isEnded, false);
  assert.ok(Number(await broker.figure("limits/bytesPerSecondMax")) >= 9);
  broker.clock.advanceSeconds(60);
  assert.equal(endOf(client), ReasonCode.keepAliveTimeout, "once it is listened to");
});
