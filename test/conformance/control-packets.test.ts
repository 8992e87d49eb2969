/** 5.0 sections 2.1 and 2.2.1, 3.1.1 sections 2.2 and 2.3: the first byte of every packet, and packet identifiers. */
import { ProtocolVersion } from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectBytes,
  everyVersion,
  expectConnectRefused,
  expectEnds,
  field,
  onlyV3,
  onlyV5,
  packetBytes,
} from "./harness/index.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const strictVersions = [v3_1_1, v5];
const malformedPacket = 0x81;
const protocolError = 0x82;

/** A body that is right for its type, and flags that are not. */
const reservedFlags: Record<string, (isV5: boolean) => Buffer> = {
  "PUBACK with flags": () => packetBytes("41", "0001"),
  "PUBREC with flags": () => packetBytes("52", "0001"),
  "PUBREL without its flag": () => packetBytes("60", "0001"),
  "PUBREL with other flags": () => packetBytes("66", "0001"),
  "PUBCOMP with flags": () => packetBytes("78", "0001"),
  "SUBSCRIBE without its flag": (isV5) => packetBytes("80", subscribeBody(isV5)),
  "SUBSCRIBE with other flags": (isV5) => packetBytes("8a", subscribeBody(isV5)),
  "UNSUBSCRIBE without its flag": (isV5) =>
    packetBytes("a0", `0001${isV5 ? "00" : ""}${field("t")}`),
  "UNSUBSCRIBE with other flags": (isV5) =>
    packetBytes("a3", `0001${isV5 ? "00" : ""}${field("t")}`),
  "PINGREQ with flags": () => packetBytes("c1", ""),
  "DISCONNECT with flags": () => packetBytes("e1", ""),
};

function subscribeBody(isV5: boolean): string {
  return `0001${isV5 ? "00" : ""}${field("t")}00`;
}

for (const [what, bytesFor] of Object.entries(reservedFlags)) {
  conformanceTest(
    `5.0 [MQTT-2.1.3-1], 3.1.1 [MQTT-2.2.2-1] [MQTT-2.2.2-2] ${what} ends the connection`,
    { versions: strictVersions },
    (world) => expectEnds(world, bytesFor(world.version === v5), malformedPacket),
  );
}

conformanceTest(
  "5.0 [MQTT-2.1.3-1] [MQTT-3.1.4-1], 3.1.1 [MQTT-2.2.2-2] CONNECT with flags in its first byte is refused",
  { versions: strictVersions },
  (world) =>
    expectConnectRefused(world, connectBytes(world.version, { firstByte: "11" }), malformedPacket),
);

conformanceTest("5.0 [MQTT-3.15.1-1] AUTH with flags is malformed", { versions: onlyV5 }, (world) =>
  expectEnds(world, "f1 00", malformedPacket),
);

conformanceTest(
  "5.0 and 3.1.1: a packet of type 0 ends the connection",
  { versions: everyVersion },
  (world) => expectEnds(world, "00 00", malformedPacket),
);

conformanceTest(
  "3.1.1: a packet of type 15, which is reserved there, ends the connection",
  { versions: onlyV3 },
  (world) => expectEnds(world, "f0 00", malformedPacket),
);

conformanceTest(
  "5.0 [MQTT-4.13.1-1], 3.1.1 [MQTT-4.8.0-1] QoS 3 ends the connection",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    const body = `${field("t")}0001${properties}61`;
    await expectEnds(world, packetBytes("36", body), malformedPacket);
    await expectEnds(world, packetBytes("3e", body), malformedPacket);
  },
);

const serverPackets = {
  CONNACK: (isV5: boolean) => packetBytes("20", isV5 ? "000000" : "0000"),
  SUBACK: (isV5: boolean) => packetBytes("90", isV5 ? "00010000" : "000100"),
  UNSUBACK: (isV5: boolean) => packetBytes("b0", isV5 ? "00010000" : "0001"),
  PINGRESP: () => packetBytes("d0", ""),
};

for (const [name, bytesFor] of Object.entries(serverPackets)) {
  conformanceTest(
    `5.0 [MQTT-4.13.1-1], 3.1.1 [MQTT-4.8.0-1] ${name} from a client ends its connection`,
    { versions: everyVersion },
    (world) => expectEnds(world, bytesFor(world.version === v5), protocolError),
  );
}

/** With the packet identifier 0; the property length is only there in 5.0. */
const identifierOfZero = {
  "PUBLISH at QoS 1": (properties: string) => packetBytes("32", `${field("t")}0000${properties}61`),
  "PUBLISH at QoS 2": (properties: string) => packetBytes("34", `${field("t")}0000${properties}61`),
  SUBSCRIBE: (properties: string) => packetBytes("82", `0000${properties}${field("t")}00`),
  UNSUBSCRIBE: (properties: string) => packetBytes("a2", `0000${properties}${field("t")}`),
  PUBACK: () => packetBytes("40", "0000"),
  PUBREC: () => packetBytes("50", "0000"),
  PUBREL: () => packetBytes("62", "0000"),
  PUBCOMP: () => packetBytes("70", "0000"),
};

for (const [name, bytesFor] of Object.entries(identifierOfZero)) {
  conformanceTest(
    `5.0 [MQTT-2.2.1-3], 3.1.1 [MQTT-2.3.1-1] ${name} with packet identifier 0 ends the connection`,
    { versions: everyVersion },
    (world) => expectEnds(world, bytesFor(world.version === v5 ? "00" : ""), protocolError),
  );
}

conformanceTest(
  "5.0 [MQTT-2.2.1-6] [MQTT-2.2.2-1], 3.1.1 [MQTT-2.3.1-7] SUBACK and UNSUBACK bring the packet identifier back",
  { versions: everyVersion },
  async (world) => {
    const isV5 = world.version === v5;
    const properties = isV5 ? "00" : "";
    const client = await world.connect();
    for (const identifier of ["0001", "00ff", "ffff"]) {
      client.send(packetBytes("82", `${identifier}${properties}${field("t")}00`));
      await client.expectBytes(isV5 ? `90 04 ${identifier} 00 00` : `90 03 ${identifier} 00`);
      client.send(packetBytes("a2", `${identifier}${properties}${field("t")}`));
      await client.expectBytes(isV5 ? `b0 04 ${identifier} 00 00` : `b0 02 ${identifier}`);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-5], 3.1.1 [MQTT-2.3.1-6] PUBACK, PUBREC and PUBCOMP bring the packet identifier back",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    const client = await world.connect();
    await client.subscribe("t", { qos: 0 });
    for (const identifier of ["0001", "ff00", "ffff"]) {
      client.send(packetBytes("32", `${field("t")}${identifier}${properties}`));
      await client.expectBytes(`30 0${3 + properties.length / 2} ${field("t")} ${properties}`);
      await client.expectBytes(`40 02 ${identifier}`);
      client.send(packetBytes("34", `${field("t")}${identifier}${properties}`));
      await client.expectBytes(`30 0${3 + properties.length / 2} ${field("t")} ${properties}`);
      await client.expectBytes(`50 02 ${identifier}`);
      client.send(packetBytes("62", identifier));
      await client.expectBytes(`70 02 ${identifier}`);
    }
  },
);
