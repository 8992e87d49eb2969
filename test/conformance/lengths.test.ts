/** 5.0 section 1.5.5 and 2.1.4, 3.1.1 section 2.2.3: Remaining Length and other variable byte integers; lengths that lie. */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
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
  publishPacket,
} from "./harness/index.ts";

/** Around each border where a length takes another byte. */
const bodyLengths = [5, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152];

conformanceTest(
  "5.0 [MQTT-1.5.5-1] and 3.1.1 section 2.2.3: lengths at every border are read, and written in the fewest bytes",
  { versions: everyVersion, broker: { limits: { packetBytesMax: 3_000_000 } } },
  async (world) => {
    const client = await world.connect();
    await client.subscribe("t", { qos: 0 });
    const overhead = world.version === ProtocolVersion.v5 ? 4 : 3;
    for (const length of bodyLengths) {
      const payload = Buffer.alloc(length - overhead, length & 0xff);
      client.send(publishPacket("t", payload));
      const frame = await client.expectFrame();
      const lengthBytes = length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4;
      assert.equal(frame.length, 1 + lengthBytes + length);
      assert.ok(frame.subarray(-payload.length).equals(payload));
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.13.1-1], 3.1.1 [MQTT-4.8.0-1] a remaining length of five bytes ends the connection",
  { versions: everyVersion },
  async (world) => {
    await expectEnds(world, "30 80 80 80 80 01", 0x81);
    const client = await world.open();
    client.send("10 ff ff ff ff 7f");
    await client.expectClosed();
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.5-1] a remaining length takes the fewest bytes",
  { versions: onlyV5 },
  async (world) => {
    await expectEnds(world, "c0 80 00", 0x81);
    await expectEnds(world, "30 84 00 0001 74 00", 0x81);
    // behind a packet with the same topic, on the fast path
    await expectEnds(
      world,
      "30 04 0001 74 00   30 84 00 0001 74 00   30 84 80 00 0001 74 00",
      0x81,
    );
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.5-1] the remaining length of CONNECT takes the fewest bytes",
  { versions: onlyV5 },
  async (world) => {
    const bytes = connectBytes(world.version);
    const stretched = Buffer.concat([
      Buffer.from([bytes[0], bytes[1] | 0x80, 0]),
      bytes.subarray(2),
    ]);
    await expectConnectRefused(world, stretched, 0x81);
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.5-1] a property length takes the fewest bytes, in every packet",
  { versions: onlyV5 },
  async (world) => {
    await expectEnds(world, packetBytes("30", `${field("t")}8000`), 0x81);
    await expectEnds(world, packetBytes("82", `00018000${field("t")}00`), 0x81);
    await expectEnds(world, packetBytes("a2", `00018000${field("t")}`), 0x81);
    await expectEnds(world, packetBytes("40", "0001008000"), 0x81);
    await expectEnds(world, packetBytes("e0", "008000"), 0x81);
    await expectConnectRefused(world, connectBytes(world.version, { properties: "8000" }), 0x81);
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.5-1] a subscription identifier takes the fewest bytes",
  { versions: onlyV5 },
  async (world) => {
    await expectEnds(world, packetBytes("82", `0001 04 0b818000 ${field("t")}00`), 0x81);
    await expectEnds(world, packetBytes("82", `0001 06 0bffffffff7f ${field("t")}00`), 0x81);
    const client = await world.connect();
    client.send(packetBytes("82", `0001 05 0bffffff7f ${field("t")}00`));
    await client.expectBytes("90 04 0001 00 00");
    world.broker.publish("t", "x");
    await client.expectBytes(`30 0a ${field("t")} 05 0bffffff7f 78`);
  },
);

conformanceTest(
  "3.1.1 section 2.2.3: a remaining length in more bytes than needed is read",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.connect();
    client.send("c0 80 00  c0 80 80 80 00");
    await client.expectBytes("d000 d000");
  },
);

