/** 5.0 sections 3.15 and 4.12: AUTH and enhanced authentication before CONNACK, by a method of one challenge. */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  onlyV3,
  onlyV5,
  publishPacket,
} from "./harness/index.ts";
import { anew, auth, broker, connectWith, expectAuth, goOn, method } from "./reverse-method.ts";

const versions = onlyV5;

conformanceTest(
  "5.0 [MQTT-4.12.0-2] [MQTT-4.12.0-3] [MQTT-4.12.0-5] CONNECT, a challenge, its answer, CONNACK",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge", { clientIdentifier: "" }));
    await expectAuth(client, goOn, "challenge");
    client.send(auth(goOn, "egnellahc"));
    const { reasonCode, properties } = await client.expectPacket(PacketType.connack);
    assert.equal(reasonCode, 0);
    assert.equal(properties.authenticationMethod, method);
    assert.equal(Buffer.from(properties.authenticationData ?? "").toString(), "fine");
    assert.match(properties.assignedClientIdentifier ?? "", /./);
    await client.ping();
  },
);

for (const data of ["welcome", "later"]) {
  conformanceTest(
    `5.0 [MQTT-4.12.0-5] a method that is satisfied with CONNECT's data: CONNACK names it (${data})`,
    { versions, broker },
    async (world) => {
      const client = await world.open();
      client.send(connectWith(data), publishPacket("t", "x", { qos: 1, packetIdentifier: 1 }));
      const { properties } = await client.expectPacket(PacketType.connack);
      assert.equal(properties.authenticationMethod, method);
      assert.equal(properties.authenticationData, undefined);
      await client.expectPacket(PacketType.puback);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.12.0-1] a method that the broker does not know is refused with 0x8C",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    const properties = { authenticationMethod: "reverse" };
    client.send(connectPacket(5, { properties }));
    await client.expectRefused(ReasonCode.badAuthenticationMethod);
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-1] a broker without methods refuses all",
  { versions },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("welcome"));
    await client.expectRefused(ReasonCode.badAuthenticationMethod);
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-4] the broker may refuse at any point",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const atOnce = await world.open();
    atOnce.send(connectWith("nonsense"));
    await atOnce.expectRefused(ReasonCode.notAuthorized);
    const without = await world.open();
    without.send(connectWith(undefined));
    await without.expectRefused(ReasonCode.notAuthorized);
    const challenged = await world.open();
    challenged.send(connectWith("challenge"));
    await expectAuth(challenged, goOn, "challenge");
    challenged.send(auth(goOn, "challenge"), "c000");
    await challenged.expectRefused(ReasonCode.notAuthorized);
    await bystander.expectUndisturbed();
  },
);

/** Codes that CONNACK does not have, and the answers of a client that was never refused at all. */
const strangeCodes = ["0x0", "0x4", "0x10", "0x18", "0x8b", "0x8d", "0x8e", "0x8f", "0x93", "0xa0"];

conformanceTest(
  "5.0 [MQTT-3.2.2-8] [MQTT-4.12.0-4] a method may refuse with any code; CONNACK says one that it has",
  { versions, broker },
  async (world) => {
    for (const code of ["0x80", "0x86", "0x87", "0x88", "0x8a", "0x8c", "0x97"]) {
      const client = await world.open();
      client.send(connectWith(`refuse with ${code}`));
      await client.expectRefused(Number(code));
    }
    for (const code of strangeCodes) {
      const client = await world.open();
      client.send(connectWith(`refuse with ${code}`));
      await client.expectRefused(ReasonCode.notAuthorized);
    }
  },
);

conformanceTest(
  "a method that throws lets nobody in and harms nobody",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send(connectWith("throw"), "c000");
    await client.expectRefused(ReasonCode.serverUnavailable);
    const challenged = await world.open();
    challenged.send(connectWith("challenge"));
    await expectAuth(challenged, goOn, "challenge");
    challenged.send(auth(goOn, "throw"));
    await challenged.expectRefused(ReasonCode.serverUnavailable);
    await bystander.expectUndisturbed();
  },
);

const notAllowed = {
  PINGREQ: "c000",
  SUBSCRIBE: "82 07 0001 00 0001 74 00",
  PUBLISH: "30 04 0001 74 00",
  "a second CONNECT": connectWith("challenge"),
  "AUTH with another method": auth(goOn, "egnellahc", "OTHER"),
  "AUTH that begins anew": auth(anew, "egnellahc"),
  "AUTH with reason 0, which is the server's": auth(ReasonCode.success, "egnellahc"),
  "AUTH without a method": "f0 02 18 00",
  "AUTH without anything": "f0 00",
  "AUTH with flags": "f1 0c 18 0a 15 0007 52455645525345",
  "CONNACK, which is the server's": "20 03 00 00 00",
};

for (const [what, packet] of Object.entries(notAllowed)) {
  conformanceTest(
    `5.0 [MQTT-3.1.2-30] [MQTT-3.14.0-1] [MQTT-4.12.0-3] [MQTT-4.12.0-5] [MQTT-3.15.2-1] ${what} before CONNACK ends the connection without a word`,
    { versions, broker },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.open();
      client.send(connectWith("challenge"));
      await expectAuth(client, goOn, "challenge");
      client.send(packet, auth(goOn, "egnellahc"));
      await client.expectClosed();
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  "5.0 section 4.12: DISCONNECT may come before CONNACK, and leaves neither session nor will",
  { versions, broker },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("will", { qos: 0 });
    const will = {
      topic: "will",
      payload: Buffer.from(""),
      qos: 0 as const,
      retain: false,
      properties: {},
    };
    const properties = { sessionExpiryInterval: 100 };
    const client = await world.open();
    client.send(connectWith("challenge", { will, properties }));
    await expectAuth(client, goOn, "challenge");
    client.send("e0 01 04");
    await client.expectClosed();
    await watcher.ping();
    const back = await world.connect({ clientIdentifier: "raw", cleanStart: false });
    assert.equal(back.connack?.sessionPresent, false);
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.0-1] section 4.12: an answer that does not come ends the connection after connectSecondsMax",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge"));
    await expectAuth(client, goOn, "challenge");
    world.clock.advance(9_999);
    await client.expectSilence(10);
    world.clock.advance(1);
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-4.12.0-6] [MQTT-4.12.0-7] without a method in CONNECT neither side sends AUTH",
  { versions, broker },
  async (world) => {
    const bystander = await Bystander.start(world);
    for (const reasonCode of [goOn, anew, ReasonCode.success]) {
      const client = await world.connect();
      assert.equal(client.connack?.properties.authenticationMethod, undefined);
      client.send(auth(reasonCode, "welcome"));
      await client.expectDisconnected(ReasonCode.protocolError);
    }
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "3.1.1 [MQTT-4.8.0-1] 3.x has no AUTH",
  { versions: onlyV3, broker },
  async (world) => {
    const client = await world.connect();
    client.send("f0 0d 19 0b 15 0007 52455645525345 00");
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.15.2-2] [MQTT-3.15.2-3] [MQTT-3.1.2-24] AUTH holds method and data alone; one that the client cannot take ends the connection",
  { versions, broker },
  async (world) => {
    const client = await world.open();
    client.send(connectWith("challenge", { properties: { maximumPacketSize: 26 } }));
    await client.expectBytes("f0 18 18 16  15 0007 52455645525345  16 0009 6368616c6c656e6765");
    const tight = await world.open();
    tight.send(connectWith("challenge", { properties: { maximumPacketSize: 25 } }));
    await tight.expectClosed();
  },
);
