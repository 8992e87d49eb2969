/** PUBLISH: its fixed header and variable header (5.0, sections 3.3.1, 3.3.2 and 2.2.1). */
import assert from "node:assert/strict";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import {
  conformanceTest,
  everyVersion,
  onlyV3,
  onlyV3_1_1,
  onlyV5,
  packetBytes,
} from "./harness/index.ts";
import {
  everyQos,
  expectAcknowledgement,
  expectNothingMore,
  expectPublish,
  persistent,
  puback,
  publish,
  subscribed,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-3.3.1-3] 3.1.1 [MQTT-3.3.1-3] DUP of the publisher goes no further",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const publisher = await world.connect();
    publisher.send(publish("t", "one", { qos: 1, dup: true }));
    await expectPublish(subscriber, { payload: "one", qos: 1, dup: false });
    publisher.send(publish("t", "two", { qos: 2, dup: true, packetIdentifier: 2 }));
    await expectPublish(subscriber, { payload: "two", qos: 2, dup: false });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-2] 3.1.1 [MQTT-3.3.1-2] DUP on QoS 0 ends the connection",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    for (const header of ["38", "39"]) {
      const client = await world.connect();
      client.send(`${header} ${world.version === 5 ? "05 0001 74 00 61" : "04 0001 74 61"}`);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-4] 3.1.1 [MQTT-3.3.1-4] QoS 3 ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const header of ["36", "37", "3e", "3f"]) {
      const client = await world.connect();
      client.send(`${header} ${world.version === 5 ? "06 0001 74 0001 00" : "05 0001 74 0001"}`);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-2] 3.1.1 [MQTT-2.3.1-5] QoS 0 holds no packet identifier",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    await subscribed(subscriber, { filter: "low", qos: 0 });
    const isV5 = world.version === 5;
    const publisher = await world.connect();
    // As it came; read and written anew, without RETAIN; and with a lower QoS than it came with.
    publisher.send(isV5 ? "30 06 0001 74 00 6162" : "30 05 0001 74 6162");
    await subscriber.expectBytes(isV5 ? "30 06 0001 74 00 6162" : "30 05 0001 74 6162");
    publisher.send(isV5 ? "31 06 0001 74 00 6364" : "31 05 0001 74 6364");
    await subscriber.expectBytes(isV5 ? "30 06 0001 74 00 6364" : "30 05 0001 74 6364");
    publisher.send(publish("low", "ef", { qos: 1 }));
    await subscriber.expectBytes(isV5 ? "30 08 0003 6c6f77 00 6566" : "30 07 0003 6c6f77 6566");
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-3] 3.1.1 [MQTT-2.3.1-1] packet identifier 0 ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const header of ["32", "34"]) {
      const client = await world.connect();
      client.send(
        world.version === 5 ? `${header} 06 0001 74 0000 00` : `${header} 05 0001 74 0000`,
      );
      await client.expectDisconnected(ReasonCode.protocolError);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] 3.1.1 [MQTT-2.3.1-4] [MQTT-4.3.2-1] [MQTT-4.3.3-1] every message under way has an identifier of its own, not 0",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 2 });
    const seen = new Set<number>();
    for (let count = 0; count < 100; count++) {
      world.broker.publish("t", `${count}`, { qos: count % 2 === 0 ? 1 : 2 });
    }
    for (let count = 0; count < 100; count++) {
      const { packetIdentifier = 0 } = await expectPublish(subscriber, { payload: `${count}` });
      assert.ok(packetIdentifier > 0 && !seen.has(packetIdentifier), `${packetIdentifier}`);
      seen.add(packetIdentifier);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-4] [MQTT-4.3.2-1] 3.1.1 [MQTT-2.3.1-4] [MQTT-4.3.2-1] an identifier under way is passed over when the count comes round",
  { versions: [ProtocolVersion.v3_1_1, ProtocolVersion.v5] },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    world.broker.publish("t", "held", { qos: 1 });
    const held = await expectPublish(subscriber, { payload: "held", packetIdentifier: 1 });
    for (let round = 0; round < 70; round++) {
      for (let count = 0; count < 1000; count++) world.broker.publish("t", "", { qos: 1 });
      const answers: Uint8Array[] = [];
      for (let count = 0; count < 1000; count++) {
        const identifier = (await subscriber.expectFrame()).subarray(5, 7);
        assert.notEqual(identifier.readUInt16BE(), held.packetIdentifier);
        assert.notEqual(identifier.readUInt16BE(), 0);
        answers.push(Buffer.from([0x40, 2, ...identifier]));
      }
      subscriber.send(...answers);
      await subscriber.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-1] [MQTT-4.7.3-2] 3.1.1 [MQTT-3.3.2-1] [MQTT-4.7.3-2] a topic that is no UTF-8 or holds U+0000 ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const topic of ["0002 c328", "0003 eda080", "0001 00"]) {
      const client = await world.connect();
      const body = `${topic}${world.version === 5 ? "00" : ""}`;
      const length = body.replaceAll(" ", "").length / 2;
      client.send(`30 ${length.toString(16).padStart(2, "0")} ${body}`);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-2] [MQTT-4.7.0-1] 3.1.1 [MQTT-3.3.2-2] [MQTT-4.7.1-1] a topic with a wildcard ends the connection, and 5.0 clients hear 0x90",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    for (const topic of ["a/+", "#", "a/#", "+", "a+b"]) {
      const client = await world.connect();
      client.send(publish(topic, "x"));
      await client.expectDisconnected(ReasonCode.topicNameInvalid);
    }
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.7.3-1] 3.1.1 [MQTT-4.7.3-1] an empty topic ends the connection",
  { versions: everyVersion },
  async (world) => {
    const rest = world.version === 5 ? "00" : "";
    for (const packet of [
      packetBytes("30", `0000 ${rest}`),
      packetBytes("31", `0000 ${rest} 61`),
      packetBytes("32", `0000 0001 ${rest}`),
      packetBytes("34", `0000 0001 ${rest}`),
    ]) {
      const client = await world.connect();
      client.send(packet);
      await client.expectDisconnected(ReasonCode.protocolError);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-1] 3.1.1 [MQTT-3.3.4-1] the QoS decides the answer: none, PUBACK, PUBREC",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const client = await world.connect();
    client.send(publish("t", "0"), publish("t", "1", { qos: 1, packetIdentifier: 258 }));
    client.send(publish("t", "2", { qos: 2, packetIdentifier: 65_535 }));
    await client.expectBytes("40 02 0102  50 02 ffff");
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.4.2-1] [MQTT-3.5.2-1] who publishes where nobody is subscribed hears 0x10",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send(publish("nobody", "", { qos: 1, packetIdentifier: 7 }));
    client.send(publish("nobody", "", { qos: 2, packetIdentifier: 8 }));
    await client.expectBytes("40 03 0007 10  50 03 0008 10");
    client.send("62 02 0008");
    await client.expectBytes("70 02 0008");
    client.send(publish("nobody", "", { qos: 1, retain: true }));
    await client.expectBytes("40 03 0001 10");
    await subscribed(client, "nobody/+");
    client.send(publish("nobody", "", { qos: 1, packetIdentifier: 7 }));
    await client.expectBytes("40 03 0007 10");
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.3.4-1] who publishes where nobody is subscribed hears nothing of it",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.connect();
    client.send(publish("nobody", "", { qos: 1, packetIdentifier: 7 }));
    client.send(publish("nobody", "", { qos: 2, packetIdentifier: 8 }));
    await client.expectBytes("40 02 0007  50 02 0008");
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-8] 3.1.1 [MQTT-3.8.4-6] a message comes with the lesser of its QoS and the one granted",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    for (const granted of everyQos) {
      const subscriber = await world.connect();
      await subscribed(subscriber, { filter: `t/${granted}`, qos: granted });
      for (const qos of everyQos) {
        publisher.send(publish(`t/${granted}`, `${qos}`, { qos, packetIdentifier: 10 + granted }));
        const expected = Math.min(qos, granted) as 0 | 1 | 2;
        await expectPublish(subscriber, { payload: `${qos}`, qos: expected });
        if (qos === 1)
          await expectAcknowledgement(publisher, PacketType.puback, {
            packetIdentifier: 10 + granted,
          });
        if (qos === 2) {
          await expectAcknowledgement(publisher, PacketType.pubrec, {
            packetIdentifier: 10 + granted,
          });
          publisher.send(`62 02 000${(10 + granted).toString(16)}`);
          await publisher.expectPacket(PacketType.pubcomp);
        }
      }
    }
  },
);

