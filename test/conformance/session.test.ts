/** 5.0 sections 3.1.2.4, 3.1.2.11.2 and 4.1, 3.1.1 sections 3.1.2.4 and 4.1: session state, how long it is kept, what it holds. */
import assert from "node:assert/strict";
import { type ConnectPacket, PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import {
  conformanceTest,
  everyVersion,
  onlyV3,
  onlyV5,
  publishPacket,
  type RawClient,
  type World,
} from "./harness/index.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
const longest = 0xffff_ffff;

/** A client with an identifier of its own, and a session to be kept for `seconds` where it can say so. */
function keptFields(version: ProtocolVersion, seconds = 1000): Partial<ConnectPacket> {
  const properties = version === v5 ? { sessionExpiryInterval: seconds } : {};
  return { clientIdentifier: "kept", cleanStart: false, properties };
}

async function leave(client: RawClient): Promise<void> {
  client.send("e000");
  await client.expectClosed();
}

/** MQTT 3.1 does not say whether a session is there: then its subscription tells. */
async function hasSession(world: World, fields: Partial<ConnectPacket>): Promise<boolean> {
  const client = await world.connect(fields);
  world.broker.publish("session", "x");
  client.send("c000");
  const frame = await client.expectFrame();
  const isThere = frame[0] >> 4 === PacketType.publish;
  if (isThere) await client.expectPacket(PacketType.pingresp);
  if (world.version !== v3_1) assert.equal(client.connack?.sessionPresent, isThere);
  await leave(client);
  return isThere;
}

/** Leaves a session with a subscription behind. */
async function leaveSession(world: World, fields: Partial<ConnectPacket>): Promise<void> {
  const client = await world.connect(fields);
  await client.subscribe("session", { qos: 0 });
  await leave(client);
}

conformanceTest(
  "5.0 [MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.3-2] [MQTT-3.1.4-4], 3.1.1 [MQTT-3.1.2-4] [MQTT-3.1.2-6] [MQTT-3.1.3-2] [MQTT-3.1.4-3] a session is resumed, or discarded by a clean start",
  { versions: everyVersion },
  async (world) => {
    const fields = keptFields(world.version);
    await leaveSession(world, fields);
    assert.equal(await hasSession(world, { ...fields, clientIdentifier: "other" }), false);
    assert.equal(await hasSession(world, fields), true);
    assert.equal(await hasSession(world, { ...fields, cleanStart: true }), false);
    const back = await world.connect(fields);
    world.broker.publish("session", "x");
    await back.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.2-6] a session of a clean start ends with its connection",
  { versions: onlyV3 },
  async (world) => {
    const fields = keptFields(world.version);
    await leaveSession(world, { ...fields, cleanStart: true });
    assert.equal(await hasSession(world, fields), false);
    const broken = await world.connect({ ...fields, cleanStart: true });
    await broken.subscribe("session", { qos: 0 });
    broken.destroy();
    assert.equal(await hasSession(world, fields), false);
  },
);

conformanceTest(
  "5.0 [MQTT-4.1.0-2] an expiry of 0, or none, ends the session with its connection",
  { versions: onlyV5 },
  async (world) => {
    for (const properties of [{}, { sessionExpiryInterval: 0 }]) {
      for (const cleanStart of [true, false]) {
        const fields = { ...keptFields(v5), properties, cleanStart };
        await leaveSession(world, fields);
        assert.equal(await hasSession(world, { ...fields, cleanStart: false }), false);
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-23] [MQTT-4.1.0-1] [MQTT-4.1.0-2] a session is kept for its expiry and not longer, from the end of the connection on",
  { versions: onlyV5 },
  async (world) => {
    const fields = keptFields(v5, 100);
    const client = await world.connect({ ...fields, cleanStart: true });
    await client.subscribe("session", { qos: 0 });
    world.clock.advanceSeconds(1000);
    await client.ping();
    await leave(client);
    world.clock.advance(99_999);
    assert.equal(await hasSession(world, fields), true);
    world.clock.advance(100_000);
    assert.equal(await hasSession(world, fields), false);
  },
);

conformanceTest(
  "5.0 section 3.1.2.11.2: each CONNECT sets the expiry anew",
  { versions: onlyV5 },
  async (world) => {
    await leaveSession(world, keptFields(v5, 100));
    const client = await world.connect(keptFields(v5, 10));
    await leave(client);
    world.clock.advanceSeconds(10);
    assert.equal(await hasSession(world, keptFields(v5, 100)), false);
    await leaveSession(world, keptFields(v5, 100));
    assert.equal(await hasSession(world, { ...keptFields(v5), properties: {} }), true);
    assert.equal(await hasSession(world, keptFields(v5)), false);
  },
);

conformanceTest(
  "5.0 section 3.1.2.11.2: an expiry of 0xFFFFFFFF does not expire, where the limit allows it",
  { versions: onlyV5, broker: { limits: { sessionExpirySecondsMax: longest } } },
  async (world) => {
    await leaveSession(world, keptFields(v5, longest));
    world.clock.advanceSeconds(200 * 366 * 24 * 3600);
    assert.equal(await hasSession(world, keptFields(v5, longest)), true);
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.2-4] [MQTT-4.1.0-1] a kept session outlives its connection by sessionExpirySecondsV3",
  { versions: onlyV3, broker: { limits: { sessionExpirySecondsV3: 500 } } },
  async (world) => {
    const fields = keptFields(world.version);
    await leaveSession(world, fields);
    world.clock.advanceSeconds(499);
    assert.equal(await hasSession(world, fields), true);
    world.clock.advanceSeconds(500);
    assert.equal(await hasSession(world, fields), false);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-23], 3.1.1 [MQTT-3.1.2-5] [MQTT-4.1.0-1] messages of QoS 1 and 2 wait for a session, and are sent with the options of its subscriptions",
  { versions: everyVersion },
  async (world) => {
    const fields = keptFields(world.version);
    const client = await world.connect(fields);
    await client.subscribe("one", { qos: 1 });
    await client.subscribe("two", { qos: 2 });
    await leave(client);
    for (const qos of [1, 2] as const) {
      world.broker.publish("one", `${qos}`, { qos });
      world.broker.publish("two", `${qos}`, { qos });
    }
    const back = await world.connect(fields);
    const came = [];
    for (let count = 0; count < 4; count++) {
      const { topic, payload, qos, dup } = await back.expectPacket(PacketType.publish);
      came.push(`${topic} ${Buffer.from(payload)} at ${qos}${dup ? " dup" : ""}`);
    }
    assert.deepEqual(came, ["one 1 at 1", "two 1 at 1", "one 2 at 1", "two 2 at 2"]);
    await back.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-4], 3.1.1 [MQTT-3.1.2-6] a clean start throws away what waited",
  { versions: everyVersion },
  async (world) => {
    const fields = keptFields(world.version);
    const client = await world.connect(fields);
    await client.subscribe("t", { qos: 1 });
    await leave(client);
    world.broker.publish("t", "x", { qos: 1 });
    const clean = await world.connect({ ...fields, cleanStart: true });
    await clean.ping();
    await leave(clean);
    const back = await world.connect(fields);
    await back.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-4] the expiry of a session that a clean start discarded does not end the new one",
  { versions: onlyV5 },
  async (world) => {
    await leaveSession(world, keptFields(v5, 100));
    await leaveSession(world, { ...keptFields(v5, 500), cleanStart: true });
    world.clock.advanceSeconds(499);
    assert.equal(await hasSession(world, keptFields(v5)), true);
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.1.2-7], 5.0 section 4.1: retained messages belong to no session",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(publishPacket("kept", "x", { retain: true }));
    await leave(client);
    const other = await world.connect();
    await other.subscribe("kept", { qos: 0 });
    assert.equal((await other.expectPacket(PacketType.publish)).retain, true);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-5] section 4.1, 3.1.1 [MQTT-4.1.0-1] section 4.1: the receiver's half of QoS 2 is part of the session",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("t", { qos: 0 });
    const fields = keptFields(world.version);
    const publish = publishPacket("t", "once", { qos: 2, packetIdentifier: 7 });
    const client = await world.connect(fields);
    client.send(publish);
    await client.expectPacket(PacketType.pubrec);
    await watcher.expectPacket(PacketType.publish);
    client.destroy();
    const back = await world.connect(fields);
    back.send({ ...publish, dup: true });
    await back.expectBytes("50 02 0007");
    back.send("62 02 0007");
    await back.expectBytes("70 02 0007");
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-5], 3.1.1 [MQTT-3.1.2-4] a session goes on under another protocol version",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const other = world.version === v5 ? v3_1_1 : v5;
    await leaveSession(world, keptFields(world.version));
    const back = await world.connect({ ...keptFields(other), protocolVersion: other });
    assert.equal(back.connack?.sessionPresent, true);
    world.broker.publish("session", "x", { properties: { contentType: "text" } });
    const { properties } = await back.expectPacket(PacketType.publish);
    assert.equal(properties.contentType, other === v5 ? "text" : undefined);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-5], 3.1.1 [MQTT-3.1.2-4] a session that goes on under another version gets its messages in the form of that version",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const other = world.version === v5 ? v3_1_1 : v5;
    const form = (version: ProtocolVersion) =>
      version === v5 ? "30 05 0001 74 00 78" : "30 04 0001 74 78";
    const client = await world.connect(keptFields(world.version));
    await client.subscribe("t", { qos: 0 });
    world.broker.publish("t", "x");
    await client.expectBytes(form(world.version));
    const back = await world.connect({ ...keptFields(other), protocolVersion: other });
    await client.expectDisconnected(0x8e);
    world.broker.publish("t", "x");
    await back.expectBytes(form(other));
  },
);

