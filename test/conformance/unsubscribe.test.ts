/** UNSUBSCRIBE and UNSUBACK (sections 3.10 and 3.11). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV3_1_1, onlyV5 } from "./harness/index.ts";
import {
  expectAcknowledgement,
  expectPublish,
  persistent,
  puback,
  pubcomp,
  pubrec,
  subscribed,
  unsubscribe,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-3.10.1-1] 3.1.1 [MQTT-3.10.1-1] wrong flags end the connection",
  { versions: onlyV3_1_1.concat(onlyV5) },
  async (world) => {
    for (const header of ["a0", "a3", "aa"]) {
      const client = await world.connect();
      client.send(
        world.version === 5 ? `${header} 06 0001 00 0001 74` : `${header} 05 0001 0001 74`,
      );
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.3-2] 3.1.1 [MQTT-3.10.3-2] UNSUBSCRIBE without a filter ends the connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(world.version === 5 ? "a2 03 0001 00" : "a2 02 0001");
    await client.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.3-1] 3.1.1 [MQTT-3.10.3-1] a filter that is no UTF-8 ends the connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(world.version === 5 ? "a2 06 0001 00 0001 ff" : "a2 05 0001 0001 ff");
    await client.expectDisconnected(ReasonCode.malformedPacket);
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-3] 3.1.1 [MQTT-2.3.1-1] identifier 0 ends the connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(world.version === 5 ? "a2 06 0000 00 0001 74" : "a2 05 0000 0001 74");
    await client.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] one UNSUBACK, a code for each filter, in order",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, ["a", "b/#", "$share/g/c"]);
    client.send({
      ...unsubscribe("not", "a", "a/", "b/#", "$share/g/c"),
      packetIdentifier: 0xabcd,
    });
    await client.expectBytes("b0 08 abcd 00 11 00 11 00 00");
    client.send(unsubscribe("a", "a", "a/#/b"));
    await client.expectBytes("b0 06 0001 00 11 11 8f");
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] UNSUBACK bears the identifier alone, whether there was a subscription or not",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, "a");
    client.send("a2 08 abcd 0001 61 0001 62");
    await client.expectBytes("b0 02 abcd");
    client.send("a2 05 0102 0001 61");
    await client.expectBytes("b0 02 0102");
    world.broker.publish("a", "");
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-1] 3.1.1 [MQTT-3.10.4-1] filters are compared character by character, wildcards too",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, ["a/+", "a/b"]);
    client.send(unsubscribe("a/#", "#", "A/+", "a/c", "a/+/"));
    await client.expectPacket(PacketType.unsuback);
    world.broker.publish("a/b", "1");
    await expectPublish(client, { payload: "1" });
    client.send(unsubscribe("a/b"));
    await client.expectPacket(PacketType.unsuback);
    world.broker.publish("a/b", "2");
    await expectPublish(client, { payload: "2" });
    client.send(unsubscribe("a/+"));
    await client.expectPacket(PacketType.unsuback);
    world.broker.publish("a/b", "3");
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-2] [MQTT-3.10.4-3] 3.1.1 [MQTT-3.10.4-2] [MQTT-3.10.4-3] what is under way is brought to its end, nothing new comes",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "one", { qos: 1 });
    world.broker.publish("t", "two", { qos: 2 });
    const one = await expectPublish(before, { payload: "one", qos: 1 });
    const two = await expectPublish(before, { payload: "two", qos: 2 });
    before.send(unsubscribe("t"));
    await before.expectPacket(PacketType.unsuback);
    world.broker.publish("t", "three", { qos: 2 });
    await before.ping();
    const after = await world.connect(fields);
    await expectPublish(after, {
      payload: "one",
      dup: true,
      packetIdentifier: one.packetIdentifier,
    });
    await expectPublish(after, {
      payload: "two",
      dup: true,
      packetIdentifier: two.packetIdentifier,
    });
    after.send(puback(one.packetIdentifier), pubrec(two.packetIdentifier));
    const { packetIdentifier } = two;
    await expectAcknowledgement(after, PacketType.pubrel, { packetIdentifier });
    after.send(pubcomp(packetIdentifier));
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-1] a subscription that ended stays away from the session's next connection",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    assert.deepEqual(await subscribed(before, { filter: "t", qos: 1 }), [1]);
    before.send(unsubscribe("t"));
    await before.expectPacket(PacketType.unsuback);
    before.end();
    await before.expectClosed();
    world.broker.publish("t", "x", { qos: 1 });
    const after = await world.connect(fields);
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-3] 3.1.1 [MQTT-3.10.4-3] a QoS 2 exchange in the middle goes on behind UNSUBACK on the same connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t", qos: 2 });
    for (const payload of ["1", "2"]) world.broker.publish("t", payload, { qos: 2 });
    for (const payload of ["1", "2"]) await expectPublish(client, { payload });
    client.send("50 02 0001");
    await client.expectBytes("62 02 0001");
    client.send(unsubscribe("t"));
    await client.expectPacket(PacketType.unsuback);
    client.send("70 02 0001  50 02 0002");
    await client.expectBytes("62 02 0002");
    client.send("70 02 0002");
    world.broker.publish("t", "3", { qos: 2 });
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-1] [MQTT-3.11.3-2] a filter of a group is another than the plain one",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, ["$share/g/t", "t"]);
    client.send(unsubscribe("$share/h/t", "$share/g/t"));
    await client.expectBytes("b0 05 0001 00 11 00");
    world.broker.publish("t", "plain");
    await expectPublish(client, { payload: "plain" });
    await client.ping();
    client.send(unsubscribe("$share/g/t", "t"));
    await client.expectBytes("b0 05 0001 00 11 00");
    world.broker.publish("t", "none");
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-1] [MQTT-3.10.4-4] user properties in SUBSCRIBE and UNSUBSCRIBE change nothing",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send("82 15 0001 0e 26 0001 61 0001 62 26 0001 61 0001 63 0001 74 00");
    await client.expectBytes("90 04 0001 00 00");
    client.send("a2 0d 0002 07 26 0001 61 0001 62 0001 74");
    await client.expectBytes("b0 04 0002 00 00");
  },
);
