/** SUBSCRIBE and SUBACK (sections 3.8 and 3.9). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import {
  conformanceTest,
  everyVersion,
  field,
  onlyV3,
  onlyV3_1_1,
  onlyV5,
  packetBytes,
} from "./harness/index.ts";
import {
  expectPublish,
  leaveSubscribed,
  persistent,
  puback,
  subscribe,
  subscribed,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-3.8.1-1] 3.1.1 [MQTT-3.8.1-1] wrong flags end the connection",
  { versions: onlyV3_1_1.concat(onlyV5) },
  async (world) => {
    for (const header of ["80", "83", "8a"]) {
      const client = await world.connect();
      client.send(
        world.version === 5 ? `${header} 07 0001 00 0001 74 00` : `${header} 06 0001 0001 74 00`,
      );
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.2.1-6] 3.1.1 [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-2.3.1-7] SUBACK answers with the same identifier",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    if (world.version === 5) {
      client.send("82 07 abcd 00 0001 74 01");
      await client.expectBytes("90 04 abcd 00 01");
    } else {
      client.send("82 06 abcd 0001 74 01");
      await client.expectBytes("90 03 abcd 01");
    }
  },
);

conformanceTest(
  "5.0 [MQTT-2.2.1-3] 3.1.1 [MQTT-2.3.1-1] identifier 0 ends the connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(world.version === 5 ? "82 07 0000 00 0001 74 01" : "82 06 0000 0001 74 01");
    await client.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-2] 3.1.1 [MQTT-3.8.3-3] SUBSCRIBE without a filter ends the connection",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    client.send(world.version === 5 ? "82 03 0001 00" : "82 02 0001");
    await client.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-1] [MQTT-4.7.3-2] 3.1.1 [MQTT-3.8.3-1] [MQTT-4.7.3-2] a filter that is no UTF-8 or holds U+0000 ends the connection",
  { versions: everyVersion },
  async (world) => {
    for (const character of ["ff", "00"]) {
      const client = await world.connect();
      const version5 = `82 07 0001 00 0001 ${character} 00`;
      client.send(world.version === 5 ? version5 : `82 06 0001 0001 ${character} 00`);
      await client.expectDisconnected(ReasonCode.malformedPacket);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-5] reserved option bits end the connection with 0x81, QoS 3 and Retain Handling 3 with 0x82",
  { versions: onlyV5 },
  async (world) => {
    for (const [options, code] of [
      ["40", ReasonCode.malformedPacket],
      ["80", ReasonCode.malformedPacket],
      ["03", ReasonCode.protocolError],
      ["30", ReasonCode.protocolError],
    ] as const) {
      const client = await world.connect();
      client.send(`82 07 0001 00 0001 74 ${options}`);
      await client.expectDisconnected(code);
    }
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.8.3-4] a QoS byte other than 0, 1 and 2 ends the connection",
  { versions: onlyV3_1_1 },
  async (world) => {
    for (const options of ["03", "04", "81"]) {
      const client = await world.connect();
      client.send(`82 06 0001 0001 74 ${options}`);
      await client.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-5] [MQTT-3.8.4-6] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] several filters: one SUBACK, a code for each, in order",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    const codes = await subscribed(client, [
      { filter: "a", qos: 2 },
      { filter: "a/#/b", qos: 1 },
      { filter: "b", qos: 0 },
      { filter: "+x", qos: 1 },
      { filter: "c/+", qos: 1 },
    ]);
    assert.deepEqual(codes, [2, 0x8f, 0, 0x8f, 1]);
    await client.ping();
    world.broker.publish("c/x", "");
    await expectPublish(client, { topic: "c/x" });
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] several filters: one SUBACK, a code for each, in order",
  { versions: onlyV3 },
  async (world) => {
    const client = await world.connect();
    client.send(subscribe(["a", "a/#/b", { filter: "b", qos: 2 }, { filter: "c", qos: 1 }]));
    await client.expectBytes("90 06 0001 00 80 02 01");
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-5] 3.1.1 [MQTT-3.8.4-4] the same filter twice in one SUBSCRIBE: the second replaces the first",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    const codes = await subscribed(client, [
      { filter: "t", qos: 2 },
      { filter: "t", qos: 0 },
    ]);
    assert.deepEqual(codes, [2, 0]);
    world.broker.publish("t", "", { qos: 2 });
    await expectPublish(client, { qos: 0 });
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-3] [MQTT-3.8.4-4] 3.1.1 [MQTT-3.8.4-3] the same filter again replaces the subscription: other QoS, no second copy, nothing lost",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, { filter: "t/+", qos: 0 });
    world.broker.publish("t/a", "0", { qos: 2 });
    client.send(subscribe({ filter: "t/+", qos: 2 }));
    await expectPublish(client, { payload: "0", qos: 0 });
    await client.expectPacket(PacketType.suback);
    world.broker.publish("t/a", "1", { qos: 2 });
    await expectPublish(client, { payload: "1", qos: 2 });
    await subscribed(client, { filter: "t/+", qos: 1 });
    world.broker.publish("t/a", "2", { qos: 2 });
    await expectPublish(client, { payload: "2", qos: 1 });
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-4] messages that wait survive the replacement, in their own QoS",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect({ properties: { receiveMaximum: 1 } });
    await subscribed(client, { filter: "t", qos: 1 });
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 1 });
    const { packetIdentifier } = await expectPublish(client, { payload: "1", qos: 1 });
    await subscribed(client, { filter: "t", qos: 0 });
    client.send(puback(packetIdentifier));
    const second = await expectPublish(client, { payload: "2", qos: 1 });
    client.send(puback(second.packetIdentifier));
    await expectPublish(client, { payload: "3", qos: 1 });
  },
);

conformanceTest(
  "5.0 [MQTT-4.7.3-1] [MQTT-4.7.1-1] [MQTT-4.7.1-2] 3.1.1 [MQTT-4.7.3-1] [MQTT-4.7.1-2] [MQTT-4.7.1-3] an empty filter and a wildcard at a wrong place are refused: 0x8F, or 0x80 for 3.x",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    const wrong = ["", "#/", "a/b#", "a#", "a+/b", "a/+b", "##", "++", "/#/", "a/#/b", "+a", "#a"];
    const refused = world.version === 5 ? 0x8f : 0x80;
    assert.deepEqual(await subscribed(client, [...wrong, "#", "+", "/#", "+/#", "/+", "+/+/"]), [
      ...wrong.map(() => refused),
      0,
      0,
      0,
      0,
      0,
      0,
    ]);
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-1] [MQTT-4.8.2-2] $share without a name, with a wildcard in it or without a filter is refused with 0x8F",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    const nameless = ["$share/", "$share//", "$share//t"];
    const wild = ["a+", "+a", "a#", "#", "+"].map((name) => `$share/${name}/t`);
    const incomplete = ["$share/g", "$share/g/", "$share/g/t#", "$share/g/#/t"];
    const wrong = [...nameless, ...wild, ...incomplete];
    const right = ["$share/g/t", "$share/g/#", "$share/g//", "$share/ü b/+"];
    const plain = ["$share", "$shared/t"]; // names like others
    assert.deepEqual(await subscribed(client, [...wrong, ...right, ...plain]), [
      ...wrong.map(() => 0x8f),
      ...[...right, ...plain].map(() => 0),
    ]);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.3-4] No Local on a shared subscription ends the connection",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub");
    const shared = field("$share/g/t");
    for (const options of ["04", "05", "0c", "24"]) {
      const client = await world.connect(fields);
      client.send(packetBytes("82", `0001 00 ${field("before")}00 ${shared}${options}`));
      await client.expectDisconnected(ReasonCode.protocolError);
    }
    const after = await world.connect(fields);
    for (const topic of ["before", "t"]) world.broker.publish(topic, "x");
    await after.ping();
    after.send(packetBytes("82", `0001 00 ${shared}08`));
    await after.expectBytes("90 04 0001 00 00");
  },
);

conformanceTest(
  "a filter of too many levels and a subscription too many are refused, what stands goes on",
  { versions: everyVersion, broker: { limits: { topicLevelsMax: 3, subscriptionsMax: 2 } } },
  async (world) => {
    const isV5 = world.version === 5;
    const client = await world.connect();
    assert.deepEqual(await subscribed(client, ["a/b/c/d", "$share/g/a/b/c", "b", "c"]), [
      isV5 ? 0x8f : 0x80,
      0,
      0,
      isV5 ? 0x97 : 0x80,
    ]);
    assert.deepEqual(await subscribed(client, [{ filter: "b", qos: 1 }]), [1], "no new one");
    world.broker.publish("b", "x");
    await expectPublish(client, { topic: "b" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.1.0-1] subscriptions outlive the connection where the session does, and end with it",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    await leaveSubscribed(world, fields, { filter: "t", qos: 1 });
    const after = await world.connect(fields);
    world.broker.publish("t", "still", { qos: 1 });
    await expectPublish(after, { payload: "still", qos: 1, dup: false });
    const clean = await world.connect({ ...fields, cleanStart: true });
    world.broker.publish("t", "gone", { qos: 1 });
    await clean.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.13.1-1] SUBSCRIBE cut short ends the connection, and nothing of it holds",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const client = await world.connect(fields);
    client.send(
      world.version === 5
        ? "82 0a 0001 00 0001 74 00 0005 74 00"
        : "82 09 0001 0001 74 00 0005 74 00",
    );
    await client.expectDisconnected(ReasonCode.malformedPacket);
    const again = await world.connect(fields);
    world.broker.publish("t", "x");
    await again.ping();
  },
);
