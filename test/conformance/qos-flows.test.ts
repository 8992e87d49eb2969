/** QoS 0, 1 and 2 step by step, both ways (5.0 and 3.1.1, section 4.3). */
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV5 } from "./harness/index.ts";
import {
  expectNothingMore,
  expectPublish,
  persistent,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribed,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-4.3.1-1] 3.1.1 [MQTT-4.3.1-1] QoS 0 arrives once, without DUP",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    publisher.send(publish("t", "x"));
    await expectPublish(subscriber, { payload: "x", qos: 0, dup: false });
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.2-4] [MQTT-4.3.2-5] 3.1.1 [MQTT-4.3.2-2] after PUBACK the same identifier is a new message, whatever its DUP",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    for (const dup of [false, true, false]) {
      publisher.send(publish("t", `${dup}`, { qos: 1, dup, packetIdentifier: 9 }));
      await publisher.expectBytes("40 02 0009");
      await expectPublish(subscriber, { payload: `${dup}`, dup: false });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.2-1] [MQTT-4.3.2-2] [MQTT-4.3.2-3] 3.1.1 [MQTT-4.3.2-1] QoS 1 to a subscriber: once, DUP 0, and not again while it says nothing",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    world.broker.publish("t", "x", { qos: 1 });
    await expectPublish(subscriber, { qos: 1, dup: false, packetIdentifier: 1 });
    world.clock.advanceSeconds(3600);
    await subscriber.ping();
    world.broker.publish("t", "y", { qos: 1 });
    await expectPublish(subscriber, { payload: "y", packetIdentifier: 2 });
    subscriber.send(puback(1));
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-4] [MQTT-4.3.3-5] 3.1.1 [MQTT-4.3.3-1] QoS 2 to a subscriber, byte by byte",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    world.broker.publish("t", "x", { qos: 2 });
    await subscriber.expectBytes(
      world.version === 5 ? "34 07 0001 74 0001 00 78" : "34 06 0001 74 0001 78",
    );
    subscriber.send("50 02 0001");
    await subscriber.expectBytes("62 02 0001");
    subscriber.send("50 02 0001");
    await subscriber.expectBytes("62 02 0001");
    subscriber.send("70 02 0001");
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-8] [MQTT-4.3.3-10] [MQTT-4.3.3-11] 3.1.1 [MQTT-4.3.3-2] QoS 2 from a publisher: sent twice, delivered once",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    publisher.send(publish("t", "x", { qos: 2, packetIdentifier: 7 }));
    publisher.send(publish("t", "x", { qos: 2, packetIdentifier: 7, dup: true }));
    publisher.send(publish("t", "x", { qos: 2, packetIdentifier: 7 }));
    await publisher.expectBytes("50 02 0007  50 02 0007  50 02 0007");
    publisher.send(pubrel(7));
    await publisher.expectBytes("70 02 0007");
    await expectPublish(subscriber, { payload: "x", qos: 2 });
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-10] a QoS 2 message without subscribers, sent twice, is not delivered to who comes in between",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    publisher.send(publish("t", "x", { qos: 2 }));
    await publisher.expectBytes("50 03 0001 10");
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    publisher.send(publish("t", "x", { qos: 2, dup: true }));
    await publisher.expectBytes("50 02 0001");
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-12] 3.1.1 [MQTT-4.3.3-2] after PUBCOMP the same identifier is a new message",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    for (const payload of ["1", "2"]) {
      publisher.send(publish("t", payload, { qos: 2, dup: payload === "2" }), pubrel());
      await publisher.expectBytes("50 02 0001  70 02 0001");
      await expectPublish(subscriber, { payload });
    }
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-10] 3.1.1 [MQTT-4.3.3-2] a QoS 2 message sent again after a reconnect is delivered once",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const fields = persistent(world.version, "pub");
    const before = await world.connect(fields);
    before.send(publish("t", "x", { qos: 2, packetIdentifier: 5 }));
    await before.expectBytes("50 02 0005");
    before.destroy();
    const after = await world.connect(fields);
    after.send(publish("t", "x", { qos: 2, packetIdentifier: 5, dup: true }), pubrel(5));
    await after.expectBytes("50 02 0005  70 02 0005");
    await expectPublish(subscriber, { payload: "x" });
    await expectNothingMore(after, subscriber);
    const third = await world.connect(fields);
    third.send(publish("t", "y", { qos: 2, packetIdentifier: 5 }));
    await expectPublish(subscriber, { payload: "y" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-10] a PUBREL alone after a reconnect ends the exchange",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "pub");
    const before = await world.connect(fields);
    before.send(publish("t", "x", { qos: 2, retain: true }));
    await before.expectPacket(PacketType.pubrec);
    before.destroy();
    const after = await world.connect(fields);
    after.send(pubrel());
    await after.expectBytes("70 02 0001");
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-4] a clean start forgets which QoS 2 messages came",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const fields = persistent(world.version, "pub");
    const before = await world.connect(fields);
    before.send(publish("t", "1", { qos: 2 }));
    await before.expectPacket(PacketType.pubrec);
    await expectPublish(subscriber, { payload: "1" });
    const after = await world.connect({ ...fields, cleanStart: true });
    after.send(publish("t", "2", { qos: 2 }));
    await after.expectBytes("50 02 0001");
    await expectPublish(subscriber, { payload: "2" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-9] a QoS 2 message that was refused may come again under its identifier",
  {
    versions: onlyV5,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ topic }) => ({ allowed: topic !== "forbidden", rule: "test" }),
      },
    },
  },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const publisher = await world.connect();
    publisher.send(publish("forbidden", "1", { qos: 2 }));
    const { reasonCode } = await publisher.expectPacket(PacketType.pubrec);
    if (reasonCode !== ReasonCode.notAuthorized) throw new Error(`PUBREC ${reasonCode}`);
    publisher.send(publish("t", "2", { qos: 2 }));
    await publisher.expectBytes("50 02 0001");
    await expectPublish(subscriber, { topic: "t", payload: "2" });
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.3.5-2] a QoS 2 message that is not allowed goes through its handshake and reaches nobody",
  {
    versions: onlyV3,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ topic }) => ({ allowed: topic !== "forbidden", rule: "test" }),
      },
    },
  },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const publisher = await world.connect();
    publisher.send(publish("forbidden", "1", { qos: 2 }), pubrel());
    publisher.send(publish("forbidden", "1", { qos: 1 }), publish("forbidden", "1"));
    await publisher.expectBytes("50 02 0001  70 02 0001  40 02 0001");
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-11] QoS 1 and QoS 2 identifiers of the two directions do not meet",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 2 });
    client.send(publish("t", "x", { qos: 2, packetIdentifier: 1 }));
    await expectPublish(client, { payload: "x", packetIdentifier: 1 });
    await client.expectBytes("50 02 0001");
    client.send(pubrec(1), pubrel(1), pubcomp(1));
    await client.expectBytes("62 02 0001  70 02 0001");
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.2-4] [MQTT-4.3.2-5] 3.1.1 [MQTT-4.3.2-2] the same identifier several times in one piece: as many messages, as many PUBACKs",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    const same = ["1", "2", "3"].map((payload) =>
      publish("t", payload, { qos: 1, packetIdentifier: 9, dup: payload === "2" }),
    );
    publisher.send(...same);
    await publisher.expectBytes("40 02 0009  40 02 0009  40 02 0009");
    for (const payload of ["1", "2", "3"]) await expectPublish(subscriber, { payload });
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-10] [MQTT-4.3.3-12] 3.1.1 [MQTT-4.3.3-2] of several QoS 2 messages under way each identifier stands for itself",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    publisher.send(publish("t", "1", { qos: 2, packetIdentifier: 1 }));
    publisher.send(publish("t", "2", { qos: 2, packetIdentifier: 2 }));
    publisher.send(pubrel(1));
    publisher.send(publish("t", "2", { qos: 2, packetIdentifier: 2, dup: true }));
    publisher.send(publish("t", "3", { qos: 2, packetIdentifier: 1 }));
    await publisher.expectBytes("50 02 0001  50 02 0002  70 02 0001  50 02 0002  50 02 0001");
    for (const payload of ["1", "2", "3"]) await expectPublish(subscriber, { payload });
    await expectNothingMore(publisher, subscriber);
  },
);
