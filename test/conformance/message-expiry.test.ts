/** Message Expiry Interval (5.0, section 3.3.2.3.3), with time moved by hand. */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import type { Authorizer } from "../../src/index.ts";
import { conformanceTest, onlyV5, type World } from "./harness/index.ts";
import {
  expectPublish,
  leaveSubscribed,
  persistent,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribed,
} from "./packets.ts";

const expiry = (messageExpiryInterval: number) => ({ properties: { messageExpiryInterval } });

async function droppedAs(world: World, reason: string): Promise<string> {
  const watcher = await world.connect();
  await subscribed(watcher, `$SYS/broker/publish/messages/dropped/${reason}`);
  const { payload } = await watcher.expectPacket(PacketType.publish);
  return Buffer.from(payload).toString();
}

conformanceTest(
  "5.0 [MQTT-3.3.2-6] a message that waits for nobody keeps its interval",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    publisher.send(publish("t", "x", expiry(10)), publish("t", "x", { qos: 1, ...expiry(0) }));
    await expectPublish(subscriber, expiry(10));
    await expectPublish(subscriber, { qos: 1, ...expiry(0) });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-6] the interval is less the time in an offline session's queue",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "away");
    await leaveSubscribed(world, fields, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    publisher.send(publish("t", "long", { qos: 1, ...expiry(1000) }));
    publisher.send(publish("t", "forever", { qos: 2, packetIdentifier: 2 }));
    await publisher.expectPacket(PacketType.puback);
    await publisher.expectPacket(PacketType.pubrec);
    world.clock.advanceSeconds(400);
    const after = await world.connect(fields);
    await expectPublish(after, { payload: "long", ...expiry(600) });
    await expectPublish(after, { payload: "forever", properties: {} });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-5] a message that expired in the queue is not sent, and counted",
  { versions: onlyV5, broker: { sysTopicsSeconds: 10 } },
  async (world) => {
    const fields = persistent(5, "away");
    await leaveSubscribed(world, fields, { filter: "t", qos: 1 });
    const properties = { messageExpiryInterval: 5 };
    world.broker.publish("t", "short", { qos: 1, properties });
    world.broker.publish("t", "long", { qos: 1, properties: { messageExpiryInterval: 6 } });
    world.clock.advanceSeconds(5);
    const after = await world.connect(fields);
    await expectPublish(after, { payload: "long", ...expiry(1) });
    await after.ping();
    world.clock.advanceSeconds(10);
    assert.equal(await droppedAs(world, "expired"), "1");
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-5] a message that expired behind a full window is not sent",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(subscriber, { filter: "t", qos: 1 });
    for (const seconds of [1, 5, 50]) {
      const properties = { messageExpiryInterval: seconds };
      world.broker.publish("t", `${seconds}`, { qos: 1, properties });
    }
    const { packetIdentifier } = await expectPublish(subscriber, { payload: "1", ...expiry(1) });
    world.clock.advanceSeconds(20);
    subscriber.send(puback(packetIdentifier));
    await expectPublish(subscriber, { payload: "50", ...expiry(30) });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-6] [MQTT-3.3.2-5] a retained message counts down and is gone in time",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "x", { retain: true, ...expiry(100) }));
    await publisher.ping();
    world.clock.advanceSeconds(99);
    const early = await world.connect();
    await subscribed(early, "t");
    await expectPublish(early, { retain: true, ...expiry(1) });
    world.clock.advanceSeconds(1);
    const late = await world.connect();
    await subscribed(late, "t");
    await late.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-5] a new retained message has an expiry of its own",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "old", { retain: true, ...expiry(10) }));
    publisher.send(publish("t", "new", { retain: true }));
    await publisher.ping();
    world.clock.advanceSeconds(3600);
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    await expectPublish(subscriber, { payload: "new", properties: {} });
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-7] a QoS 2 message that has been sent does not expire",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "x", { qos: 2, properties: { messageExpiryInterval: 5 } });
    const { packetIdentifier } = await expectPublish(before, { qos: 2, ...expiry(5) });
    before.destroy();
    world.clock.advanceSeconds(60);
    const after = await world.connect(fields);
    await expectPublish(after, { qos: 2, dup: true, packetIdentifier });
    after.send(pubrec(packetIdentifier));
    await after.expectPacket(PacketType.pubrel);
    world.clock.advanceSeconds(60);
    after.send(pubcomp(packetIdentifier));
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-13] the handshake of a QoS 2 message goes on when the message has expired",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "x", { qos: 2, retain: true, ...expiry(5) }));
    await publisher.expectPacket(PacketType.pubrec);
    world.clock.advanceSeconds(60);
    publisher.send(publish("t", "x", { qos: 2, dup: true, ...expiry(5) }), pubrel());
    await publisher.expectBytes("50 02 0001  70 02 0001");
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-6] a message in a shared subscription's queue counts down and expires",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "member");
    await leaveSubscribed(world, fields, { filter: "$share/g/t", qos: 1 });
    for (const seconds of [5, 50]) {
      const properties = { messageExpiryInterval: seconds };
      world.broker.publish("t", `${seconds}`, { qos: 1, properties });
    }
    world.clock.advanceSeconds(20);
    const after = await world.connect(fields);
    await expectPublish(after, { payload: "50", ...expiry(30) });
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-5] [MQTT-3.3.2-6] what a member of a group leaves behind goes to another less the time it was away, or has expired",
  { versions: onlyV5 },
  async (world) => {
    const leaver = await world.connect(persistent(5, "leaver"));
    await subscribed(leaver, { filter: "$share/g/t", qos: 1 });
    for (const seconds of [5, 50]) {
      const properties = { messageExpiryInterval: seconds };
      world.broker.publish("t", `${seconds}`, { qos: 1, properties });
      await expectPublish(leaver, { payload: `${seconds}`, ...expiry(seconds) });
    }
    const stayer = await world.connect();
    await subscribed(stayer, { filter: "$share/g/t", qos: 1 });
    world.clock.advanceSeconds(20);
    leaver.end();
    await leaver.expectClosed();
    await expectPublish(stayer, { payload: "50", dup: false, ...expiry(30) });
    await stayer.ping();
  },
);

