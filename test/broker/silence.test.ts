/** Who is silent and who is kept waiting: keep alive and packetSecondsMax count only while the broker reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Packet, PacketType } from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const keepAliveTimeout = 0x8d;
const packetTooSlow = 0x80;

function reasonOf(packet: Packet | undefined): number | undefined {
  return packet?.type === PacketType.disconnect ? packet.reasonCode : undefined;
}

/** A client that is not read any more, because 2,000 bytes wait for it. */
async function pausedClient(broker: TestBroker, keepAliveSeconds: number): Promise<MemoryClient> {
  const client = await broker.connect("slow", { keepAliveSeconds });
  client.subscribe("t");
  await broker.settle();
  client.isBusy = true;
  broker.publish("t", "x".repeat(2000));
  await broker.settle();
  broker.publish("t", "y".repeat(2000));
  await broker.settle();
  client.send({ type: PacketType.pingreq });
  await broker.settle();
  assert.ok(client.isPaused, "it is paused");
  return client;
}

test("5.0 [MQTT-3.1.2-22] a silent client that takes what it is sent is silent all the same", async () => {
  const broker = new TestBroker();
  const client = await broker.connect("silent", { keepAliveSeconds: 10 });
  client.subscribe("t");
  for (let second = 0; second < 15; second++) {
    assert.ok(!client.isEnded, `ended after ${second} s`);
    client.isBusy = true;
    broker.publish("t", "x");
    await broker.settle();
    client.drain();
    await broker.settle();
    broker.clock.advanceSeconds(1);
  }
  assert.equal(reasonOf(client.packets.at(-1)), keepAliveTimeout);
});

test("a client that is not read shows that it lives by taking what it is sent", async () => {
  const broker = new TestBroker({ limits: { outboxBytesMax: 1000 } });
  const client = await pausedClient(broker, 10);
  broker.clock.advanceSeconds(14);
  client.drain();
  client.drain();
  await broker.settle();
  assert.ok(!client.isPaused);
  broker.clock.advanceSeconds(14);
  assert.ok(!client.isEnded, "it is alive since it was drained");
  broker.clock.advanceSeconds(1);
  assert.equal(reasonOf(client.packets.at(-1)), keepAliveTimeout);
});

test("a client that is not read and takes nothing is gone after one and a half times its keep alive", async () => {
  const broker = new TestBroker({ limits: { outboxBytesMax: 1000 } });
  const client = await pausedClient(broker, 10);
  broker.clock.advanceSeconds(15);
  assert.ok(client.isEnded);
});

test("a packet of which a paused client could not send the rest is given its time again", async () => {
  const broker = new TestBroker({ limits: { outboxBytesMax: 1000, packetSecondsMax: 10 } });
  const client = await pausedClient(broker, 0);
  client.sendBytes(Buffer.from([0xc0])); // half a PINGREQ that was on its way
  broker.clock.advanceSeconds(100);
  assert.ok(!client.isEnded, "not while it is paused");
  client.drain();
  client.drain();
  await broker.settle();
  assert.ok(!client.isPaused);
  broker.clock.advance(9999);
  assert.ok(!client.isEnded, "not in its time");
  broker.clock.advance(1);
  assert.equal(reasonOf(client.packets.at(-1)), packetTooSlow);
});

test("a client is not blamed for the time that an Authorizer takes", async () => {
  const { promise, resolve } = Promise.withResolvers<{ allowed: boolean; rule: string }>();
  const broker = new TestBroker({
    authorizer: { generation: 0, authorize: () => promise },
    limits: { packetSecondsMax: 10 },
  });
  const client = await broker.connect("waits", { keepAliveSeconds: 4 });
  client.publish("t", "x", { qos: 1 });
  client.send({ type: PacketType.pingreq });
  client.sendBytes(Buffer.from([0xc0]));
  broker.clock.advanceSeconds(100);
  assert.ok(!client.isEnded, "not while it waits");
  resolve({ allowed: true, rule: "at last" });
  await broker.settle();
  assert.deepEqual(client.packetTypes.slice(1), [PacketType.puback, PacketType.pingresp]);
  broker.clock.advance(5999);
  assert.ok(!client.isEnded, "not in its time");
  broker.clock.advance(1);
  assert.equal(reasonOf(client.packets.at(-1)), keepAliveTimeout);
});
