/** Messages that wait for a session without a connection (section 4.5), and the limits of that. */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import {
  conformanceTest,
  everyVersion,
  onlyV5,
  type RawClient,
  type World,
} from "./harness/index.ts";
import {
  disconnect,
  everyQos,
  expectPublish,
  persistent,
  puback,
  publish,
  subscribed,
} from "./packets.ts";

async function leave(world: World, filter = "t"): Promise<void> {
  const client = await world.connect(persistent(world.version, "away"));
  await subscribed(client, { filter, qos: 2 });
  await disconnect(client);
}

function comeBack(world: World): Promise<RawClient> {
  return world.connect(persistent(world.version, "away"));
}

/** A figure of `$SYS`, after its next round. */
async function readFigure(world: World, name: string): Promise<string> {
  world.clock.advanceSeconds(10);
  const watcher = await world.connect();
  await subscribed(watcher, `$SYS/broker/${name}`);
  const { payload } = await watcher.expectPacket(PacketType.publish);
  return Buffer.from(payload).toString();
}

conformanceTest(
  "5.0 [MQTT-4.5.0-1] 3.1.1 [MQTT-4.5.0-1] QoS 1 and 2 wait for a session that is away, in order; QoS 0 does not",
  { versions: everyVersion },
  async (world) => {
    await leave(world);
    const publisher = await world.connect();
    for (let count = 0; count < 30; count++) {
      const qos = everyQos[count % 3];
      publisher.send(publish("t", `${count}`, { qos, packetIdentifier: count + 1 }));
    }
    for (let count = 0; count < 30; count++) {
      if (count % 3 === 1) await publisher.expectPacket(PacketType.puback);
      if (count % 3 === 2) await publisher.expectPacket(PacketType.pubrec);
    }
    const client = await comeBack(world);
    for (let count = 0; count < 30; count++) {
      if (count % 3 === 0) continue;
      await expectPublish(client, { payload: `${count}`, qos: everyQos[count % 3], dup: false });
    }
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.1.0-1] what waited and was not acknowledged is still there after the next absence",
  { versions: everyVersion },
  async (world) => {
    await leave(world);
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 1 });
    const first = await comeBack(world);
    const { packetIdentifier } = await expectPublish(first, { payload: "1", dup: false });
    first.send(puback(packetIdentifier));
    await expectPublish(first, { payload: "2" });
    await expectPublish(first, { payload: "3" });
    await first.ping();
    first.destroy();
    world.broker.publish("t", "4", { qos: 1 });
    const second = await comeBack(world);
    await expectPublish(second, { payload: "2", dup: true });
    await expectPublish(second, { payload: "3", dup: true });
    await expectPublish(second, { payload: "4" });
    await second.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-23] [MQTT-4.1.0-2] the queue lasts as long as the session does",
  { versions: onlyV5, broker: { sysTopicsSeconds: 10 } },
  async (world) => {
    await leave(world);
    world.broker.publish("t", "1", { qos: 1 });
    world.clock.advanceSeconds(3599);
    const intime = await comeBack(world);
    assert.equal(intime.connack?.sessionPresent, true);
    const { packetIdentifier } = await expectPublish(intime, { payload: "1" });
    intime.send(puback(packetIdentifier));
    await disconnect(intime);
    world.broker.publish("t", "2", { qos: 1 });
    world.clock.advanceSeconds(3600);
    const late = await comeBack(world);
    assert.equal(late.connack?.sessionPresent, false);
    await late.ping();
    assert.equal(await readFigure(world, "publish/messages/dropped/sessionEnded"), "1");
  },
);

