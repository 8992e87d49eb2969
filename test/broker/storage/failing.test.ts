/** A storage that cannot write: who can be told is told, who cannot waits, what need not be kept goes on, nothing is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  PacketType,
  ProtocolVersion,
  type PubackPacket,
  type UnsubscribePacket,
} from "../../../src/codec/index.ts";
import type { MemoryClient } from "../memory-client.ts";
import { answers, codes, connack, kept, ping, StoredBroker, say } from "./stored-broker.ts";
import { storageFull, TestStorage } from "./test-storage.ts";

const { v3_1, v3_1_1 } = ProtocolVersion;

/** `sub` is away, `reader` keeps nothing, and the last thing that was written failed. */
async function fail(broker: StoredBroker): Promise<MemoryClient> {
  await broker.absentee("sub", "t", 2);
  const reader = await broker.subscriber("reader", "#", 2);
  broker.storage.failure = storageFull();
  broker.publish("r", "the disk is found full by this one", 1, true);
  await broker.rest();
  assert.equal(broker.core.journal.failure, "the test's disk is full");
  reader.packets.length = 0;
  return reader;
}

async function recover(broker: StoredBroker): Promise<void> {
  broker.storage.failure = undefined;
  broker.clock.advance(1000);
  await broker.rest();
  assert.equal(broker.core.journal.failure, undefined);
}

function unsubscribe(client: MemoryClient, filter: string): void {
  const packet: Omit<UnsubscribePacket, "filters"> = {
    type: PacketType.unsubscribe,
    packetIdentifier: 99,
    properties: {},
  };
  client.send({ ...packet, filters: [filter] });
}

