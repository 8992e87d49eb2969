/** 5.0 section 3.1.3.2.2: wills that wait, for their delay, for the session's end, or for a client that comes back. */
import assert from "node:assert/strict";
import { PacketType, type Properties, type WillMessage } from "../../src/codec/index.ts";
import {
  conformanceTest,
  connectPacket,
  onlyV5,
  type RawClient,
  type World,
} from "./harness/index.ts";
import { strangerRefused } from "./packets.ts";

const versions = onlyV5;

function willOf(delaySeconds: number, fields: Partial<WillMessage> = {}): WillMessage {
  const properties: Properties = { willDelayInterval: delaySeconds, ...fields.properties };
  const payload = Buffer.from("gone");
  return { topic: "will", payload, qos: 0, retain: false, ...fields, properties };
}

async function watch(world: World): Promise<RawClient> {
  const watcher = await world.connect({ clientIdentifier: "watcher" });
  await watcher.subscribe("will", { qos: 0 });
  return watcher;
}

/** The client's connection is over, and the broker knows. */
async function die(client: RawClient): Promise<void> {
  client.send("0000");
  await client.expectDisconnected(0x81);
}

function mortal(delaySeconds: number, expirySeconds: number) {
  return {
    clientIdentifier: "mortal",
    cleanStart: false,
    will: willOf(delaySeconds),
    properties: { sessionExpiryInterval: expirySeconds },
  };
}

conformanceTest(
  "5.0 [MQTT-3.1.2-8] [MQTT-3.1.2-10] a will waits for its delay, and goes out then, once",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    world.clock.advance(9_999);
    await watcher.ping();
    world.clock.advance(1);
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(100);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] a will does not wait longer than the session",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(100, 10)));
    world.clock.advance(9_999);
    await watcher.ping();
    world.clock.advance(1);
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(200);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] [MQTT-3.1.2-10] delay and expiry of the same length: one will",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 10)));
    world.clock.advanceSeconds(10);
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(10);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] a session that ends with its connection: no delay",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(100, 0)));
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest("5.0 [MQTT-3.1.2-8] a delay of 0 is none", { versions }, async (world) => {
  const watcher = await watch(world);
  await die(await world.connect(mortal(0, 100)));
  await watcher.expectPacket(PacketType.publish);
});

conformanceTest(
  "5.0 [MQTT-3.1.3-9] who comes back in time takes the will away",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    world.clock.advance(9_999);
    const back = await world.connect({ ...mortal(10, 100), will: undefined });
    world.clock.advanceSeconds(100);
    await watcher.ping();
    await die(back);
    world.clock.advanceSeconds(100);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-9] who comes back may bring another will, with a delay of its own",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    world.clock.advanceSeconds(5);
    await die(await world.connect(mortal(20, 100)));
    world.clock.advanceSeconds(19);
    await watcher.ping();
    world.clock.advanceSeconds(1);
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(100);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] who comes back with a clean start ends the session, and the will goes out at once",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    await world.connect({ clientIdentifier: "mortal", cleanStart: true });
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(100);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-9] a takeover that goes on with the session leaves a delayed will unsaid",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const first = await world.connect(mortal(10, 100));
    const second = await world.connect({ ...mortal(10, 100), will: undefined });
    await first.expectDisconnected(0x8e);
    world.clock.advanceSeconds(100);
    await second.ping();
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] a takeover sends a will without delay, and one whose session a clean start ends",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const first = await world.connect(mortal(0, 100));
    const second = await world.connect(mortal(10, 100));
    await first.expectDisconnected(0x8e);
    await watcher.expectPacket(PacketType.publish);
    await world.connect({ clientIdentifier: "mortal", cleanStart: true });
    await second.expectDisconnected(0x8e);
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.4-3] DISCONNECT with reason 0 takes a delayed will back, with 0x04 it waits",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const polite = await world.connect(mortal(10, 100));
    polite.send("e000");
    await polite.expectClosed();
    world.clock.advanceSeconds(100);
    await watcher.ping();
    const other = await world.connect(mortal(10, 100));
    other.send("e0 01 04");
    await other.expectClosed();
    world.clock.advanceSeconds(9);
    await watcher.ping();
    world.clock.advanceSeconds(1);
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 section 3.14.2.2.2: DISCONNECT that ends the session ends the wait, one that shortens it shortens it",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const ending = await world.connect(mortal(10, 100));
    ending.send("e0 07 04 05 11 00000000");
    await ending.expectClosed();
    await watcher.expectPacket(PacketType.publish);
    const shortening = await world.connect(mortal(10, 100));
    shortening.send("e0 07 04 05 11 00000003");
    await shortening.expectClosed();
    world.clock.advanceSeconds(2);
    await watcher.ping();
    world.clock.advanceSeconds(1);
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-15] a delayed will is retained when it goes out, not before",
  { versions },
  async (world) => {
    await die(await world.connect({ ...mortal(10, 100), will: willOf(10, { retain: true }) }));
    const early = await world.connect();
    await early.subscribe("will", { qos: 0 });
    await early.ping();
    world.clock.advanceSeconds(10);
    await early.expectPacket(PacketType.publish);
    const late = await world.connect();
    await late.subscribe("will", { qos: 0 });
    await late.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] a keep alive that runs out starts the delay",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const client = await world.connect({ ...mortal(10, 100), keepAliveSeconds: 20 });
    world.clock.advanceSeconds(30);
    await client.expectDisconnected(0x8d);
    world.clock.advanceSeconds(9);
    await watcher.ping();
    world.clock.advanceSeconds(1);
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] the longest delay waits for the session's end",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(0xffff_ffff, 1000)));
    world.clock.advanceSeconds(999);
    await watcher.ping();
    world.clock.advanceSeconds(1);
    await watcher.expectPacket(PacketType.publish);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] a takeover of a session that ends with its connection sends the will at once, whatever its delay",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const first = await world.connect(mortal(100, 0));
    const second = await world.connect({ ...mortal(100, 0), will: undefined });
    await first.expectDisconnected(0x8e);
    await watcher.expectPacket(PacketType.publish);
    assert.equal(second.connack?.sessionPresent, false);
    world.clock.advanceSeconds(1000);
    await second.ping();
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.14.4-3] DISCONNECT with reason 0 that ends the session takes a delayed will back, too",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    const client = await world.connect(mortal(10, 100));
    client.send("e0 07 00 05 11 00000000");
    await client.expectClosed();
    world.clock.advanceSeconds(1000);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-9] who comes back when the will has gone out does not call it back, nor send it again",
  { versions },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    world.clock.advanceSeconds(10);
    await watcher.expectPacket(PacketType.publish);
    const back = await world.connect({ ...mortal(10, 100), will: undefined });
    assert.equal(back.connack?.sessionPresent, true);
    await die(back);
    world.clock.advanceSeconds(1000);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-9] a client that is refused takes no will away",
  {
    versions,
    broker: { authenticator: strangerRefused },
  },
  async (world) => {
    const watcher = await watch(world);
    await die(await world.connect(mortal(10, 100)));
    const stranger = await world.open();
    stranger.send(connectPacket(5, { ...mortal(10, 100), userName: "stranger" }));
    await stranger.expectRefused(0x86);
    world.clock.advanceSeconds(10);
    await watcher.expectPacket(PacketType.publish);
  },
);
