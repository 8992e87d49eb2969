/**
 * What no client should send: the connection ends with the right code, costs no more memory than it sent, and nobody
 * else notices. Single broken packets are in the tests of their chapters; here is what goes beyond one packet.
 */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import {
  Bystander,
  conformanceTest,
  connectBytes,
  connectPacket,
  everyVersion,
  expectEnds,
  field,
  onlyV3_1_1,
  onlyV5,
  packetBytes,
  publishPacket,
  type RawClient,
  subscribePacket,
} from "./harness/index.ts";

const { v3_1_1, v5 } = ProtocolVersion;
const packetTooLarge = 0x95;
const hugeLength = "ff ff ff 7f";
const deepTopic = "a/".repeat(10_000).slice(0, -1);

conformanceTest(
  "256 MB announced: beyond packetBytesMax the connection ends at once (5.0: 0x95)",
  { versions: everyVersion },
  async (world) => {
    await expectEnds(world, `30 ${hugeLength}`, packetTooLarge);
    await expectEnds(world, `82 ${hugeLength} 0001`, packetTooLarge);
    const bystander = await Bystander.start(world);
    const stranger = await world.open();
    stranger.send(`10 ${hugeLength} 0004`);
    await stranger.expectClosed();
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.2-15] packetBytesMax is allowed, one byte more is not",
  { versions: everyVersion, broker: { limits: { packetBytesMax: 1000 } } },
  async (world) => {
    const client = await world.connect();
    await client.subscribe("t", { qos: 0 });
    const overhead = world.version === v5 ? 7 : 6;
    client.send(publishPacket("t", Buffer.alloc(1000 - overhead)));
    assert.equal((await client.expectFrame()).length, 1000);
    client.send(publishPacket("t", Buffer.alloc(1001 - overhead)));
    await client.expectDisconnected(packetTooLarge);
  },
);

function megabytesHeld(): number {
  const { arrayBuffers, heapUsed } = process.memoryUsage();
  return (arrayBuffers + heapUsed) / 1_048_576;
}

conformanceTest(
  "256 MB announced and not sent, a hundred times: memory does not grow",
  { versions: onlyV3_1_1, broker: { limits: { packetBytesMax: 268_435_460 } } },
  async (world) => {
    const bystander = await Bystander.start(world);
    const clients: RawClient[] = [];
    for (let count = 0; count < 100; count++) clients.push(await world.connect());
    const before = megabytesHeld();
    for (const client of clients) client.send(`30 ${hugeLength} 0001 74`, Buffer.alloc(1000));
    for (const client of clients) client.send(Buffer.alloc(100));
    await bystander.expectUndisturbed();
    const grown = megabytesHeld() - before;
    assert.ok(grown < 32, `${grown} MB more`);
    assert.ok(clients.every((client) => !client.isClosed));
  },
);

conformanceTest(
  "10,000 topic levels in PUBLISH end the connection with 0x90",
  { versions: everyVersion },
  (world) => expectEnds(world, publishPacket(deepTopic, "x"), 0x90),
);

conformanceTest(
  "10,000 topic levels in SUBSCRIBE are refused, in UNSUBSCRIBE unknown; the connection goes on",
  { versions: everyVersion },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.connect();
    for (const filter of [deepTopic, `${deepTopic}/#`, "+/".repeat(10_000).slice(0, -1)]) {
      client.send(subscribePacket(filter));
      const { reasonCodes } = await client.expectPacket(PacketType.suback);
      assert.deepEqual(reasonCodes, [world.version === v5 ? 0x8f : 0x80]);
    }
    client.send({
      type: PacketType.unsubscribe,
      packetIdentifier: 1,
      filters: [deepTopic],
      properties: {},
    });
    await client.expectPacket(PacketType.unsuback);
    await client.ping();
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "topicLevelsMax is allowed, one more is not",
  { versions: everyVersion, broker: { limits: { topicLevelsMax: 3 } } },
  async (world) => {
    const client = await world.connect();
    await client.subscribe("a/+/c", { qos: 0 });
    client.send(publishPacket("a/b/c", "x"));
    await client.expectPacket(PacketType.publish);
    client.send(publishPacket("a/b/c/d", "x"));
    await client.expectDisconnected(0x90);
  },
);

const strangers = {
  "a request of HTTP": "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: browser\r\n\r\n",
  "another request of HTTP": "POST /mqtt HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
  "the greeting of SSH": "SSH-2.0-OpenSSH_9.9\r\n",
  "a PROXY header": "PROXY TCP4 127.0.0.1 127.0.0.1 50000 1883\r\n",
};

