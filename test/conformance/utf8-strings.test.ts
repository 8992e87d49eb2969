/** 5.0 section 1.5.4 and 1.5.7, 3.1.1 section 1.5.3: UTF-8 strings, wherever a client may put them. */
import assert from "node:assert/strict";
import {
  type AcknowledgementPacket,
  encodePacket,
  type Packet,
  PacketType,
  ProtocolVersion,
} from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectPacket,
  everyVersion,
  expectConnectRefused,
  expectEnds,
  fromHexadecimal,
  onlyV5,
  publishPacket,
  subscribePacket,
} from "./harness/index.ts";

const illFormed = [
  { bytes: "80", what: "a continuation without a beginning" },
  { bytes: "c328", what: "a sequence broken off by another character" },
  { bytes: "e282", what: "a sequence broken off by the end" },
  { bytes: "c080", what: "U+0000 in two bytes" },
  { bytes: "e08080", what: "an overlong form" },
  { bytes: "eda080", what: "the first surrogate" },
  { bytes: "edbfbf", what: "the last surrogate" },
  { bytes: "f4908080", what: "a code point beyond U+10FFFF" },
  { bytes: "ff", what: "a byte that UTF-8 does not use" },
];

type PacketWith = (text: string, version: ProtocolVersion) => Packet;

const will = { topic: "will", payload: Buffer.from(""), qos: 0 as const, retain: false };

const connects: Record<string, PacketWith> = {
  "the client identifier (5.0 [MQTT-3.1.3-4], 3.1.1 [MQTT-3.1.3-4])": (text, version) =>
    connectPacket(version, { clientIdentifier: text }),
  "the will topic (5.0 [MQTT-3.1.3-11], 3.1.1 [MQTT-3.1.3-10])": (text, version) =>
    connectPacket(version, { will: { ...will, topic: text, properties: {} } }),
  "the user name (5.0 [MQTT-3.1.3-12], 3.1.1 [MQTT-3.1.3-11])": (text, version) =>
    connectPacket(version, { userName: text }),
};

const v5Connects: Record<string, PacketWith> = {
  "the name of a user property (5.0 [MQTT-1.5.7-1])": (text, version) =>
    connectPacket(version, { properties: { userProperties: [[text, "v"]] } }),
  "the value of a user property (5.0 [MQTT-1.5.7-1])": (text, version) =>
    connectPacket(version, { properties: { userProperties: [["n", text]] } }),
  "the authentication method": (text, version) =>
    connectPacket(version, { properties: { authenticationMethod: text } }),
  "the content type of a will": (text, version) =>
    connectPacket(version, { will: { ...will, properties: { contentType: text } } }),
  "the response topic of a will": (text, version) =>
    connectPacket(version, { will: { ...will, properties: { responseTopic: text } } }),
  "the name of a user property of a will (5.0 [MQTT-1.5.7-1])": (text, version) =>
    connectPacket(version, { will: { ...will, properties: { userProperties: [[text, "v"]] } } }),
};

const others: Record<string, PacketWith> = {
  "the topic of PUBLISH": (text) => publishPacket(text, "x"),
  "the filter of SUBSCRIBE": (text) => subscribePacket(text),
  "the filter of UNSUBSCRIBE": (text) => ({
    type: PacketType.unsubscribe,
    packetIdentifier: 1,
    filters: [text],
    properties: {},
  }),
};

function acknowledgementWith(type: AcknowledgementPacket["type"]): PacketWith {
  const properties = (reasonString: string) => ({ reasonString });
  return (text) => ({ type, packetIdentifier: 1, reasonCode: 0, properties: properties(text) });
}

const v5Others: Record<string, PacketWith> = {
  "the name of a user property of PUBLISH (5.0 [MQTT-1.5.7-1])": (text) =>
    publishPacket("t", "x", { properties: { userProperties: [[text, "v"]] } }),
  "the value of a user property of PUBLISH (5.0 [MQTT-1.5.7-1])": (text) =>
    publishPacket("t", "x", { properties: { userProperties: [["n", text]] } }),
  "a user property of SUBSCRIBE (5.0 [MQTT-1.5.7-1])": (text) =>
    subscribePacket("t", {}, { properties: { userProperties: [["n", text]] } }),
  "a user property of UNSUBSCRIBE (5.0 [MQTT-1.5.7-1])": (text) => ({
    type: PacketType.unsubscribe,
    packetIdentifier: 1,
    filters: ["t"],
    properties: { userProperties: [[text, "v"]] },
  }),
  "the reason string of PUBACK": acknowledgementWith(PacketType.puback),
  "the reason string of PUBREC": acknowledgementWith(PacketType.pubrec),
  "the reason string of PUBREL": acknowledgementWith(PacketType.pubrel),
  "the reason string of PUBCOMP": acknowledgementWith(PacketType.pubcomp),
  "the response topic of PUBLISH": (text) =>
    publishPacket("t", "x", { properties: { responseTopic: text } }),
  "the content type of PUBLISH": (text) =>
    publishPacket("t", "x", { properties: { contentType: text } }),
  "the reason string of DISCONNECT": (text) => ({
    type: PacketType.disconnect,
    reasonCode: 0x04,
    properties: { reasonString: text },
  }),
};