test("5.0 [MQTT-4.13.2-1] what must be kept is refused with 0x97 and a reason, what need not be goes on", async () => {
  const broker = new StoredBroker();
  const reader = await fail(broker);
  const publisher = await broker.connect("pub");
  publisher.publish("t", "refused", { qos: 1 });
  publisher.publish("t", "refused", { qos: 2 });
  publisher.publish("x", "refused", { qos: 1, retain: true });
  publisher.publish("x", "goes", { qos: 1 });
  publisher.publish("x", "goes", { qos: 2 });
  publisher.publish("t", "goes", { qos: 0 });
  publisher.publish("x", "goes", { qos: 0, retain: true });
  await broker.settle();
  assert.deepEqual(codes(publisher), [0x97, 0x97, 0x97, 0, 0]);
  const [refusal] = publisher.packets.filter(({ type }) => type === PacketType.puback);
  const { reasonString = "" } = (refusal as PubackPacket).properties;
  assert.match(reasonString, /cannot be kept: the test's disk is full/);
  await broker.rest();
  assert.deepEqual(reader.payloads, ["goes", "goes", "goes", "goes"]);
  assert.equal(broker.core.counters.dropped.storageFailed, 3);
  say(publisher, "pubrel", 2);
  await broker.settle();
  assert.equal(answers(publisher).at(-1), "pubcomp 2");
  await recover(broker);
  publisher.publish("t", "kept", { qos: 2, packetIdentifier: 2 });
  await broker.rest();
  const sub = await broker.keeper("sub");
  await broker.rest();
  assert.deepEqual(sub.payloads, ["kept"]);
});

test("5.0 [MQTT-4.3.3-9] a kept session's QoS 2 is refused too, and frees its identifier", async () => {
  const broker = new StoredBroker();
  await fail(broker);
  const publisher = broker.open();
  publisher.connect("pub", kept());
  await broker.settle();
  assert.equal(connack(publisher).reasonCode, 0);
  publisher.publish("nobody", "x", { qos: 2 });
  publisher.publish("nobody", "x", { qos: 1 });
  await broker.settle();
  assert.deepEqual(codes(publisher), [0x97, 0]);
  assert.equal(broker.session("pub").receivedIdentifiers, undefined);
});

test("sessions that would be kept are turned away when no more can wait for the disk, others are not", async () => {
  const limits = { unsyncedBytesMax: 3000 };
  const broker = new StoredBroker(new TestStorage(), { limits });
  await fail(broker);
  let refused = 0;
  for (let number = 0; number < 30; number++) {
    const client = broker.open();
    client.connect(`kept-${number}`, kept());
    await broker.settle();
    if (connack(client).reasonCode === 0x88) refused++;
    client.lose();
  }
  assert.ok(refused >= 10 && refused < 30, `${refused} were refused`);
  assert.ok(broker.core.journal.unsyncedBytes < 6000);
  await broker.connect("other");
  await recover(broker);
  await broker.keeper("kept");
});

test("3.1.1 [MQTT-4.3.2-2] [MQTT-4.3.3-2] 3.x cannot be told no: it waits, and is acknowledged when all is written", async () => {
  for (const protocolVersion of [v3_1, v3_1_1]) {
    const broker = new StoredBroker();
    const reader = await fail(broker);
    const publisher = await broker.connect("pub", { protocolVersion });
    publisher.publish("t", "one", { qos: 1 });
    publisher.publish("t", "two", { qos: 2 });
    publisher.publish("x", "three", { qos: 1 });
    publisher.publish("x", "four", { qos: 0 });
    ping(publisher);
    for (let second = 0; second < 5; second++) {
      broker.clock.advance(1000);
      await broker.rest();
    }
    assert.deepEqual(answers(publisher), []);
    assert.equal(publisher.packets.at(-1)?.type, PacketType.pingresp);
    assert.deepEqual(reader.payloads, ["one", "two", "three", "four"]);
    await recover(broker);
    assert.deepEqual(answers(publisher), ["puback 1", "pubrec 2", "puback 3"]);
    const after = await broker.restart();
    const sub = await after.keeper("sub");
    await after.rest();
    assert.deepEqual(sub.payloads, ["one", "two"], "nothing lost, nothing doubled");
  }
});

test("5.0 [MQTT-3.9.3-1] 3.1.1 [MQTT-3.9.3-2] SUBSCRIBE of a kept session is refused at once, that of another is granted", async () => {
  for (const { version, code } of [
    { version: ProtocolVersion.v5, code: 0x97 },
    { version: v3_1_1, code: 0x80 },
  ]) {
    const broker = new StoredBroker();
    const keeper = await broker.keepingSubscriber("keeper", "before", { protocolVersion: version });
    await fail(broker);
    keeper.subscribe("new", 1);
    keeper.subscribe("before", 0);
    const passing = await broker.connect("passing", { protocolVersion: version });
    passing.subscribe("new", 1);
    await broker.settle();
    assert.deepEqual(codes(keeper), [code, code]);
    assert.deepEqual(codes(passing), [1]);
    await recover(broker);
    assert.equal(
      broker.session("keeper").subscriptions.get("before")?.qos,
      1,
      "it stays as it was",
    );
    keeper.subscribe("new", 2);
    await broker.rest();
    assert.equal(codes(keeper).at(-1), 2);
  }
});

test("5.0 [MQTT-3.11.3-2] UNSUBSCRIBE of a kept session fails at once and the subscription stays; 3.x waits", async () => {
  const broker = new StoredBroker();
  const v5 = await broker.keepingSubscriber("v5", "t");
  const v3 = await broker.keepingSubscriber("v3", "t", { protocolVersion: v3_1_1 });
  await fail(broker);
  unsubscribe(v5, "t");
  unsubscribe(v3, "t");
  await broker.settle();
  assert.deepEqual(codes(v5), [0x80]);
  assert.ok(broker.session("v5").subscriptions.has("t"));
  assert.deepEqual(answers(v3), []);
  await recover(broker);
  assert.deepEqual(answers(v3), ["unsuback 99"]);
  assert.deepEqual(broker.stored("v3").subscriptions, []);
  assert.equal(broker.stored("v5").subscriptions.length, 1);
});

test("5.0 [MQTT-3.2.2-7] 3.1.1 [MQTT-3.2.2-5] a clean start where a kept session cannot be ended is turned away", async () => {
  for (const { protocolVersion, reasonCode } of [
    { protocolVersion: ProtocolVersion.v5, reasonCode: 0x88 },
    { protocolVersion: v3_1_1, reasonCode: 3 },
  ]) {
    const broker = new StoredBroker();
    await fail(broker);
    const client = broker.open(protocolVersion);
    client.connect("sub");
    await broker.settle();
    assert.equal(connack(client).reasonCode, reasonCode);
    assert.ok(client.isEnded);
    const resumed = await broker.keeper("sub");
    assert.equal(connack(resumed).sessionPresent, true, "it is still there");
    await broker.connect("somebody new");
    await recover(broker);
    const clean = await broker.connect("sub");
    assert.equal(connack(clean).reasonCode, 0);
  }
});

test("the log tells the start and the end of it, $SYS tells it while it lasts", async () => {
  const broker = new StoredBroker(new TestStorage(), { sysTopicsSeconds: 1 });
  const states: string[] = [];
  broker.core.subscribe("$SYS/broker/storage/state", ({ payload }) =>
    states.push(Buffer.from(payload).toString()),
  );
  broker.clock.advance(1000);
  await broker.rest();
  await fail(broker);
  for (let second = 0; second < 30; second++) {
    broker.clock.advance(1000);
    await broker.settle();
  }
  const told = broker.linesWith("error", "");
  assert.equal(told.length, 1);
  assert.match(told[0].message, /cannot be written: the test's disk is full/);
  assert.deepEqual(told[0].fields, { location: "a test" });
  assert.ok(broker.storage.batches.length >= 30, "tried again each second");
  await recover(broker);
  broker.clock.advance(2000);
  await broker.rest();
  const over = broker.linesWith("warn", "can be written again");
  assert.equal(over.length, 1);
  assert.deepEqual(over[0].fields, { seconds: 31 });
  assert.deepEqual(states, ["ok", "failing: the test's disk is full", "ok"]);
  assert.equal(broker.linesWith("error", "").length, 1);
});

test("5.0 [MQTT-4.3.3-1] who is connected gets QoS 1 meanwhile, and QoS 2 once, when its identifier is written", async () => {
  const broker = new StoredBroker();
  const sub = await broker.keepingSubscriber("connected", "t", { qos: 2 });
  await fail(broker);
  const publisher = await broker.connect("pub", { protocolVersion: v3_1_1 });
  publisher.publish("t", "one", { qos: 1 });
  publisher.publish("t", "two", { qos: 2 });
  await broker.rest();
  assert.deepEqual(sub.payloads, ["one"]);
  say(sub, "puback", sub.publishes[0].packetIdentifier ?? 0);
  sub.lose();
  await broker.rest();
  const again = await broker.keeper("connected");
  await broker.rest();
  assert.deepEqual(again.payloads, []);
  await recover(broker);
  assert.deepEqual(again.payloads, ["two"]);
  assert.deepEqual(answers(publisher), ["puback 1", "pubrec 2"]);
  const absent = await broker.keeper("sub");
  await broker.rest();
  assert.deepEqual(absent.payloads, ["one", "two"]);
});

test("a failure that the engine reports later, and one that becomes another, end as they should", async () => {
  const broker = new StoredBroker();
  await broker.absentee("sub", "t");
  const publisher = await broker.connect("pub", { protocolVersion: v3_1_1 });
  broker.storage.isHolding = true;
  publisher.publish("t", "a", { qos: 1 });
  await broker.rest();
  broker.storage.failure = storageFull();
  broker.storage.answer();
  await broker.rest();
  broker.clock.advance(1000);
  await broker.rest();
  broker.storage.failure = Object.assign(storageFull(), { message: "the folder has gone" });
  broker.storage.answer();
  await broker.rest();
  assert.equal(broker.linesWith("error", "").length, 2);
  assert.equal(broker.core.journal.failure, "the folder has gone");
  broker.storage.failure = undefined;
  broker.clock.advance(1000);
  await broker.settle();
  broker.storage.answer();
  await broker.rest();
  assert.deepEqual(answers(publisher), ["puback 1"]);
  assert.equal(broker.linesWith("warn", "can be written again").length, 1);
});

test("a broker that ends while nothing can be written ends, and says nothing more", async () => {
  const broker = new StoredBroker();
  await fail(broker);
  const { length } = broker.lines.filter(({ level }) => level === "error");
  const closed = broker.core.close();
  await broker.settle();
  broker.core.destroy();
  for (const client of [...broker.core.sessions.all()]) client.holder?.closed();
  await broker.settle();
  broker.clock.advance(5000);
  assert.equal(broker.lines.filter(({ level }) => level === "error").length, length);
  await Promise.race([closed, broker.settle()]);
});

test("each message of a stream is refused, not the first alone", async () => {
  const broker = new StoredBroker();
  await fail(broker);
  const publisher = await broker.connect("pub");
  const packets = Array.from({ length: 5 }, () => publisher.publishPacket("t", "x", { qos: 1 }));
  publisher.send(...packets);
  await broker.settle();
  assert.deepEqual(codes(publisher), [0x97, 0x97, 0x97, 0x97, 0x97]);
});