for (const [what, text] of Object.entries(strangers)) {
  conformanceTest(
    `${what} on MQTT's port ends its connection`,
    { versions: onlyV3_1_1 },
    async (world) => {
      const bystander = await Bystander.start(world);
      const client = await world.open();
      client.send(Buffer.from(text));
      // what reads as the beginning of a long packet is waited for, but not for ever
      await bystander.expectUndisturbed();
      world.clock.advanceSeconds(10);
      await client.expectClosed();
      await bystander.expectUndisturbed();
    },
  );
}

conformanceTest(
  "the hello of TLS on a port without TLS ends its connection",
  { versions: onlyV3_1_1 },
  async (world) => {
    const bystander = await Bystander.start(world);
    const client = await world.open();
    client.send("16 03 01 00 05 01 00 00 01 fc", Buffer.alloc(508));
    await client.expectClosed();
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "5.0 [MQTT-4.13.1-1], 3.1.1 [MQTT-4.8.0-1] what came before the broken packet counts, what came behind it does not",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("t", { qos: 0 });
    const client = await world.connect();
    client.send(
      publishPacket("t", "before", { qos: 1, packetIdentifier: 1 }),
      publishPacket("t", "range"),
      publishPacket("t", "range"),
      "00 00",
      publishPacket("t", "behind"),
    );
    await client.expectPacket(PacketType.puback);
    await client.expectDisconnected(0x81);
    for (const payload of ["before", "range", "range"]) {
      const message = await watcher.expectPacket(PacketType.publish);
      assert.equal(`${Buffer.from(message.payload)}`, payload);
    }
    await watcher.ping();
  },
);

conformanceTest(
  "SUBSCRIBE and UNSUBSCRIBE with nothing in them end the connection",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    await expectEnds(world, packetBytes("82", `0001${properties}`), 0x82);
    await expectEnds(world, packetBytes("a2", `0001${properties}`), 0x82);
  },
);

conformanceTest(
  "65,535 bytes in every field of CONNECT are taken, or refused in good order",
  { versions: everyVersion },
  async (world) => {
    const bystander = await Bystander.start(world);
    const long = field("x".repeat(65_535));
    const properties = world.version === v5 ? "00" : "";
    const big = await world.open();
    const payload = `${field("big")}${properties}${long}${long}${long}${long}`;
    big.send(connectBytes(world.version, { flags: "c6", payload }));
    await big.expectPacket(PacketType.connack);
    await big.ping();
    const named = await world.open();
    named.send(connectBytes(world.version, { payload: long }));
    await named.expectRefused(world.version === v5 ? 0x85 : 2);
    await bystander.expectUndisturbed();
  },
);

conformanceTest(
  "a hundred connections that come and go without a word leave nothing behind",
  { versions: onlyV3_1_1, broker: { limits: { connectionsMax: 5 } } },
  async (world) => {
    const bystander = await Bystander.start(world);
    for (let round = 0; round < 50; round++) {
      const clients = [await world.open(), await world.open()];
      for (const client of clients) client.destroy();
      await bystander.expectUndisturbed();
    }
    const client = await world.connect();
    await client.ping();
  },
);

/** A small generator of its own, so that a seed that is printed can be replayed. */
function randomBytes(seed: number): (count: number) => Buffer {
  let state = seed >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  };
  return (count) => Buffer.from(Array.from({ length: count }, next));
}

conformanceTest(
  "noise behind a good CONNECT, and in place of one, harms nobody",
  { versions: [v3_1_1, v5] },
  async (world) => {
    const seed = Number(process.env.TSTACK_SEED ?? Date.now() & 0xffff_ffff);
    console.log(`# noise with TSTACK_SEED=${seed}`);
    const bytes = randomBytes(seed);
    const bystander = await Bystander.start(world);
    for (let round = 0; round < 60; round++) {
      const client = await world.open();
      const noise = bytes(1 + bytes(1)[0]);
      // every type in turn, with a length that fits
      const packet = packetBytes((((round % 15) + 1) << 4).toString(16), noise);
      client.send(connectPacket(world.version, { clientIdentifier: `noise-${round % 7}` }));
      await client.expectPacket(PacketType.connack);
      client.send(round % 2 === 0 ? packet : noise, "c000");
      const stranger = await world.open();
      stranger.send(noise);
      await bystander.expectUndisturbed();
      client.destroy();
      stranger.destroy();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.0-1] [MQTT-4.13.2-1] before CONNACK no DISCONNECT is sent, whatever is wrong",
  { versions: onlyV5 },
  async (world) => {
    for (const bytes of ["0000", `30 ${hugeLength}`, "10 ff ff ff ff 01", "e000", "f000"]) {
      const client = await world.open();
      client.send(bytes);
      await client.expectClosed();
    }
  },
);