/** The packet with `bytes` where its text belongs. */
function spoil(packetWith: PacketWith, version: ProtocolVersion, bytes: Buffer): Buffer {
  const placeholder = "@".repeat(bytes.length);
  const packet = encodePacket(packetWith(placeholder, version), version);
  const at = packet.lastIndexOf(placeholder);
  assert.ok(at > 0);
  packet.set(bytes, at);
  return packet;
}

const clauses = "5.0 [MQTT-1.5.4-1], 3.1.1 [MQTT-1.5.3-1]";

for (const [place, packetWith] of Object.entries(connects)) {
  conformanceTest(
    `${clauses} ${place} is well-formed`,
    { versions: everyVersion },
    async (world) => {
      for (const { bytes } of illFormed) {
        const spoilt = spoil(packetWith, world.version, fromHexadecimal(bytes));
        await expectConnectRefused(world, spoilt, 0x81);
      }
    },
  );
}

for (const [place, packetWith] of Object.entries(v5Connects)) {
  conformanceTest(
    `5.0 [MQTT-1.5.4-1] ${place} is well-formed`,
    { versions: onlyV5 },
    async (world) => {
      for (const { bytes } of illFormed) {
        const spoilt = spoil(packetWith, world.version, fromHexadecimal(bytes));
        await expectConnectRefused(world, spoilt, 0x81);
      }
    },
  );
}

for (const { bytes, what } of illFormed) {
  for (const [place, packetWith] of Object.entries(others)) {
    conformanceTest(
      `${clauses} ${place} holds ${what}: the connection ends`,
      { versions: everyVersion },
      async (world) => {
        await expectEnds(world, spoil(packetWith, world.version, fromHexadecimal(bytes)), 0x81);
      },
    );
  }
}

for (const [place, packetWith] of Object.entries(v5Others)) {
  conformanceTest(
    `5.0 [MQTT-1.5.4-1] ${place} is well-formed`,
    { versions: onlyV5 },
    async (world) => {
      for (const { bytes } of illFormed) {
        const client = await world.connect();
        client.send(spoil(packetWith, world.version, fromHexadecimal(bytes)));
        await client.expectDisconnected(0x81);
      }
    },
  );
}

/** Alone, between ASCII, and behind what takes more than one byte. */
const zeros = ["00", "610062", "c3a400", "e282ac610062"];

conformanceTest(
  "5.0 [MQTT-1.5.4-2], 3.1.1 [MQTT-1.5.3-2] U+0000 stands in no string",
  { versions: everyVersion },
  async (world) => {
    const isV5 = world.version === ProtocolVersion.v5;
    for (const zero of zeros.map(fromHexadecimal)) {
      for (const packetWith of Object.values({ ...connects, ...(isV5 ? v5Connects : {}) })) {
        await expectConnectRefused(world, spoil(packetWith, world.version, zero), 0x81);
      }
      for (const packetWith of Object.values({ ...others, ...(isV5 ? v5Others : {}) })) {
        const client = await world.connect();
        client.send(spoil(packetWith, world.version, zero));
        await client.expectDisconnected(0x81);
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.4-3], 3.1.1 [MQTT-1.5.3-3] EF BB BF is a character like others",
  { versions: everyVersion },
  async (world) => {
    const plain = await world.connect({ clientIdentifier: "bom" });
    const marked = await world.connect({ clientIdentifier: "\u{feff}bom" });
    await plain.ping(); // another identifier: nobody was taken over
    await plain.subscribe("topic");
    await marked.subscribe("\u{feff}topic");
    marked.send(publishPacket("\u{feff}topic", "x"));
    const message = await marked.expectPacket(PacketType.publish);
    assert.equal(message.topic, "\u{feff}topic");
    await plain.ping();
  },
);

conformanceTest(
  "5.0 section 1.5.4, 3.1.1 section 1.5.3: what may stand in a string goes through untouched",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ clientIdentifier: "\u{1f600}" });
    const topic = "\u{1}/\u{7f}/\u{fffe}/\u{ffff}/\u{10ffff}/\u{d7ff}/\u{e000}/ä€";
    await client.subscribe("#");
    client.send(publishPacket(topic, "x"));
    assert.equal((await client.expectPacket(PacketType.publish)).topic, topic);
  },
);
