/** Overlapping subscriptions and subscription identifiers (5.0, section 3.3.4; 3.1.1, section 3.3.5). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV5 } from "./harness/index.ts";
import {
  everyQos,
  expectPublish,
  persistent,
  publish,
  pubrel,
  subscribe,
  subscribed,
  unsubscribe,
} from "./packets.ts";

const identifier = (value: number) => ({ subscriptionIdentifiers: [value] });

conformanceTest(
  "5.0 [MQTT-3.3.4-2] 3.1.1 [MQTT-3.3.5-1] overlapping subscriptions: one copy, at the highest QoS granted",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    for (const [exact, plus, hash] of [
      [0, 2, 1],
      [2, 1, 0],
      [1, 0, 2],
    ] as const) {
      const subscriber = await world.connect();
      await subscribed(subscriber, [
        { filter: "a/b", qos: exact },
        { filter: "a/+", qos: plus },
        { filter: "#", qos: hash },
      ]);
      for (const qos of everyQos) {
        publisher.send(publish("a/b", `${qos}`, { qos, packetIdentifier: 4 }));
        await expectPublish(subscriber, { payload: `${qos}`, qos });
        await subscriber.ping();
      }
      publisher.send(pubrel(4), publish("other", "", { qos: 2, packetIdentifier: 5 }), pubrel(5));
      await expectPublish(subscriber, { topic: "other", qos: hash });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-3] [MQTT-3.3.4-4] the one copy bears the identifier of every matching subscription that has one",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "a/b", identifier(1));
    await subscribed(subscriber, { filter: "a/+", qos: 1 }, identifier(268_435_455));
    await subscribed(subscriber, "#");
    await subscribed(subscriber, "+/b", identifier(128));
    await subscribed(subscriber, "c", identifier(7));
    const publisher = await world.connect();
    for (const qos of [0, 1, 2] as const) {
      publisher.send(publish("a/b", "x", { qos, packetIdentifier: 4 }));
      const { properties } = await expectPublish(subscriber, { qos: qos === 0 ? 0 : 1 });
      const identifiers = properties.subscriptionIdentifiers?.toSorted((a, b) => a - b);
      assert.deepEqual(identifiers, [1, 128, 268_435_455]);
    }
    publisher.send(publish("other", "x"));
    await expectPublish(subscriber, { topic: "other", properties: {} });
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-3] one identifier may serve several subscriptions, and one SUBSCRIBE gives it to all its filters",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, ["a", "b", "c"], identifier(3));
    await subscribed(subscriber, "d", identifier(3));
    for (const topic of ["a", "b", "c", "d"]) {
      world.broker.publish(topic, "");
      await expectPublish(subscriber, { topic, properties: identifier(3) });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-3] a subscription made anew has the new identifier, or none",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t", identifier(1));
    await subscribed(subscriber, "t", identifier(2));
    world.broker.publish("t", "");
    await expectPublish(subscriber, { properties: identifier(2) });
    await subscribed(subscriber, "t");
    world.broker.publish("t", "");
    await expectPublish(subscriber, { properties: {} });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-3] identifiers last with the session, and come with messages that waited",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "away");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "a/+", qos: 1 }, identifier(11));
    await subscribed(before, { filter: "a/#", qos: 1 }, identifier(12));
    before.end();
    await before.expectClosed();
    world.broker.publish("a/b", "waited", { qos: 1 });
    const after = await world.connect(fields);
    const { properties } = await expectPublish(after, { payload: "waited" });
    assert.deepEqual(properties.subscriptionIdentifiers?.toSorted(), [11, 12]);
    world.broker.publish("a/b", "live");
    const live = await expectPublish(after, { payload: "live" });
    assert.deepEqual(live.properties.subscriptionIdentifiers?.toSorted(), [11, 12]);
    after.send(unsubscribe("a/+"));
    await after.expectPacket(PacketType.unsuback);
    world.broker.publish("a/b", "one");
    await expectPublish(after, { payload: "one", properties: identifier(12) });
  },
);

conformanceTest(
  "5.0 a session that comes back with 3.1.1 gets no identifiers, and has them again with 5.0",
  { versions: onlyV5 },
  async (world) => {
    const first = await world.connect(persistent(5, "both"));
    await subscribed(first, { filter: "t", qos: 1 }, identifier(5));
    const second = await world.connect(persistent(4, "both"));
    assert.equal(second.connack?.sessionPresent, true);
    const publisher = await world.connect();
    publisher.send(publish("t", "a"), publish("t", "b", { qos: 1 }));
    await second.expectBytes("30 04 0001 74 61  32 06 0001 74 0001 62");
    await publisher.expectPacket(PacketType.puback);
    const third = await world.connect(persistent(5, "both"));
    await expectPublish(third, { payload: "b", dup: true });
    publisher.send(publish("t", "c"));
    await expectPublish(third, { payload: "c", properties: identifier(5) });
  },
);

conformanceTest(
  "5.0 subscription identifier 0 ends the connection, and so do two of them",
  { versions: onlyV5 },
  async (world) => {
    const zero = await world.connect();
    zero.send("82 09 0001 02 0b 00 0001 74 00");
    await zero.expectDisconnected(ReasonCode.protocolError);
    const two = await world.connect();
    two.send("82 0b 0001 04 0b 01 0b 02 0001 74 00");
    await two.expectDisconnected(ReasonCode.protocolError);
    const large = await world.connect();
    large.send("82 0d 0001 06 0b ffffffff 7f 0001 74 00");
    await large.expectDisconnected(ReasonCode.malformedPacket);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-3] No Local: nothing of one's own, everything of others, also where another subscription overlaps",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "a/#", noLocal: true, qos: 1 }, identifier(1));
    const other = await world.connect();
    client.send(publish("a/b", "own"), publish("a/b", "own", { qos: 1 }));
    await client.expectBytes("40 02 0001");
    other.send(publish("a/b", "other"));
    await expectPublish(client, { payload: "other", properties: identifier(1) });
    await client.ping();
    await subscribed(client, { filter: "a/b" }, identifier(2));
    client.send(publish("a/b", "own", { qos: 1 }));
    await expectPublish(client, { payload: "own", qos: 0, properties: identifier(2) });
    await client.expectBytes("40 02 0001");
    other.send(publish("a/b", "other", { qos: 1 }));
    const { properties } = await expectPublish(client, { payload: "other", qos: 1 });
    assert.deepEqual(properties.subscriptionIdentifiers?.toSorted(), [1, 2]);
    client.send(subscribe({ filter: "a/#", noLocal: false }));
    await client.expectPacket(PacketType.suback);
    client.send(unsubscribe("a/b"), publish("a/b", "own"));
    await client.expectPacket(PacketType.unsuback);
    await expectPublish(client, { payload: "own", properties: {} });
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-3] No Local is a matter of the client identifier, not of the connection",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "same");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", noLocal: true, qos: 1 });
    const after = await world.connect(fields);
    after.send(publish("t", "own", { qos: 1 }), publish("t", "own"), publish("t", "own"));
    await after.expectBytes("40 02 0001");
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-3] [MQTT-3.3.4-4] what is sent again bears the identifiers that it had at first",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 1 }, identifier(1));
    await subscribed(before, { filter: "+", qos: 2 }, identifier(200));
    world.broker.publish("t", "x", { qos: 2 });
    const first = await expectPublish(before, { qos: 2, dup: false, packetIdentifier: 1 });
    assert.deepEqual(first.properties.subscriptionIdentifiers?.toSorted(), [1, 200]);
    before.send(unsubscribe("+"));
    await before.expectPacket(PacketType.unsuback);
    before.destroy();
    const after = await world.connect(fields);
    const { properties } = first;
    await expectPublish(after, { qos: 2, dup: true, packetIdentifier: 1, properties });
    await after.ping();
  },
);
