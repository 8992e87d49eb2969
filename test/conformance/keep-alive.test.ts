/** 5.0 sections 3.1.2.10, 3.12 and 3.13, 3.1.1 sections 3.1.2.10 and 3.12: keep alive, PINGREQ and PINGRESP. */
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import {
  Bystander,
  conformanceTest,
  connectPacket,
  everyVersion,
  onlyV5,
  publishPacket,
} from "./harness/index.ts";

const keepAliveTimeout = 0x8d;
const clauses = "5.0 [MQTT-3.1.2-22], 3.1.1 [MQTT-3.1.2-24]";

conformanceTest(
  "5.0 [MQTT-3.12.4-1], 3.1.1 [MQTT-3.12.4-1] every PINGREQ is answered, in its turn",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send("c000");
    await client.expectBytes("d000");
    client.send("c000 c000", { ...publishPacket("t", "x"), qos: 1, packetIdentifier: 5 }, "c000");
    await client.expectBytes("d000 d000");
    await client.expectPacket(PacketType.puback);
    await client.expectBytes("d000");
  },
);

conformanceTest(
  `${clauses} silence for one and a half times the keep alive ends the connection, not a moment less`,
  { versions: everyVersion },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.connect({ keepAliveSeconds: 10 });
    world.clock.advance(14_999);
    await client.ping();
    world.clock.advance(14_999);
    await client.ping();
    world.clock.advance(15_000);
    await client.expectDisconnected(keepAliveTimeout);
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  `${clauses} the longest keep alive holds too`,
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 65_535 });
    world.clock.advance(98_302_499);
    await client.ping();
    world.clock.advance(98_302_500);
    await client.expectDisconnected(keepAliveTimeout);
  },
);

conformanceTest(
  `${clauses} any packet counts as a sign of life`,
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 10 });
    const packets = [
      publishPacket("t", "x"),
      publishPacket("t", "x"),
      { ...publishPacket("t", "x"), qos: 2 as const, packetIdentifier: 5 },
      "62 02 0005",
      "40 02 0009",
    ];
    const answers = ["", "", "", "70 02 0005", ""];
    for (const [at, packet] of packets.entries()) {
      world.clock.advanceSeconds(14);
      client.send(packet);
      if (at === 2) await client.expectPacket(PacketType.pubrec);
      else if (answers[at] !== "") await client.expectBytes(answers[at]);
      else await client.expectSilence(20);
    }
  },
);

conformanceTest(
  `${clauses} what the broker sends is no sign of life`,
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 10 });
    await client.subscribe("t", { qos: 0 });
    world.clock.advanceSeconds(14);
    world.broker.publish("t", "x");
    await client.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(1);
    await client.expectDisconnected(keepAliveTimeout);
  },
);

conformanceTest(
  `${clauses} a part of a packet is no packet`,
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 10 });
    for (const byte of ["30", "7f", "00"]) {
      client.send(byte);
      await client.expectSilence(10);
      world.clock.advanceSeconds(5);
    }
    await client.expectDisconnected(keepAliveTimeout);
  },
);

conformanceTest(
  "5.0 section 3.1.2.10, 3.1.1 section 3.1.2.10: keep alive 0 is no keep alive",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect({ keepAliveSeconds: 0 });
    world.clock.advanceSeconds(10 * 24 * 3600);
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8], 3.1.1 [MQTT-3.1.2-8] a keep alive that runs out brings the will",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("will", { qos: 0 });
    const will = { topic: "will", payload: Buffer.from("x"), qos: 0 as const, retain: false };
    const client = await world.connect({
      keepAliveSeconds: 10,
      will: { ...will, properties: {} },
    });
    world.clock.advanceSeconds(15);
    await watcher.expectPacket(PacketType.publish);
    await client.expectDisconnected(keepAliveTimeout);
  },
);

conformanceTest(
  "one byte a minute: no CONNECT within connectSecondsMax ends the connection",
  { versions: everyVersion },
  async (world) => {
    const bystander = await Bystander.start(world);
    const silent = await world.open();
    const slow = await world.open();
    slow.send("10");
    await bystander.expectUndisturbed();
    world.clock.advance(9_999);
    await silent.expectSilence(10);
    await slow.expectSilence(10);
    world.clock.advance(1);
    await silent.expectClosed();
    await slow.expectClosed();
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "an authenticator that never answers: connectSecondsMax ends the connection",
  {
    versions: everyVersion,
    broker: { authenticator: { authenticate: () => new Promise(() => undefined) } },
  },
  async (world) => {
    const client = await world.open();
    client.send(connectPacket(world.version));
    await client.expectSilence(20);
    world.clock.advanceSeconds(10);
    await client.expectClosed();
  },
);

/** A PUBLISH of 20 bytes and more, byte by byte. */
const slowPacket = Buffer.from("30140001740061616161616161616161616161616161", "hex");

for (const keepAliveSeconds of [0, 65_535]) {
  conformanceTest(
    `one byte a minute: a packet that takes longer than packetSecondsMax ends the connection (keep alive ${keepAliveSeconds})`,
    { versions: everyVersion, broker: { limits: { packetSecondsMax: 300 } } },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.connect({ keepAliveSeconds });
      world.clock.advanceSeconds(123);
      for (const byte of slowPacket.subarray(0, 5)) {
        client.send(Buffer.from([byte]));
        await client.expectSilence(10);
        world.clock.advanceSeconds(59);
      }
      await client.expectSilence(10); // 295 seconds
      world.clock.advanceSeconds(5);
      await client.expectDisconnected(0x80);
      await bystander.expectUndisturbed();
    },
  );

  conformanceTest(
    `a packet that comes slowly and in time is taken, again and again (keep alive ${keepAliveSeconds})`,
    { versions: [ProtocolVersion.v3_1_1], broker: { limits: { packetSecondsMax: 300 } } },
    async (world) => {
      const client = await world.connect({ keepAliveSeconds });
      for (let round = 0; round < 3; round++) {
        client.send("c0");
        await client.expectSilence(10);
        world.clock.advanceSeconds(299);
        client.send("00");
        await client.expectBytes("d000");
      }
    },
  );
}

conformanceTest(
  "5.0 [MQTT-3.1.2-22] the time between CONNECT and CONNACK does not count",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.open();
    world.clock.advanceSeconds(9);
    await client.connect({ keepAliveSeconds: 2 });
    world.clock.advanceSeconds(2);
    await client.ping();
  },
);