/** A month in steps of a day, each with a sign of life. */
async function stayForAMonth(world: World, client: RawClient): Promise<void> {
  for (let day = 0; day < 31; day++) {
    world.clock.advanceSeconds(24 * 3600);
    await client.ping();
  }
}

for (const cleanStart of [true, false]) {
  conformanceTest(
    `5.0 [MQTT-4.1.0-1], 3.1.1 [MQTT-4.1.0-2] nothing of a session is discarded while its connection stands, clean start ${cleanStart}`,
    { versions: everyVersion, broker: { limits: { sessionExpirySecondsV3: 10 } } },
    async (world) => {
      const fields = { ...keptFields(world.version, 10), cleanStart };
      if (cleanStart) fields.properties = {};
      const client = await world.connect(fields);
      await client.subscribe("t");
      const publish = publishPacket("t", "1", { qos: 2, packetIdentifier: 7 });
      client.send(publish);
      const first = await client.expectPacket(PacketType.publish);
      await client.expectBytes("50 02 0007");
      await stayForAMonth(world, client);
      // the receiver's half of QoS 2: the message is known
      client.send({ ...publish, dup: true });
      await client.expectBytes("50 02 0007");
      // the sender's half: identifier and state stand
      assert.equal(first.packetIdentifier, 1);
      client.send("50 02 0001");
      await client.expectBytes("62 02 0001");
      // the subscription
      world.broker.publish("t", "2", { qos: 2 });
      const second = await client.expectPacket(PacketType.publish);
      assert.deepEqual([second.packetIdentifier, second.qos], [2, 2]);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.1.0-2] [MQTT-3.1.2-6] nothing of a session that has expired comes to the next one",
  { versions: onlyV5 },
  async (world) => {
    const fields = keptFields(v5, 100);
    const client = await world.connect(fields);
    await client.subscribe("t");
    const publish = publishPacket("other", "1", { qos: 2, packetIdentifier: 7 });
    client.send(publish);
    await client.expectBytes("50 03 0007 10");
    world.broker.publish("t", "under way", { qos: 2 });
    await client.expectPacket(PacketType.publish);
    await leave(client);
    world.broker.publish("t", "queued", { qos: 1 });
    world.clock.advanceSeconds(100);
    const watcher = await world.connect();
    await watcher.subscribe("other", { qos: 0 });
    const back = await world.connect(fields);
    assert.equal(back.connack?.sessionPresent, false);
    await back.ping();
    back.send(publish);
    await back.expectBytes("50 02 0007");
    await watcher.expectPacket(PacketType.publish);
    world.broker.publish("t", "x", { qos: 2 });
    await back.ping();
    await back.subscribe("t");
    world.broker.publish("t", "x", { qos: 2 });
    assert.equal((await back.expectPacket(PacketType.publish)).packetIdentifier, 1);
  },
);
