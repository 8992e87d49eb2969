/** A subscriber's Maximum Packet Size (5.0, section 3.1.2.11.4). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { conformanceTest, onlyV5, type RawClient, type World } from "./harness/index.ts";
import {
  disconnect,
  everyQos,
  expectPublish,
  persistent,
  puback,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribed,
  unsubscribe,
} from "./packets.ts";

const maximumPacketSize = 60;

async function readFigure(world: World, reason: string): Promise<number> {
  world.clock.advanceSeconds(10);
  const watcher = await world.connect();
  await subscribed(watcher, `$SYS/broker/publish/messages/dropped/${reason}`);
  const { payload } = await watcher.expectPacket(PacketType.publish);
  return Number(Buffer.from(payload).toString());
}

/** The payload with which a PUBLISH to the topic `t` has exactly `bytes`. */
function fill(bytes: number, qos: number): string {
  return "x".repeat(bytes - 6 - (qos === 0 ? 0 : 2));
}

async function acknowledge(client: RawClient, packetIdentifier: number | undefined): Promise<void> {
  client.send(puback(packetIdentifier));
  await client.ping();
}

conformanceTest(
  "5.0 [MQTT-3.1.2-24] [MQTT-3.1.2-25] a message of just the size arrives; one byte more is dropped for this client alone, and counted",
  { versions: onlyV5, broker: { sysTopicsSeconds: 10 } },
  async (world) => {
    const narrow = await world.connect({ properties: { maximumPacketSize } });
    await subscribed(narrow, { filter: "t", qos: 2 });
    const wide = await world.connect();
    await subscribed(wide, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    for (const qos of everyQos) {
      const fitting = fill(maximumPacketSize, qos);
      publisher.send(publish("t", fitting, { qos, packetIdentifier: 3 + qos }));
      publisher.send(publish("t", `${fitting}x`, { qos, packetIdentifier: 6 + qos }));
      publisher.send(publish("t", "small", { qos, packetIdentifier: 9 + qos }));
      for (const payload of [fitting, `${fitting}x`, "small"]) {
        await expectPublish(wide, { payload, qos });
      }
      await expectPublish(narrow, { payload: fitting, qos });
      await expectPublish(narrow, { payload: "small", qos });
    }
    assert.equal(await readFigure(world, "packetTooLarge"), 3);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-25] many QoS 0 messages in one piece, some too large: the others arrive in order",
  { versions: onlyV5 },
  async (world) => {
    const narrow = await world.connect({ properties: { maximumPacketSize } });
    await subscribed(narrow, "t");
    const publisher = await world.connect();
    const many = Array.from({ length: 20 }, (_, count) =>
      publish("t", count % 3 === 0 ? "x".repeat(100) : `${count}`),
    );
    publisher.send(...many);
    for (let count = 0; count < 20; count++) {
      if (count % 3 !== 0) await expectPublish(narrow, { payload: `${count}` });
    }
    await narrow.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-25] what is too large takes no place in the window and blocks nothing behind it",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { maximumPacketSize, receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 1 });
    for (const payload of ["1", "x".repeat(100), "x".repeat(100), "2"]) {
      world.broker.publish("t", payload, { qos: 1 });
    }
    const first = await expectPublish(client, { payload: "1" });
    client.send(puback(first.packetIdentifier));
    const second = await expectPublish(client, { payload: "2" });
    await acknowledge(client, second.packetIdentifier);
    world.broker.publish("t", "y".repeat(100), { qos: 1 });
    world.broker.publish("t", "3", { qos: 1 });
    await expectPublish(client, { payload: "3" });
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-24] queued, resent and retained messages are held to the new connection's size",
  { versions: onlyV5, broker: { sysTopicsSeconds: 10 } },
  async (world) => {
    const before = await world.connect(persistent(5, "sub"));
    await subscribed(before, { filter: "t", qos: 1 });
    world.broker.publish("t", "x".repeat(100), { qos: 1 });
    await expectPublish(before, { payload: "x".repeat(100) });
    await disconnect(before);
    world.broker.publish("t", "y".repeat(100), { qos: 1 });
    world.broker.publish("t", "small", { qos: 1 });
    world.broker.publish("r/large", "z".repeat(100), { retain: true });
    world.broker.publish("r/small", "z", { retain: true });
    const after = await world.connect(persistent(5, "sub", { maximumPacketSize }));
    const { packetIdentifier } = await expectPublish(after, { payload: "small" });
    await acknowledge(after, packetIdentifier);
    await subscribed(after, "r/+");
    await expectPublish(after, { topic: "r/small" });
    await after.ping();
    assert.equal(await readFigure(world, "packetTooLarge"), 3);
    const third = await world.connect(persistent(5, "sub"));
    await third.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.9.2-1] [MQTT-3.9.2-2] [MQTT-3.11.2-1] [MQTT-3.11.2-2] [MQTT-3.6.2-2] [MQTT-3.6.2-3] [MQTT-3.7.2-2] [MQTT-3.7.2-3] answers stay within the client's size",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { maximumPacketSize: 20 } });
    client.send(subscribe(["a/#/b", "a"]), unsubscribe("b", "a"), pubrec(7), pubrel(8));
    await client.expectBytes(
      "90 05 0001 00 8f 00  b0 05 0001 00 11 00  62 03 0007 92  70 03 0008 92",
    );
  },
);

for (const what of ["SUBACK", "UNSUBACK"]) {
  conformanceTest(
    `5.0 [MQTT-3.1.2-24] a client that cannot take its ${what} is not left waiting for it`,
    { versions: onlyV5 },
    async (world) => {
      const client = await world.connect({ properties: { maximumPacketSize: 20 } });
      const filters = Array.from({ length: 30 }, (_, number) => `t/${number}`);
      client.send(what === "SUBACK" ? subscribe(filters) : unsubscribe(...filters));
      await client.expectDisconnected(0x95);
    },
  );
}
