/** 5.0 sections 3.14 and 4.13, 3.1.1 section 3.14: DISCONNECT, from the client and from the broker. */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion, type WillMessage } from "../../src/codec/index.ts";
import type { ConnectionEnding } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  everyVersion,
  expectEnds,
  onlyV3,
  onlyV5,
  publishPacket,
  type World,
} from "./harness/index.ts";

const { v3_1_1, v5 } = ProtocolVersion;

const will: WillMessage = {
  topic: "will",
  payload: Buffer.from("gone"),
  qos: 0,
  retain: false,
  properties: {},
};

async function watchWill(world: World) {
  const watcher = await world.connect({ clientIdentifier: "watcher" });
  await watcher.subscribe("will", { qos: 0 });
  return watcher;
}

conformanceTest(
  "5.0 [MQTT-3.14.4-3] [MQTT-3.1.2-10], 3.1.1 [MQTT-3.14.4-3] [MQTT-3.1.2-10] DISCONNECT takes the will back, and the broker closes",
  { versions: everyVersion },
  async (world) => {
    const watcher = await watchWill(world);
    const forms = world.version === v5 ? ["e0 00", "e0 01 00", "e0 02 00 00"] : ["e0 00"];
    for (const form of forms) {
      const client = await world.connect({ will });
      client.send(form);
      await client.expectClosed();
      await watcher.ping();
    }
  },
);

const otherReasons = [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99];

conformanceTest(
  "5.0 [MQTT-3.14.4-3] [MQTT-3.1.2-8] [MQTT-4.13.2-1] DISCONNECT with any other reason leaves the will standing, and the connection is closed",
  { versions: onlyV5 },
  async (world) => {
    const watcher = await watchWill(world);
    for (const reason of otherReasons) {
      const client = await world.connect({ will });
      client.send(Buffer.from([0xe0, 1, reason]));
      await client.expectClosed();
      await watcher.expectPacket(PacketType.publish);
    }
  },
);

/** 5.0, table 3-10. */
const knownReasons = new Set([
  ...[0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x93],
  ...[0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2],
]);

conformanceTest(
  "5.0 [MQTT-3.14.2-1] a reason code that DISCONNECT does not have is a protocol error",
  { versions: onlyV5 },
  async (world) => {
    await expectEnds(world, "e0 01 01", 0x82);
    for (let reason = 0; reason < 256; reason++) {
      if (knownReasons.has(reason)) continue;
      const client = await world.connect();
      client.send(Buffer.from([0xe0, 1, reason]));
      await client.expectDisconnected(0x82);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.1-1], 3.1.1 [MQTT-3.14.1-1] reserved bits are checked, and the will stands",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const watcher = await watchWill(world);
    for (const first of ["e1", "e2", "e4", "e8"]) {
      const client = await world.connect({ will });
      client.send(`${first} 00`);
      await client.expectDisconnected(0x81);
      await watcher.expectPacket(PacketType.publish);
    }
  },
);

