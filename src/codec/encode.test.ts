/** What the vectors cannot say: packets within a peer's Maximum Packet Size, and packets that only a bug would send. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodePacket, encodeWithin } from "./encode.ts";
import { type Packet, PacketType, type Properties, ProtocolVersion } from "./packets.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;
const explanation: Properties = { reasonString: "because", userProperties: [["k", "v"]] };
const properties = explanation;
const packetIdentifier = 1;

const shortenable: readonly { clauses: string; packet: Packet; bare: string }[] = [
  {
    clauses: "5.0 [MQTT-3.2.2-19] [MQTT-3.2.2-20] CONNACK",
    packet: { type: PacketType.connack, sessionPresent: false, reasonCode: 0x87, properties },
    bare: "2003008700",
  },
  {
    clauses: "5.0 [MQTT-3.4.2-2] [MQTT-3.4.2-3] PUBACK",
    packet: { type: PacketType.puback, packetIdentifier, reasonCode: 0x87, properties },
    bare: "4003000187",
  },
  {
    clauses: "5.0 [MQTT-3.5.2-2] [MQTT-3.5.2-3] PUBREC",
    packet: { type: PacketType.pubrec, packetIdentifier, reasonCode: 0, properties },
    bare: "50020001",
  },
  {
    clauses: "5.0 [MQTT-3.6.2-2] [MQTT-3.6.2-3] PUBREL",
    packet: { type: PacketType.pubrel, packetIdentifier, reasonCode: 0x92, properties },
    bare: "6203000192",
  },
  {
    clauses: "5.0 [MQTT-3.7.2-2] [MQTT-3.7.2-3] PUBCOMP",
    packet: { type: PacketType.pubcomp, packetIdentifier, reasonCode: 0x92, properties },
    bare: "7003000192",
  },
  {
    clauses: "5.0 [MQTT-3.9.2-1] [MQTT-3.9.2-2] SUBACK",
    packet: { type: PacketType.suback, packetIdentifier, reasonCodes: [1], properties },
    bare: "900400010001",
  },
  {
    clauses: "5.0 [MQTT-3.11.2-1] [MQTT-3.11.2-2] UNSUBACK",
    packet: { type: PacketType.unsuback, packetIdentifier, reasonCodes: [0], properties },
    bare: "b00400010000",
  },
  {
    clauses: "5.0 [MQTT-3.14.2-3] [MQTT-3.14.2-4] DISCONNECT",
    packet: { type: PacketType.disconnect, reasonCode: 0x8e, properties },
    bare: "e0018e",
  },
  {
    clauses: "5.0 [MQTT-3.15.2-2] [MQTT-3.15.2-3] AUTH",
    packet: {
      type: PacketType.auth,
      reasonCode: 0x18,
      properties: { authenticationMethod: "m", ...explanation },
    },
    bare: "f006180415" + "00016d",
  },
];

for (const { clauses, packet, bare } of shortenable) {
  test(`5.0 [MQTT-3.1.2-24] ${clauses} within the client's Maximum Packet Size`, () => {
    const whole = encodePacket(packet, v5);
    assert.deepEqual(encodeWithin(packet, v5, whole.length), whole);
    const withoutReason = encodeWithin(packet, v5, whole.length - 1);
    assert.equal(withoutReason?.length, whole.length - 10); // the property "because"
    assert.ok(withoutReason.includes(Buffer.from("2600016b000176", "hex")));
    const shortest = encodeWithin(packet, v5, withoutReason.length - 1);
    assert.equal(shortest?.toString("hex"), bare);
    assert.equal(encodeWithin(packet, v5, bare.length / 2)?.toString("hex"), bare);
    assert.equal(encodeWithin(packet, v5, bare.length / 2 - 1), null);
  });
}

test("5.0 [MQTT-3.3.2-17] [MQTT-3.1.2-25] a message is never shortened to fit", () => {
  const packet: Packet = {
    type: PacketType.publish,
    topic: "t",
    payload: Buffer.from("x"),
    qos: 0,
    retain: false,
    dup: false,
    properties: { userProperties: [["k", "v"]] },
  };
  const whole = encodePacket(packet, v5);
  assert.deepEqual(encodeWithin(packet, v5, whole.length), whole);
  assert.equal(encodeWithin(packet, v5, whole.length - 1), null);
});

test("the packet given stays as it is", () => {
  const packet = { ...shortenable[0].packet, properties: { ...explanation } } as Packet;
  encodeWithin(packet, v5, 5);
  assert.deepEqual(packet, { ...shortenable[0].packet, properties: explanation });
});

test("3.x has neither reason codes nor properties", () => {
  for (const version of [v3_1, v3_1_1]) {
    for (const [{ packet }, hex] of [
      [shortenable[1], "40020001"],
      [shortenable[3], "62020001"],
      [shortenable[6], "b0020001"],
      [shortenable[7], "e000"],
    ] as const) {
      assert.equal(encodePacket(packet, version).toString("hex"), hex);
    }
    const refused: Packet = {
      ...(shortenable[5].packet as Packet),
      reasonCodes: [2, 0x87],
    } as Packet;
    assert.equal(encodePacket(refused, version).toString("hex"), "900400010280"); // 3.1.1: [MQTT-3.9.3-2]
  }
});

test("session present is not told to 3.1, which does not have it", () => {
  const packet: Packet = {
    type: PacketType.connack,
    sessionPresent: true,
    reasonCode: 0,
    properties: {},
  };
  assert.equal(encodePacket(packet, v3_1).toString("hex"), "20020000");
  assert.equal(encodePacket(packet, v3_1_1).toString("hex"), "20020100");
});

test("5.0 [MQTT-3.2.2-6] a session present for a refused client is a bug", () => {
  const packet: Packet = {
    type: PacketType.connack,
    sessionPresent: true,
    reasonCode: 0x87,
    properties: {},
  };
  assert.throws(() => encodePacket(packet, v5), /bug in tStack/);
});

test("AUTH before 5.0, and AUTH that goes on without a method, are bugs", () => {
  const packet: Packet = { type: PacketType.auth, reasonCode: 0x18, properties: {} };
  assert.throws(() => encodePacket(packet, v5), /bug in tStack/);
  assert.throws(() => encodePacket(packet, v3_1_1), /bug in tStack/);
});
