/** Sizes that count inside a mount point, and what is wrong behind it: in its order, with the code that it has anywhere. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../../src/base/index.ts";
import type { AuthenticationResult } from "../../src/broker/index.ts";
import {
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
  type PublishPacket,
  type QoS,
} from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { bothVersions, MountedBroker, takeMessages } from "./mounted-broker.ts";

const { v5 } = ProtocolVersion;

function publishOf(client: MemoryClient, bytes: number, topic = "a"): PublishPacket {
  const empty = encodePacket(client.publishPacket(topic, ""), client.version).length;
  return client.publishPacket(topic, "x".repeat(bytes - empty));
}

function lastCode(client: MemoryClient): number | undefined {
  const last = client.packets.at(-1);
  return last?.type === PacketType.disconnect ? last.reasonCode : undefined;
}

test("5.0: the largest packet that a client may send is that of packetBytesMax, whatever the mount point adds", async () => {
  const broker = new MountedBroker();
  const limits = { packetBytesMax: 100 };
  const witness = await broker.comeIn("", "witness");
  witness.subscribe("#");
  const client = broker.arrive(`${"long-".repeat(40)}/`, v5, { limits });
  client.connect("c");
  await broker.settle();
  const [connack] = client.packets.splice(0);
  assert.ok(connack.type === PacketType.connack);
  assert.equal(connack.properties.maximumPacketSize, 100);
  client.send(publishOf(client, 100));
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = Array.from({ length: 23 }, () => ({ filter: "a", ...options }));
  client.send({ type: PacketType.subscribe, packetIdentifier: 1, subscriptions, properties: {} });
  await broker.settle();
  assert.equal(witness.publishes.length, 1);
  assert.deepEqual(client.packetTypes, [PacketType.suback]);
  client.send(publishOf(client, 101));
  await broker.settle();
  assert.equal(lastCode(client), ReasonCode.packetTooLarge);
  assert.equal(broker.core.limitHits.counts.packetBytesMax, 1);
  assert.equal(witness.publishes.length, 1);
});

test("5.0 [MQTT-3.1.2-24] [MQTT-3.1.2-25] the client's Maximum Packet Size counts what it gets", async () => {
  const broker = new MountedBroker();
  const properties = { maximumPacketSize: 50, receiveMaximum: 1, topicAliasMaximum: 1 };
  const client = await broker.comeIn("site-1/", "c", { properties });
  client.subscribe("#", 2);
  await broker.settle();
  client.packets.length = 0;
  const publisher = await broker.comeIn("", "publisher");
  const sizes: number[] = [];
  for (const qos of [0, 1, 2] as QoS[]) {
    for (let length = 25; length < 45; length++) {
      publisher.publish("site-1/a/b/c", "x".repeat(length), { qos });
      await broker.settle();
      for (const packet of client.packets.splice(0)) {
        assert.ok(packet.type === PacketType.publish);
        sizes.push(encodePacket(packet, v5).length);
        const { packetIdentifier = 0 } = packet;
        const ended = { packetIdentifier, reasonCode: 0, properties: {} } as const;
        if (qos === 1) client.send({ type: PacketType.puback, ...ended });
        if (qos === 2) client.send({ type: PacketType.pubrec, ...ended });
        await broker.settle();
        if (qos === 2) client.send({ type: PacketType.pubcomp, ...ended });
        client.packets.length = 0;
      }
    }
  }
  assert.equal(Math.max(...sizes), 50);
  // With the alias that it has: 2 + 2 + 1 + 3, and 2 more for the packet identifier.
  assert.equal(sizes.length, 50 - 8 - 24 + 2 * (50 - 10 - 24));
  assert.equal(broker.core.counters.dropped.packetTooLarge, 60 - sizes.length);
});

test("5.0 [MQTT-3.1.2-25] it is used to the last byte, with a response topic, and with an alias or without", async () => {
  const broker = new MountedBroker();
  const publisher = await broker.comeIn("", "publisher");
  for (const topicAliasMaximum of [undefined, 2]) {
    const properties = { maximumPacketSize: 50, topicAliasMaximum };
    if (topicAliasMaximum === undefined) delete properties.topicAliasMaximum;
    const client = await broker.comeIn("site-1/", "c", { properties });
    client.subscribe("#");
    await broker.settle();
    const down = Array.from({ length: 25 }, (_, index) => 45 - index);
    // An alias is longer than the first topic, and never used; for the other one by the first that has room for it.
    for (const [topic, payloads] of [
      ["a", down.toReversed()],
      ["abcd", down],
    ] as const) {
      client.packets.length = 0;
      for (const length of payloads) {
        publisher.publish(`site-1/${topic}`, "x".repeat(length), {
          properties: { responseTopic: "site-1/r" },
        });
      }
      await broker.settle();
      const sizes = client.publishes.map((packet) => encodePacket(packet, v5).length);
      const lengths = client.publishes.map(({ payload }) => payload.length);
      assert.equal(Math.max(...sizes), 50, topic);
      // Two for the header, two for the topic's length, one for that of the properties, four for the response topic.
      assert.equal(Math.max(...lengths), 50 - 9 - topic.length, topic);
      assert.equal(lengths.length, 50 - 9 - topic.length - 20, topic);
    }
    client.lose();
  }
});

test("5.0: of several mistakes in a PUBLISH the same one is told as without a mount point", async () => {
  const broker = new MountedBroker();
  const client = await broker.comeIn("site-1/", "c");
  // A topic of U+0000, and a response topic with a wildcard.
  client.sendBytes(Buffer.of(0x30, 8, 0, 1, 0, 4, 0x08, 0, 1, 0x23));
  await broker.settle();
  assert.equal(lastCode(client), ReasonCode.protocolError);
});

test("5.0 [MQTT-1.5.5-1] a CONNECT whose length has more bytes than needed is refused, with a will too", async () => {
  const broker = new MountedBroker();
  const client = broker.arrive("site-1/");
  const connect = encodePacket(
    {
      type: PacketType.connect,
      protocolVersion: v5,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientIdentifier: "c",
      properties: {},
      will: { topic: "w", payload: Buffer.of(), qos: 0, retain: false, properties: {} },
    },
    v5,
  );
  client.sendBytes(Buffer.concat([Buffer.of(0x10, connect[1] | 0x80, 0), connect.subarray(2)]));
  await broker.settle();
  const [connack] = client.packets;
  assert.ok(connack.type === PacketType.connack);
  assert.equal(connack.reasonCode, ReasonCode.malformedPacket);
  assert.ok(client.isEnded);
});

test("5.0: an answer that a small client can take without its reason loses it", async () => {
  const broker = new MountedBroker();
  const client = await broker.comeIn("site-1/", "c", { properties: { maximumPacketSize: 45 } });
  client.publish("forbidden", "x", { qos: 1 });
  await broker.settle();
  const [puback] = client.packets;
  assert.ok(puback.type === PacketType.puback);
  // 46 bytes with a reason; outside it may have 46 + 20.
  assert.deepEqual([puback.reasonCode, puback.properties], [ReasonCode.notAuthorized, {}]);
});

test("5.0: an answer that is too large for a client in any form ends its connection", async () => {
  const broker = new MountedBroker();
  const client = await broker.comeIn("site-1/", "c", { properties: { maximumPacketSize: 20 } });
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const subscriptions = Array.from({ length: 20 }, () => ({ filter: "a", ...options }));
  client.send({ type: PacketType.subscribe, packetIdentifier: 1, subscriptions, properties: {} });
  await broker.settle();
  assert.ok(client.isEnded);
  assert.ok(client.packets.every(({ type }) => type === PacketType.disconnect));
  assert.deepEqual(broker.errors, []);
});

for (const [name, version] of bothVersions) {
  test(`${name}: names that are too long with the mount point`, async () => {
    const broker = new MountedBroker();
    const long = "x".repeat(65_530);
    const client = await broker.comeIn("site-1/", "c", { protocolVersion: version });
    client.subscribe(long);
    client.subscribe("a");
    await broker.settle();
    const codes = client.packets.map((each) => each.type === PacketType.suback && each.reasonCodes);
    assert.deepEqual(codes, [[version === v5 ? ReasonCode.topicFilterInvalid : 0x80], [0]]);
    client.publish(long, "x", { qos: 1 });
    await broker.settle();
    assert.ok(client.isEnded);
    if (version === v5) assert.equal(lastCode(client), ReasonCode.topicNameInvalid);

    const willed = broker.arrive("site-1/", version);
    const will = { topic: long, payload: Buffer.of(), qos: 0, retain: false, properties: {} };
    willed.connect("willed", { will: { ...will, qos: 0 } });
    await broker.settle();
    assert.ok(willed.isEnded);
    const refused = willed.packets.map(
      (each) => each.type === PacketType.connack && each.reasonCode,
    );
    assert.deepEqual(refused, version === v5 ? [ReasonCode.topicNameInvalid] : []);
    assert.deepEqual(broker.errors, []);
    assert.ok(broker.asked.every((topic) => topic === "site-1/a"));
  });

  test(`${name}: what comes behind a CONNECT that is being decided waits, and ends the connection in its turn`, async () => {
    const decided = Promise.withResolvers<AuthenticationResult>();
    const broker = new MountedBroker({ authenticator: { authenticate: () => decided.promise } });
    const client = broker.arrive("site-1/", version);
    const connect: Packet = {
      type: PacketType.connect,
      protocolVersion: version,
      cleanStart: true,
      keepAliveSeconds: 0,
      clientIdentifier: "c",
      properties: {},
    };
    const subscribe = Buffer.of(0x82, 0x03, 0, 1, 0); // ends within the length of its filter
    const publish = encodePacket(client.publishPacket("a", "x", { qos: 1 }), version);
    client.sendBytes(Buffer.concat([encodePacket(connect, version), publish, subscribe, publish]));
    await broker.settle();
    assert.deepEqual([client.packets, client.isEnded], [[], false]);
    decided.resolve({ allowed: true, userName: undefined, rule: "late" });
    await broker.settle();
    const types = version === v5 ? [PacketType.disconnect] : [];
    assert.deepEqual(client.packetTypes, [PacketType.connack, PacketType.puback, ...types]);
    assert.ok(client.isEnded);
    assert.deepEqual(broker.asked, ["site-1/a"]);
  });
}

test("5.0: a packet that never becomes whole is waited for as long as any", async () => {
  const broker = new MountedBroker();
  const client = await broker.comeIn("site-1/", "c");
  client.sendBytes(Buffer.of(0x30, 100, 0));
  broker.clock.advanceSeconds(broker.core.limits.packetSecondsMax + 1);
  await broker.settle();
  assert.match(JSON.stringify(client.packets), /packetSecondsMax/);
  assert.ok(client.isEnded);
});

test("a session that is taken up at another site brings nothing of the first one along", async () => {
  const broker = new MountedBroker();
  const properties = { sessionExpiryInterval: 100 };
  const stays = { cleanStart: false, properties };
  const first = await broker.comeIn("site-1/", "roaming", stays);
  first.subscribe("#", 1);
  await broker.settle();
  first.lose();
  const publisher = await broker.comeIn("site-1/", "publisher");
  publisher.publish("secret", "x", { qos: 1 });
  await broker.settle();
  const second = broker.arrive("site-2/");
  second.connect("roaming", stays);
  await broker.settle();
  const [connack] = second.packets;
  assert.ok(connack.type === PacketType.connack && connack.sessionPresent);
  publisher.publish("secret", "y", { qos: 1 });
  publisher.publish("secret", "z");
  await broker.settle();
  assert.deepEqual(takeMessages(second), []);
});