for (const queueDrop of ["newest", "oldest"] as const) {
  conformanceTest(
    `queueMessagesMax with queueDrop ${queueDrop}: the rest is dropped, and counted`,
    {
      versions: everyVersion,
      broker: { queueDrop, sysTopicsSeconds: 10, limits: { queueMessagesMax: 3 } },
    },
    async (world) => {
      await leave(world);
      for (let count = 0; count < 10; count++) {
        world.broker.publish("t", `${count}`, { qos: count % 2 === 0 ? 1 : 2 });
      }
      const client = await comeBack(world);
      for (const payload of queueDrop === "newest" ? ["0", "1", "2"] : ["7", "8", "9"]) {
        await expectPublish(client, { payload });
      }
      await client.ping();
      assert.equal(await readFigure(world, "publish/messages/dropped/queueFull"), "7");
    },
  );

  conformanceTest(
    `queueBytesMax with queueDrop ${queueDrop}: the rest is dropped, and counted`,
    {
      versions: onlyV5,
      broker: { queueDrop, sysTopicsSeconds: 10, limits: { queueBytesMax: 3100 } },
    },
    async (world) => {
      await leave(world);
      for (let count = 0; count < 10; count++) {
        world.broker.publish("t", `${count}`.padEnd(1000), { qos: 1 });
      }
      const client = await comeBack(world);
      for (const payload of queueDrop === "newest" ? ["0", "1", "2"] : ["7", "8", "9"]) {
        await expectPublish(client, { payload: payload.padEnd(1000) });
      }
      await client.ping();
      assert.equal(await readFigure(world, "publish/messages/dropped/queueFull"), "7");
    },
  );

  conformanceTest(
    `queueMessagesMax 0 with queueDrop ${queueDrop}: nothing waits`,
    { versions: onlyV5, broker: { queueDrop, limits: { queueMessagesMax: 0 } } },
    async (world) => {
      await leave(world);
      world.broker.publish("t", "x", { qos: 1 });
      const client = await comeBack(world);
      await client.ping();
      world.broker.publish("t", "y", { qos: 1 });
      await expectPublish(client, { payload: "y" });
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.9.0-2] a full queue behind a full window of a connected client drops the newest, and empties again",
  { versions: onlyV5, broker: { limits: { queueMessagesMax: 2 } } },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 1 });
    for (let count = 0; count < 6; count++) world.broker.publish("t", `${count}`, { qos: 1 });
    for (const payload of ["0", "1", "2"]) {
      const { packetIdentifier } = await expectPublish(client, { payload });
      client.send(puback(packetIdentifier));
    }
    await client.ping();
    world.broker.publish("t", "again", { qos: 1 });
    await expectPublish(client, { payload: "again" });
  },
);

conformanceTest(
  "$SYS tells how many messages wait",
  { versions: onlyV5, broker: { sysTopicsSeconds: 10 } },
  async (world) => {
    await leave(world);
    const before = Number(await readFigure(world, "messages/stored"));
    for (let count = 0; count < 25; count++) world.broker.publish("t", "x", { qos: 1 });
    const after = Number(await readFigure(world, "messages/stored"));
    assert.equal(after - before, 25);
  },
);

conformanceTest(
  "queueBytesMax bounds what is under way as well: the rest waits, and all of it comes again",
  { versions: everyVersion, broker: { limits: { queueBytesMax: 3000 } } },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 1 });
    for (const name of ["1", "2", "3", "4"])
      world.broker.publish("t", name.padEnd(999), { qos: 1 });
    for (const name of ["1", "2", "3"]) await expectPublish(before, { payload: name.padEnd(999) });
    await before.ping();
    await disconnect(before);
    const after = await world.connect(fields);
    for (const name of ["1", "2", "3"]) {
      await expectPublish(after, { payload: name.padEnd(999), dup: true });
    }
    await after.ping();
    after.send(puback(1));
    await expectPublish(after, { payload: "4".padEnd(999), dup: false });
    await after.ping();
  },
);

conformanceTest(
  "a message larger than queueBytesMax goes out when nothing else is under way",
  { versions: onlyV5, broker: { limits: { queueBytesMax: 3000 } } },
  async (world) => {
    const client = await world.connect(persistent(5, "sub"));
    await subscribed(client, { filter: "t", qos: 1 });
    for (const name of ["1", "2"]) world.broker.publish("t", name.padEnd(9000), { qos: 1 });
    await expectPublish(client, { payload: "1".padEnd(9000) });
    await client.ping();
    client.send(puback(1));
    await expectPublish(client, { payload: "2".padEnd(9000) });
  },
);