conformanceTest(
  "5.0 the longest interval of the standard does not overflow",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "x", {
      retain: true,
      properties: { messageExpiryInterval: 4_294_967_295 },
    });
    world.clock.advanceSeconds(3600);
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    await expectPublish(subscriber, expiry(4_294_963_695));
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-6] the interval counts down wherever it stands among the properties, with an alias before it or behind",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    publisher.send("31 11 0003 742f31 0a 23 0001 02 00000064 01 01 78");
    publisher.send("31 11 0003 742f32 0a 01 01 02 00000064 23 0001 78");
    publisher.send("31 0e 0003 742f33 07 01 01 02 00000064 78");
    await publisher.ping();
    world.clock.advanceSeconds(40);
    const subscriber = await world.connect();
    for (const topic of ["t/1", "t/2", "t/3"]) {
      await subscribed(subscriber, topic);
      const properties = { payloadFormatIndicator: 1 as const, messageExpiryInterval: 60 };
      await expectPublish(subscriber, { topic, payload: "x", properties });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-5] an interval of 0 is for those who can have the message at once: it waits for nobody and is not kept",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "away");
    await leaveSubscribed(world, fields, { filter: "t", qos: 1 });
    const here = await world.connect();
    await subscribed(here, { filter: "t", qos: 1 });
    const narrow = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(narrow, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    publisher.send("33 0c 0001 74 0001 05 02 00000000 61", "33 0c 0001 74 0002 05 02 00000000 62");
    await publisher.expectBytes("40 02 0001  40 02 0002");
    await here.expectBytes(
      "32 0c 0001 74 0001 05 02 00000000 61  32 0c 0001 74 0002 05 02 00000000 62",
    );
    await narrow.expectBytes("32 0c 0001 74 0001 05 02 00000000 61");
    narrow.send(puback(1));
    await narrow.ping();
    const after = await world.connect(fields);
    await after.ping();
    await subscribed(after, "t");
    await after.ping();
  },
);

/** An authorizer whose answer to a publisher comes when the test says so. */
const waiting: (() => void)[] = [];
const patient: Authorizer = {
  generation: 0,
  authorize: ({ action }) => {
    const answer = { allowed: true, rule: "after a while" };
    if (action === "subscribe") return answer;
    return new Promise((resolve) => waiting.push(() => resolve(answer)));
  },
};

async function answerAfter(world: World, seconds: number): Promise<void> {
  while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve));
  world.clock.advanceSeconds(seconds);
  waiting.pop()?.();
}

conformanceTest(
  "5.0 [MQTT-3.3.2-6] the interval is less the time in which the right to publish was awaited, for all who get the message",
  { versions: onlyV5, broker: { authorizer: patient } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t/+", qos: 1 });
    const publisher = await world.connect();
    for (const qos of [0, 1] as const) {
      publisher.send(publish(`t/${qos}`, "x", { qos, retain: true, ...expiry(100) }));
      await answerAfter(world, 30);
      await expectPublish(subscriber, { payload: "x", qos, ...expiry(70) });
    }
    await publisher.expectBytes("40 02 0001");
    world.clock.advanceSeconds(10);
    const late = await world.connect();
    await subscribed(late, "t/1");
    await expectPublish(late, { payload: "x", ...expiry(60) });
    world.clock.advanceSeconds(60);
    await subscribed(late, "t/1");
    await late.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-5] [MQTT-4.3.3-13] a message that expired while the right to publish was awaited is acknowledged and reaches nobody",
  { versions: onlyV5, broker: { authorizer: patient } },
  async (world) => {
    world.broker.publish("t/2", "old", { retain: true });
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t/+", qos: 2, retainHandling: 2 });
    const publisher = await world.connect();
    for (const [qos, answer] of [
      [0, ""],
      [1, "40 02 0001"],
      [2, "50 02 0001"],
    ] as const) {
      publisher.send(publish(`t/${qos}`, "x", { qos, retain: true, ...expiry(10) }));
      await answerAfter(world, 10);
      await publisher.expectBytes(answer);
    }
    publisher.send(publish("t/2", "x", { qos: 2, retain: true, dup: true, ...expiry(10) }));
    publisher.send(pubrel());
    await publisher.expectBytes("50 02 0001  70 02 0001");
    await publisher.ping();
    await subscriber.ping();
    await subscribed(subscriber, "t/+");
    await subscriber.ping();
  },
);