const lies = {
  "a topic longer than the packet": packetBytes("30", "00ff74"),
  "a topic without its length": packetBytes("30", "00"),
  "an empty PUBLISH": packetBytes("30", ""),
  "QoS 1 without room for a packet identifier": packetBytes("32", `${field("t")}00`),
  "PUBACK with one byte": packetBytes("40", "01"),
  "PUBREC without a body": packetBytes("50", ""),
  "PUBREL with one byte": packetBytes("62", "01"),
  "PUBCOMP without a body": packetBytes("70", ""),
  "SUBSCRIBE with a packet identifier only half there": packetBytes("82", "00"),
  "UNSUBSCRIBE with a packet identifier only half there": packetBytes("a2", "00"),
  "PINGREQ with a body": packetBytes("c0", "00"),
};

for (const [what, bytes] of Object.entries(lies)) {
  conformanceTest(
    `5.0 [MQTT-4.13.1-1], 3.1.1 [MQTT-4.8.0-1] ${what} ends the connection`,
    { versions: everyVersion },
    (world) => expectEnds(world, bytes, 0x81),
  );
}

const v5Lies = {
  "a property length beyond the packet": packetBytes("30", `${field("t")}05`),
  "a property that goes beyond the property length": packetBytes("30", `${field("t")}020200000001`),
  "a string property longer than the packet": packetBytes("30", `${field("t")}0403ffff78`),
  "PUBLISH without a property length": packetBytes("30", field("t")),
  "SUBSCRIBE with a filter longer than the packet": packetBytes("82", "00010000ff7400"),
  "SUBSCRIBE without subscription options": packetBytes("82", `000100${field("t")}`),
  "UNSUBSCRIBE with a filter longer than the packet": packetBytes("a2", "00010000ff74"),
  "DISCONNECT with a property length beyond the packet": packetBytes("e0", "0409"),
  "DISCONNECT with bytes left over": packetBytes("e0", "04000000"),
  "PUBACK with bytes left over": packetBytes("40", "0001000000"),
};

for (const [what, bytes] of Object.entries(v5Lies)) {
  conformanceTest(
    `5.0 [MQTT-4.13.1-1] ${what} ends the connection`,
    { versions: onlyV5 },
    (world) => expectEnds(world, bytes, 0x81),
  );
}

conformanceTest(
  "5.0 [MQTT-3.1.4-1], 3.1.1 [MQTT-3.1.4-1] CONNECT with lengths that lie is refused",
  { versions: everyVersion },
  async (world) => {
    const { version } = world;
    await expectConnectRefused(world, connectBytes(version, { payload: "00ff61" }), 0x81);
    await expectConnectRefused(world, connectBytes(version, { payload: "" }), 0x81);
    await expectConnectRefused(world, connectBytes(version, { payload: "00" }), 0x81);
    await expectConnectRefused(
      world,
      connectBytes(version, { payload: `${field("raw")}00` }),
      0x81,
    );
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.4-1], 3.1.1 [MQTT-3.1.4-1] [MQTT-3.2.2-6] CONNECT that ends before its protocol level gets no answer",
  { versions: everyVersion },
  async (world) => {
    for (const bytes of ["10 00", "10 01 00", "10 02 0004", "10 06 0004 4d515454"]) {
      const client = await world.open();
      client.send(bytes);
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.2-1] 3.1.1 [MQTT-7.1.1-1] packets arrive whole however their bytes are cut",
  { versions: everyVersion },
  async (world) => {
    const client = await world.open();
    for (const byte of connectBytes(world.version)) client.send(Buffer.from([byte]));
    await client.expectPacket(PacketType.connack);
    for (const byte of [0xc0, 0x00, 0xc0, 0x00]) client.send(Buffer.from([byte]));
    await client.expectBytes("d000 d000");
    client.send("c000 c000 c000 c0");
    await client.expectBytes("d000 d000 d000");
    client.send("00");
    await client.expectBytes("d000");
  },
);