conformanceTest(
  "a payload may be empty, and as large as the packet allows",
  { versions: everyVersion },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    for (const bytes of [0, 1, 127, 128, 16_383, 16_384, 16_385, 70_000, 1_000_000]) {
      const payload = "x".repeat(bytes);
      publisher.send(publish("t", payload));
      await expectPublish(subscriber, { payload, qos: 0 });
      publisher.send(publish("t", payload, { qos: 1 }));
      const { packetIdentifier } = await expectPublish(subscriber, { payload, qos: 1 });
      subscriber.send(puback(packetIdentifier));
      await publisher.expectPacket(PacketType.puback);
    }
    await expectNothingMore(publisher, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-1.5.5-1] a remaining length in more bytes than needed ends the connection and reaches nobody",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    publisher.send("30 05 0001 74 00 61", "30 8500 0001 74 00 62");
    await publisher.expectDisconnected(ReasonCode.malformedPacket);
    await subscriber.expectBytes("30 05 0001 74 00 61");
    await subscriber.ping();
  },
);

conformanceTest(
  "3.1.1 a remaining length in more bytes than needed is not passed on as it came",
  { versions: onlyV3_1_1 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    publisher.send("30 8400 0001 74 61", "30 8400 0001 74 62", "32 8600 0001 74 0001 63");
    await subscriber.expectBytes("30 04 0001 74 61  30 04 0001 74 62  32 06 0001 74 0001 63");
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-3] 3.1.1 [MQTT-3.3.2-3] every version gets what every other publishes, as its own version writes it",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    for (const version of everyVersion) {
      const subscriber = await world.connect(persistent(version, `sub-${version}`));
      await subscribed(subscriber, { filter: "t/+", qos: 1 });
      for (const qos of everyQos) {
        publisher.send(publish(`t/${qos}`, "same", { qos, packetIdentifier: version }));
        await expectPublish(subscriber, {
          topic: `t/${qos}`,
          payload: "same",
          qos: qos === 0 ? 0 : 1,
          properties: {},
        });
      }
      await subscriber.ping();
    }
  },
);