conformanceTest(
  "3.1.1 [MQTT-4.8.0-1] DISCONNECT of 3.x has no body: with one it ends the connection, and takes no will back",
  { versions: onlyV3 },
  async (world) => {
    const watcher = await watchWill(world);
    for (const packet of ["e0 01 00", "e0 02 00 00"]) {
      const client = await world.connect({ will });
      client.send(packet);
      await client.expectClosed();
      await watcher.expectPacket(PacketType.publish);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.4-1], 3.1.1 [MQTT-3.14.4-1] [MQTT-3.14.4-2] what follows a DISCONNECT is not looked at",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#", { qos: 0 });
    const client = await world.connect();
    client.send("e000", publishPacket("t", "x"), connectPacket(world.version), "c000");
    await client.expectClosed();
    await watcher.ping();
    // between messages of one topic, which are handled together
    const other = await world.connect();
    const messages = ["1", "2", "3", "4"].map((payload) => publishPacket("t", payload));
    other.send(messages[0], messages[1], "e000", messages[2], messages[3]);
    await other.expectClosed();
    for (const expected of ["1", "2"]) {
      const { payload } = await watcher.expectPacket(PacketType.publish);
      assert.equal(Buffer.from(payload).toString(), expected);
    }
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 section 3.14.2.2.2: DISCONNECT may shorten, lengthen and end the session's expiry",
  { versions: onlyV5 },
  async (world) => {
    const properties = { sessionExpiryInterval: 100 };
    const fields = { clientIdentifier: "kept", cleanStart: false, properties };
    const steps = [
      { disconnect: "e0 00", seconds: 99, isPresent: true },
      { disconnect: "e0 00", seconds: 100, isPresent: false },
      { disconnect: "e0 07 00 05 11 0000000a", seconds: 9, isPresent: true },
      { disconnect: "e0 07 00 05 11 0000000a", seconds: 10, isPresent: false },
      { disconnect: "e0 07 00 05 11 000003e8", seconds: 999, isPresent: true },
      { disconnect: "e0 07 04 05 11 00000000", seconds: 0, isPresent: false },
    ];
    for (const { disconnect, seconds, isPresent } of steps) {
      const client = await world.connect(fields);
      client.send(disconnect);
      await client.expectClosed();
      world.clock.advanceSeconds(seconds);
      const back = await world.connect(fields);
      assert.equal(back.connack?.sessionPresent, isPresent, `${disconnect}, ${seconds} s later`);
      back.send("e000");
      await back.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 section 3.14.2.2.2: an expiry for a session that asked for none is a protocol error, and the will stands",
  { versions: onlyV5 },
  async (world) => {
    const watcher = await watchWill(world);
    for (const properties of [{}, { sessionExpiryInterval: 0 }]) {
      for (const expiry of ["00000001", "ffffffff"]) {
        const client = await world.connect({ will, properties });
        client.send(`e0 07 00 05 11 ${expiry}`, publishPacket("will", "not handled"));
        await client.expectDisconnected(0x82);
        const message = await watcher.expectPacket(PacketType.publish);
        assert.equal(Buffer.from(message.payload).toString(), "gone");
      }
      const polite = await world.connect({ will, properties });
      polite.send("e0 07 00 05 11 00000000");
      await polite.expectClosed();
      await watcher.ping();
    }
  },
);

conformanceTest(
  "5.0 section 3.14.2.2.2: an expiry in DISCONNECT is cut to sessionExpirySecondsMax",
  { versions: onlyV5, broker: { limits: { sessionExpirySecondsMax: 50 } } },
  async (world) => {
    const fields = { clientIdentifier: "kept", cleanStart: false };
    const client = await world.connect({ ...fields, properties: { sessionExpiryInterval: 10 } });
    client.send("e0 07 00 05 11 ffffffff");
    await client.expectClosed();
    world.clock.advanceSeconds(50);
    assert.equal((await world.connect(fields)).connack?.sessionPresent, false);
  },
);

conformanceTest(
  "5.0 section 3.14.2.2.2: what counts is the expiry that CONNECT asked for, not what was granted",
  { versions: onlyV5, broker: { limits: { sessionExpirySecondsMax: 0 } } },
  async (world) => {
    const client = await world.connect({ properties: { sessionExpiryInterval: 100 } });
    client.send("e0 07 00 05 11 00000032");
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.2-2] [MQTT-3.14.4-2] the broker's DISCONNECT has a reason, no session expiry, and the end behind it",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { sessionExpiryInterval: 100 } });
    client.send("f0 00");
    const packet = await client.expectPacket(PacketType.disconnect);
    assert.equal(packet.reasonCode, 0x82);
    assert.deepEqual(Object.keys(packet.properties), ["reasonString"]);
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.2-3] [MQTT-3.14.2-4] [MQTT-3.1.2-24] the reason string is left away where the client cannot take it",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { maximumPacketSize: 20 } });
    client.send("82 02 0001");
    await client.expectBytes("e0 01 81");
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.4-1] [MQTT-3.14.4-2] behind its DISCONNECT the broker sends nothing",
  { versions: onlyV5 },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.connect();
    await client.subscribe("t", { qos: 0 });
    client.send(publishPacket("t", "1"), "00 00", publishPacket("t", "2"), "c000");
    world.broker.publish("t", "3");
    const first = await client.expectPacket(PacketType.publish);
    assert.ok(["1", "3"].includes(Buffer.from(first.payload).toString()));
    if (Buffer.from(first.payload).toString() === "3")
      await client.expectPacket(PacketType.publish);
    await client.expectDisconnected(0x81);
    world.broker.publish("t", "4");
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "5.0 section 4.13: a broker that shuts down says so (0x8B), and leaves no will",
  { versions: everyVersion },
  async (world) => {
    const wills: string[] = [];
    world.broker.subscribe("will", ({ topic }) => wills.push(topic));
    const clients = [await world.connect({ will }), await world.connect({ will })];
    await world.broker.close({ seconds: 1 });
    for (const client of clients) await client.expectDisconnected(0x8b);
    assert.deepEqual(wills, []);
  },
);

conformanceTest(
  "the embedding program hears who ended a connection, and why",
  { versions: everyVersion },
  async (world) => {
    const endings: ConnectionEnding[] = [];
    world.broker.on("disconnect", ({ ending }) => endings.push(ending));
    const polite = await world.connect();
    polite.send("e000");
    await polite.expectClosed();
    const rude = await world.connect();
    rude.send("00 00");
    await rude.expectDisconnected(0x81);
    const facts = endings.map(({ by, reasonCode }) => ({ by, reasonCode }));
    assert.deepEqual(facts, [
      { by: "client", reasonCode: 0 },
      { by: "broker", reasonCode: 0x81 },
    ]);
  },
);
