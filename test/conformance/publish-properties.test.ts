/** The properties of PUBLISH go from publisher to subscriber as they came (5.0, section 3.3.2.3). */
import assert from "node:assert/strict";
import { PacketType, type Properties } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV5 } from "./harness/index.ts";
import {
  everyQos,
  expectPublish,
  leaveSubscribed,
  persistent,
  publish,
  subscribed,
} from "./packets.ts";

const everything: Properties = {
  payloadFormatIndicator: 1,
  contentType: "application/x; π",
  responseTopic: "answers/to me",
  correlationData: Buffer.from([0, 255, 1, 254]),
  userProperties: [
    ["b", "1"],
    ["a", "2"],
    ["b", ""],
    ["", "3"],
    ["b", "1"],
  ],
};

/** The same properties in an order that no encoder of ours would choose. */
const scrambled = [
  "26 0001 62 0001 31", // user property b=1
  "09 0004 00ff01fe", // correlation data
  "26 0001 61 0001 32", // a=2
  "03 0003 782f79", // content type x/y
  "26 0001 62 0001 31", // b=1 again
  "08 0001 72", // response topic r
  "01 00", // payload format indicator 0
].join("");

conformanceTest(
  "5.0 [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18] [MQTT-3.3.2-20] all properties arrive as they were sent, in every QoS",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    for (const qos of everyQos) {
      publisher.send(publish("t", "x", { qos, properties: everything, packetIdentifier: 3 }));
      const { properties } = await expectPublish(subscriber, { payload: "x", qos });
      assert.deepEqual(properties, everything);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-17] [MQTT-3.3.2-18] the bytes of the properties are left in their order",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    const bytes = scrambled.replaceAll(" ", "").length / 2;
    const frame = `30 ${(bytes + 5).toString(16)} 0001 74 ${bytes.toString(16)} ${scrambled} 7a`;
    publisher.send(frame);
    await subscriber.expectBytes(frame);
    publisher.send(
      `32 ${(bytes + 7).toString(16)} 0001 74 0009 ${bytes.toString(16)} ${scrambled} 7a`,
    );
    await subscriber.expectBytes(frame);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-17] [MQTT-3.3.2-18] the properties of a message that was retained or had to wait are the same",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "away");
    await leaveSubscribed(world, fields, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    publisher.send(publish("t", "x", { qos: 1, retain: true, properties: everything }));
    await publisher.expectPacket(PacketType.puback);
    const after = await world.connect(fields);
    const waited = await expectPublish(after, { payload: "x", qos: 1 });
    assert.deepEqual(waited.properties, everything);
    const fresh = await world.connect();
    await subscribed(fresh, "t", { subscriptionIdentifiers: [9] });
    const retained = await expectPublish(fresh, { payload: "x", retain: true });
    assert.deepEqual(retained.properties, { ...everything, subscriptionIdentifiers: [9] });
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.2-1] a 3.x subscriber gets the message without its properties",
  { versions: onlyV5 },
  async (world) => {
    const publisher = await world.connect();
    for (const version of [3, 4] as const) {
      const subscriber = await world.connect({ protocolVersion: version });
      await subscribed(subscriber, { filter: "t", qos: 1 });
      publisher.send(publish("t", "x", { properties: everything }));
      await subscriber.expectBytes("30 04 0001 74 78");
      publisher.send(publish("t", "y", { qos: 1, properties: everything }));
      await subscriber.expectBytes("32 06 0001 74 0001 79");
      await publisher.expectPacket(PacketType.puback);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-14] a response topic with a wildcard ends the connection",
  { versions: onlyV5 },
  async (world) => {
    for (const responseTopic of ["2b", "23"]) {
      const client = await world.connect();
      client.send(`30 08 0001 74 04 08 0001 ${responseTopic}`);
      await client.expectDisconnected(ReasonCode.protocolError);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-13] [MQTT-3.3.2-19] text that is no UTF-8 ends the connection",
  { versions: onlyV5 },
  async (world) => {
    for (const property of ["08 0001 ff", "03 0001 ff", "26 0001 ff 0000", "26 0000 0001 ff"]) {
      const client = await world.connect();
      const bytes = property.replaceAll(" ", "").length / 2;
      client.send(Buffer.from([0x30, bytes + 4, 0, 1, 0x74, bytes]), property);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-6] a subscription identifier from a client ends the connection",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send("30 06 0001 74 02 0b 01");
    await client.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 a property that stands there twice, or does not belong in PUBLISH, ends the connection",
  { versions: onlyV5 },
  async (world) => {
    const twice = await world.connect();
    twice.send("30 08 0001 74 04 01 00 01 00");
    await twice.expectDisconnected(ReasonCode.protocolError);
    const strange = await world.connect();
    strange.send("30 09 0001 74 05 11 00000001");
    await strange.expectDisconnected(ReasonCode.malformedPacket);
    const format = await world.connect();
    format.send("30 06 0001 74 02 01 02");
    await format.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-4] a payload that is not the UTF-8 it claims to be is passed on untouched",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    publisher.send("30 07 0001 74 02 01 01 ff");
    await subscriber.expectBytes("30 07 0001 74 02 01 01 ff");
  },
);

conformanceTest(
  "a message of the embedding program brings its properties to 5.0, and none to 3.x",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    world.broker.publish("t", "x", { properties: everything });
    const { properties } = await expectPublish(subscriber, { payload: "x" });
    assert.deepEqual(properties, world.version === 5 ? everything : {});
  },
);
