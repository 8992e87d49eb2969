/** RETAIN: what is kept, what new and old subscriptions get of it (5.0, sections 3.3.1.3 and 3.8.3.1). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV5 } from "./harness/index.ts";
import {
  everyQos,
  expectNothingMore,
  expectPublish,
  leaveSubscribed,
  persistent,
  puback,
  publish,
  subscribe,
  subscribed,
  unsubscribe,
} from "./packets.ts";

const retain = true;

conformanceTest(
  "5.0 [MQTT-3.3.1-5] 3.1.1 [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-8] the last retained message of a topic greets a new subscription, with RETAIN 1",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "old", { qos: 2, retain }));
    publisher.send(publish("t", "new", { qos: 1, retain, packetIdentifier: 2 }));
    await publisher.expectPacket(PacketType.pubrec);
    await publisher.expectPacket(PacketType.puback);
    for (const filter of ["t", "#", "+", "t/#"]) {
      const subscriber = await world.connect();
      await subscribed(subscriber, { filter, qos: 2 });
      await expectPublish(subscriber, { topic: "t", payload: "new", retain, qos: 1, dup: false });
      await subscriber.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-5] [MQTT-3.3.1-8] 3.1.1 [MQTT-3.3.1-7] [MQTT-3.3.1-12] a retained message of QoS 0 replaces one of QoS 1; one without RETAIN replaces nothing",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "first", { qos: 1, retain }), publish("t", "second", { retain }));
    publisher.send(publish("t", "live"), publish("t", ""));
    await publisher.expectPacket(PacketType.puback);
    await publisher.ping();
    // The first packet of a connection takes another way than those behind it.
    for (const payload of ["live", ""]) {
      for (const qos of everyQos) {
        const another = await world.connect();
        another.send(publish("t", payload, { qos }));
        if (qos > 0) await another.expectPacket(qos === 1 ? PacketType.puback : PacketType.pubrec);
        await another.ping();
      }
    }
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    await expectPublish(subscriber, { payload: "second", retain, qos: 0 });
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-8] a message without RETAIN is not kept",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "live", { qos: 1 }));
    await publisher.expectPacket(PacketType.puback);
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-6] [MQTT-3.3.1-7] 3.1.1 [MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty payload removes the retained message, and is delivered like any other",
  { versions: everyVersion },
  async (world) => {
    const witness = await world.connect();
    await subscribed(witness, "t");
    const faithful = await world.connect();
    await subscribed(faithful, { filter: "t", retainAsPublished: world.version === 5 });
    const publisher = await world.connect();
    const seen = { topic: "t", retain: world.version === 5 };
    for (const qos of everyQos) {
      publisher.send(publish("t", "kept", { retain }));
      publisher.send(publish("t", "", { retain, qos, packetIdentifier: 1 + qos }));
      await expectPublish(witness, { topic: "t", payload: "kept", retain: false });
      await expectPublish(witness, { topic: "t", payload: "", retain: false });
      await expectPublish(faithful, { ...seen, payload: "kept" });
      await expectPublish(faithful, { ...seen, payload: "" });
      if (qos > 0) await publisher.expectAny();
      const subscriber = await world.connect();
      await subscribed(subscriber, "#");
      await subscriber.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-12] 3.1.1 [MQTT-3.3.1-9] a subscription that stands gets a retained message with RETAIN 0",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    for (const qos of everyQos) {
      publisher.send(publish("t", `${qos}`, { qos, retain, packetIdentifier: 5 }));
      await expectPublish(subscriber, { payload: `${qos}`, qos, retain: false });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-12] [MQTT-3.3.1-13] Retain As Published decides which RETAIN a standing subscription sees",
  { versions: onlyV5 },
  async (world) => {
    const plain = await world.connect();
    await subscribed(plain, { filter: "t", qos: 1 });
    const faithful = await world.connect();
    await subscribed(faithful, { filter: "t", qos: 1, retainAsPublished: true });
    const publisher = await world.connect();
    for (const qos of [0, 1] as const) {
      publisher.send(publish("t", "r", { qos, retain }), publish("t", "l", { qos }));
      await expectPublish(plain, { payload: "r", retain: false });
      await expectPublish(plain, { payload: "l", retain: false });
      await expectPublish(faithful, { payload: "r", retain: true });
      await expectPublish(faithful, { payload: "l", retain: false });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-13] Retain As Published holds for messages that waited, too",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "away");
    await leaveSubscribed(world, fields, { filter: "t", qos: 1, retainAsPublished: true });
    world.broker.publish("t", "r", { qos: 1, retain });
    world.broker.publish("t", "l", { qos: 1 });
    const after = await world.connect(fields);
    await expectPublish(after, { payload: "r", retain: true });
    await expectPublish(after, { payload: "l", retain: false });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-9] Retain Handling 0 sends retained messages at every SUBSCRIBE",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain });
    const subscriber = await world.connect();
    for (let round = 0; round < 3; round++) {
      await subscribed(subscriber, { filter: "t", retainHandling: 0 });
      await expectPublish(subscriber, { payload: "kept", retain });
      await subscriber.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-10] Retain Handling 1 sends retained messages only where the subscription is new",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain });
    const fields = persistent(5, "sub");
    const subscriber = await world.connect(fields);
    await subscribed(subscriber, { filter: "t", retainHandling: 1 });
    await expectPublish(subscriber, { payload: "kept", retain });
    await subscribed(subscriber, { filter: "t", retainHandling: 1, qos: 1 });
    await subscriber.ping();
    const again = await world.connect(fields);
    assert.equal(again.connack?.sessionPresent, true);
    await subscribed(again, { filter: "t", retainHandling: 1 });
    await again.ping();
    again.send(unsubscribe("t"));
    await again.expectPacket(PacketType.unsuback);
    await subscribed(again, { filter: "t", retainHandling: 1 });
    await expectPublish(again, { payload: "kept", retain });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-11] Retain Handling 2 sends no retained messages",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain });
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", retainHandling: 2 });
    await subscriber.ping();
    world.broker.publish("t", "live", { retain });
    await expectPublish(subscriber, { payload: "live", retain: false });
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-4] 3.1.1 [MQTT-3.8.4-3] a subscription made anew sends the retained message again",
  { versions: everyVersion },
  async (world) => {
    world.broker.publish("t", "kept", { qos: 1, retain });
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 0 });
    await expectPublish(subscriber, { payload: "kept", qos: 0, retain });
    await subscribed(subscriber, { filter: "t", qos: 1 });
    await expectPublish(subscriber, { payload: "kept", qos: 1, retain });
    world.broker.publish("t", "live", { qos: 1 });
    await expectPublish(subscriber, { payload: "live", qos: 1, retain: false });
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 section 4.8.2: a shared subscription gets no retained messages",
  { versions: everyVersion },
  async (world) => {
    world.broker.publish("t", "kept", { qos: 1, retain });
    const subscriber = await world.connect();
    assert.deepEqual(await subscribed(subscriber, { filter: "$share/g/t", qos: 1 }), [1]);
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-3] a retained message comes with the subscription's identifier",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("a/b", "kept", { retain });
    const subscriber = await world.connect();
    await subscribed(subscriber, ["a/b", "a/+"], { subscriptionIdentifiers: [268_435_455] });
    const properties = { subscriptionIdentifiers: [268_435_455] };
    await expectPublish(subscriber, { payload: "kept", retain, properties });
    await expectPublish(subscriber, { payload: "kept", retain, properties });
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-9] more retained messages than the client's window and the queue hold all arrive, each once",
  { versions: everyVersion, broker: { limits: { queueMessagesMax: 5 } } },
  async (world) => {
    const total = 300;
    for (let count = 0; count < total; count++) {
      world.broker.publish(`many/${count}`, "x".repeat(2000), { qos: 1, retain });
    }
    const subscriber = await world.connect(
      world.version === 5 ? { properties: { receiveMaximum: 7 } } : {},
    );
    await subscribed(subscriber, { filter: "many/#", qos: 1 });
    const topics = new Set<string>();
    for (let count = 0; count < total; count++) {
      const { topic, packetIdentifier } = await expectPublish(subscriber, { retain, qos: 1 });
      topics.add(topic);
      subscriber.send(puback(packetIdentifier));
    }
    assert.equal(topics.size, total);
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-2] unsubscribing stops retained messages that have not been sent",
  { versions: onlyV5 },
  async (world) => {
    for (let count = 0; count < 10; count++) {
      world.broker.publish(`many/${count}`, "", { qos: 1 });
      world.broker.publish(`many/${count}`, "x", { qos: 1, retain });
    }
    const subscriber = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(subscriber, { filter: "many/#", qos: 1 });
    const { packetIdentifier } = await expectPublish(subscriber, { retain });
    subscriber.send(unsubscribe("many/#"), puback(packetIdentifier));
    await subscriber.expectPacket(PacketType.unsuback);
    await subscriber.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.3.1-6] RETAIN on a subscription that is refused sends nothing",
  { versions: onlyV3 },
  async (world) => {
    world.broker.publish("a/b", "kept", { retain });
    const subscriber = await world.connect();
    subscriber.send(subscribe(["a/#/b", "a/b", "a/b#"]));
    await subscriber.expectBytes("90 05 0001 80 00 80");
    await expectPublish(subscriber, { payload: "kept", retain });
    await expectNothingMore(subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-3] No Local holds back what the client itself had retained",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send(publish("t/own", "own", { retain }));
    const other = await world.connect();
    other.send(publish("t/other", "other", { retain }));
    await other.ping();
    await subscribed(client, { filter: "t/+", noLocal: true });
    await expectPublish(client, { payload: "other" });
    await client.ping();
  },
);
