/** Receive Maximum, in both directions (5.0, sections 4.9 and 3.3.4). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV5 } from "./harness/index.ts";
import {
  expectPublish,
  puback,
  pubcomp,
  publish,
  pubrec,
  pubrel,
  subscribe,
  subscribed,
} from "./packets.ts";

for (const receiveMaximum of [1, 2, 10]) {
  conformanceTest(
    `5.0 [MQTT-4.9.0-1] [MQTT-4.9.0-2] [MQTT-3.3.4-9] a client's Receive Maximum of ${receiveMaximum} is kept; PUBACK and PUBCOMP make room`,
    { versions: onlyV5 },
    async (world) => {
      const client = await world.connect({ properties: { receiveMaximum } });
      await subscribed(client, { filter: "t", qos: 2 });
      for (let count = 0; count < 30; count++) {
        world.broker.publish("t", `${count}`, { qos: count % 2 === 0 ? 1 : 2 });
      }
      const underWay: { packetIdentifier: number; qos: number }[] = [];
      let received = 0;
      while (received < 30) {
        while (underWay.length < receiveMaximum && received < 30) {
          const packet = await expectPublish(client, { payload: `${received++}` });
          underWay.push({ packetIdentifier: packet.packetIdentifier ?? 0, qos: packet.qos });
        }
        await client.ping();
        const { packetIdentifier, qos } = underWay.shift() ?? { packetIdentifier: 0, qos: 1 };
        if (qos === 1) client.send(puback(packetIdentifier));
        else {
          client.send(pubrec(packetIdentifier));
          await client.expectPacket(PacketType.pubrel);
          await client.ping(); // PUBREC alone makes no room
          client.send(pubcomp(packetIdentifier));
        }
      }
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.9.0-2] a PUBREC with failure makes room at once",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 2 });
    world.broker.publish("t", "2", { qos: 2 });
    const { packetIdentifier } = await expectPublish(client, { payload: "1" });
    client.send(pubrec(packetIdentifier, ReasonCode.implementationSpecificError));
    await expectPublish(client, { payload: "2" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.9.0-3] [MQTT-3.3.4-10] with a full window everything but QoS 1 and 2 goes on, both ways",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 1 });
    world.broker.publish("t", "2", { qos: 1 });
    await expectPublish(client, { payload: "1" });
    world.broker.publish("t", "live", { qos: 0 });
    await expectPublish(client, { payload: "live", qos: 0 });
    client.send(subscribe("other"));
    await client.expectPacket(PacketType.suback);
    client.send(publish("other", "own", { qos: 2 }), pubrel());
    await expectPublish(client, { payload: "own" });
    await client.expectBytes("50 02 0001  70 02 0001");
    await client.ping();
    client.send(puback(1));
    await expectPublish(client, { payload: "2" });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-7] a client beyond the broker's Receive Maximum hears 0x93",
  { versions: onlyV5, broker: { limits: { receiveMaximum: 3 } } },
  async (world) => {
    const client = await world.connect();
    assert.equal(client.connack?.properties.receiveMaximum, 3);
    for (let packetIdentifier = 1; packetIdentifier <= 3; packetIdentifier++) {
      client.send(publish("t", "", { qos: 2, retain: true, packetIdentifier }));
      await client.expectPacket(PacketType.pubrec);
    }
    client.send(publish("t", "", { qos: 2, dup: true, packetIdentifier: 3 }));
    await client.expectPacket(PacketType.pubrec);
    client.send(pubrel(2), publish("t", "", { qos: 2, packetIdentifier: 4 }));
    await client.expectPacket(PacketType.pubcomp);
    await client.expectPacket(PacketType.pubrec);
    client.send(publish("t", "", { qos: 1, packetIdentifier: 5 }));
    client.send(publish("t", "", { qos: 2, packetIdentifier: 6 }));
    const packet = await client.expectAny();
    if (packet.type === PacketType.puback) await client.expectDisconnected(0x93);
    else assert.equal(packet.type === PacketType.disconnect && packet.reasonCode, 0x93);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-7] QoS 1 never fills the broker's window, however many come at once",
  { versions: onlyV5, broker: { limits: { receiveMaximum: 3 } } },
  async (world) => {
    const client = await world.connect();
    const many = Array.from({ length: 50 }, (_, index) =>
      publish("t", "", { qos: 1, packetIdentifier: index + 1 }),
    );
    client.send(...many);
    for (let count = 1; count <= 50; count++) {
      const { packetIdentifier } = await client.expectPacket(PacketType.puback);
      assert.equal(packetIdentifier, count);
    }
  },
);

conformanceTest(
  "3.x knows no Receive Maximum: more QoS 2 than receiveMaximum may be under way from a client",
  { versions: onlyV3, broker: { limits: { receiveMaximum: 3 } } },
  async (world) => {
    const client = await world.connect();
    for (let packetIdentifier = 1; packetIdentifier <= 10; packetIdentifier++) {
      client.send(publish("t", "", { qos: 2, packetIdentifier }));
      await client.expectPacket(PacketType.pubrec);
    }
  },
);

conformanceTest(
  "inFlightMessagesMax holds towards every client that allows more",
  { versions: everyVersion, broker: { limits: { inFlightMessagesMax: 2 } } },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 1 });
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 1 });
    const { packetIdentifier } = await expectPublish(client, { payload: "1" });
    await expectPublish(client, { payload: "2" });
    await client.ping();
    client.send(puback(packetIdentifier));
    await expectPublish(client, { payload: "3" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.9.0-3] a client that has used up the broker's Receive Maximum is answered in everything else",
  { versions: onlyV5, broker: { limits: { receiveMaximum: 1 } } },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 1 });
    client.send(publish("full", "", { qos: 2 }));
    await client.expectBytes("50 03 0001 10");
    client.send("82 07 0002 00 0001 61 00", "a2 06 0003 00 0001 61", publish("t", "0"), "c000");
    await client.expectBytes("90 04 0002 00 00  b0 04 0003 00 00  30 05 0001 74 00 30  d000");
    world.broker.publish("t", "1", { qos: 1 });
    await client.expectBytes("32 07 0001 74 0001 00 31");
    client.send(puback(1), pubrel(1));
    await client.expectBytes("70 02 0001");
    client.send(publish("full", "", { qos: 2, packetIdentifier: 2 }));
    await client.expectBytes("50 03 0002 10");
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-9] [MQTT-4.9.0-2] what a publisher sends in one piece reaches a narrow subscriber no faster than it acknowledges",
  { versions: onlyV5 },
  async (world) => {
    const narrow = await world.connect({ properties: { receiveMaximum: 3 } });
    await subscribed(narrow, { filter: "t", qos: 1 });
    const wide = await world.connect();
    await subscribed(wide, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    const pieces = Array.from({ length: 20 }, (_, count) =>
      publish("t", `${count}`, { qos: 1, packetIdentifier: count + 1 }),
    );
    publisher.send(...pieces);
    for (let count = 0; count < 20; count++) {
      await publisher.expectPacket(PacketType.puback);
      await expectPublish(wide, { payload: `${count}` });
    }
    for (let count = 0; count < 3; count++) await expectPublish(narrow, { payload: `${count}` });
    await narrow.ping();
    for (let count = 3; count < 20; count++) {
      narrow.send(puback(count - 2));
      await expectPublish(narrow, { payload: `${count}`, packetIdentifier: count + 1 });
      await narrow.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.9.0-1] a client that names no Receive Maximum is sent its first messages at once",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 2 });
    for (let count = 0; count < 20; count++) world.broker.publish("t", "", { qos: 2 });
    for (let count = 0; count < 20; count++) await expectPublish(client, { qos: 2 });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-9] [MQTT-4.9.0-2] retained messages keep to the Receive Maximum as well",
  { versions: onlyV5 },
  async (world) => {
    for (const name of ["a", "b", "c", "d"]) {
      world.broker.publish(`t/${name}`, name, { qos: 1, retain: true });
    }
    const client = await world.connect({ properties: { receiveMaximum: 2 } });
    await subscribed(client, { filter: "t/+", qos: 1 });
    for (let count = 1; count <= 4; count++) {
      if (count > 2) client.send(puback(count - 2));
      await expectPublish(client, { retain: true, qos: 1, packetIdentifier: count });
      if (count >= 2) await client.ping();
    }
  },
);
