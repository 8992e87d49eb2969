/** Shared subscriptions (5.0, section 4.8.2), which 3.x clients may use as well. */
import assert from "node:assert/strict";
import { PacketType, type Properties } from "../../src/codec/index.ts";
import {
  conformanceTest,
  everyVersion,
  onlyV5,
  type RawClient,
  type World,
} from "./harness/index.ts";
import {
  disconnect,
  expectNothingMore,
  expectPublish,
  persistent,
  puback,
  publish,
  pubrec,
  subscribed,
  unsubscribe,
} from "./packets.ts";

async function joinGroup(
  world: World,
  name: string,
  options: { filter?: string; qos?: 0 | 1 | 2; properties?: Properties } = {},
): Promise<RawClient> {
  const member = await world.connect(persistent(world.version, name, options.properties));
  const { filter = "$share/g/t", qos = 1 } = options;
  assert.deepEqual(await subscribed(member, { filter, qos }), [qos]);
  return member;
}

async function takeAll(member: RawClient): Promise<string[]> {
  member.send("c000");
  const payloads: string[] = [];
  for (;;) {
    const packet = await member.expectAny();
    if (packet.type === PacketType.pingresp) return payloads;
    assert.equal(packet.type, PacketType.publish);
    if (packet.type === PacketType.publish) payloads.push(Buffer.from(packet.payload).toString());
  }
}

conformanceTest(
  "5.0 section 4.8.2: every message goes to one member, and each member has its turn",
  { versions: everyVersion },
  async (world) => {
    const members = [
      await joinGroup(world, "a"),
      await joinGroup(world, "b"),
      await joinGroup(world, "c"),
    ];
    const publisher = await world.connect();
    for (let count = 0; count < 90; count++) {
      publisher.send(
        publish("t", `${count}`, { qos: count % 2 === 0 ? 0 : 1, packetIdentifier: count + 1 }),
      );
    }
    for (let count = 0; count < 45; count++) await publisher.expectPacket(PacketType.puback);
    const shares = await Promise.all(members.map(takeAll));
    assert.deepEqual(
      shares.map((share) => share.length),
      [30, 30, 30],
    );
    const all = shares
      .flat()
      .map(Number)
      .toSorted((a, b) => a - b);
    assert.deepEqual(
      all,
      Array.from({ length: 90 }, (_, count) => count),
    );
  },
);

conformanceTest(
  "5.0 groups, filters and plain subscriptions do not share with each other",
  { versions: everyVersion },
  async (world) => {
    const first = await joinGroup(world, "first", { filter: "$share/g/t/+" });
    const otherGroup = await joinGroup(world, "other-group", { filter: "$share/h/t/+" });
    const otherFilter = await joinGroup(world, "other-filter", { filter: "$share/g/t/#" });
    const plain = await joinGroup(world, "plain", { filter: "t/+" });
    const publisher = await world.connect();
    publisher.send(publish("t/x", "1"), publish("t/x", "2"));
    for (const member of [first, otherGroup, otherFilter, plain]) {
      await expectPublish(member, { payload: "1" });
      await expectPublish(member, { payload: "2" });
    }
    await expectNothingMore(publisher, first, otherGroup, otherFilter, plain);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.4-5] a session that is in a group and subscribes plainly as well gets a copy for each",
  { versions: onlyV5 },
  async (world) => {
    const member = await world.connect();
    await subscribed(member, { filter: "$share/g/t", qos: 1 }, { subscriptionIdentifiers: [1] });
    await subscribed(member, { filter: "t", qos: 0 }, { subscriptionIdentifiers: [2] });
    world.broker.publish("t", "x", { qos: 1 });
    const copies = [await expectPublish(member, {}), await expectPublish(member, {})];
    const seen = copies.map(({ qos, properties }) => [qos, properties.subscriptionIdentifiers]);
    assert.deepEqual(seen.toSorted(), [
      [0, [2]],
      [1, [1]],
    ]);
    await member.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-3] each member gets its own granted QoS",
  { versions: everyVersion },
  async (world) => {
    const low = await joinGroup(world, "low", { qos: 0 });
    const high = await joinGroup(world, "high", { qos: 2 });
    for (let count = 0; count < 4; count++) world.broker.publish("t", "x", { qos: 2 });
    await expectPublish(low, { qos: 0 });
    await expectPublish(low, { qos: 0 });
    await expectPublish(high, { qos: 2 });
    await expectPublish(high, { qos: 2 });
    await low.ping();
    await high.ping();
  },
);

conformanceTest(
  "5.0 a member's own subscription identifier and Retain As Published come with its share",
  { versions: onlyV5 },
  async (world) => {
    const one = await world.connect();
    await subscribed(
      one,
      { filter: "$share/g/t", qos: 1, retainAsPublished: true },
      {
        subscriptionIdentifiers: [1],
      },
    );
    const two = await world.connect();
    await subscribed(two, { filter: "$share/g/t", qos: 1 }, { subscriptionIdentifiers: [2] });
    for (let count = 0; count < 2; count++)
      world.broker.publish("t", "x", { qos: 1, retain: true });
    await expectPublish(one, { retain: true, properties: { subscriptionIdentifiers: [1] } });
    await expectPublish(two, { retain: false, properties: { subscriptionIdentifiers: [2] } });
  },
);

conformanceTest(
  "5.0 section 4.8.2: QoS 1 not acknowledged when its member leaves goes to another, in order",
  { versions: everyVersion },
  async (world) => {
    const leaver = await joinGroup(world, "leaver");
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 1 });
    const first = await expectPublish(leaver, { payload: "1" });
    await expectPublish(leaver, { payload: "2" });
    await expectPublish(leaver, { payload: "3" });
    leaver.send(puback(first.packetIdentifier));
    await leaver.ping();
    const stayer = await joinGroup(world, "stayer");
    await stayer.ping();
    await disconnect(leaver);
    await expectPublish(stayer, { payload: "2", qos: 1, dup: false });
    await expectPublish(stayer, { payload: "3", qos: 1, dup: false });
    await stayer.ping();
    const back = await world.connect(persistent(world.version, "leaver"));
    await back.ping();
  },
);

conformanceTest(
  "5.0 section 4.8.2: QoS 1 of a member that is alone waits for its return",
  { versions: everyVersion },
  async (world) => {
    const alone = await joinGroup(world, "alone");
    world.broker.publish("t", "1", { qos: 1 });
    const { packetIdentifier } = await expectPublish(alone, { payload: "1" });
    await disconnect(alone);
    world.broker.publish("t", "2", { qos: 1 });
    const back = await world.connect(persistent(world.version, "alone"));
    await expectPublish(back, { payload: "1", dup: true, packetIdentifier });
    await expectPublish(back, { payload: "2", dup: false });
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-4] QoS 2 under way stays with its member until that returns",
  { versions: everyVersion },
  async (world) => {
    const leaver = await joinGroup(world, "leaver", { qos: 2 });
    world.broker.publish("t", "1", { qos: 2 });
    world.broker.publish("t", "2", { qos: 2 });
    const first = await expectPublish(leaver, { payload: "1" });
    const second = await expectPublish(leaver, { payload: "2" });
    leaver.send(pubrec(first.packetIdentifier));
    await leaver.expectPacket(PacketType.pubrel);
    const stayer = await joinGroup(world, "stayer", { qos: 2 });
    await disconnect(leaver);
    await stayer.ping();
    const back = await world.connect(persistent(world.version, "leaver"));
    const { packetIdentifier } = await back.expectPacket(PacketType.pubrel);
    assert.equal(packetIdentifier, first.packetIdentifier);
    await expectPublish(back, {
      payload: "2",
      dup: true,
      packetIdentifier: second.packetIdentifier,
    });
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-5] QoS 2 under way goes to nobody else when its member's session ends",
  { versions: everyVersion },
  async (world) => {
    const leaver = await joinGroup(world, "leaver", { qos: 2 });
    world.broker.publish("t", "1", { qos: 2 });
    await expectPublish(leaver, { payload: "1" });
    const stayer = await joinGroup(world, "stayer", { qos: 2 });
    await disconnect(leaver);
    const clean = await world.connect({ ...persistent(world.version, "leaver"), cleanStart: true });
    await clean.ping();
    await stayer.ping();
    world.broker.publish("t", "2", { qos: 2 });
    await expectPublish(stayer, { payload: "2" });
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-5] nor when the session ends with its connection",
  { versions: everyVersion },
  async (world) => {
    const brief = await world.connect();
    await subscribed(brief, { filter: "$share/g/t", qos: 2 });
    world.broker.publish("t", "sent", { qos: 2 });
    world.broker.publish("t", "received", { qos: 2 });
    await expectPublish(brief, { payload: "sent" });
    const { packetIdentifier } = await expectPublish(brief, { payload: "received" });
    brief.send(pubrec(packetIdentifier));
    await brief.expectPacket(PacketType.pubrel);
    const stayer = await joinGroup(world, "stayer", { qos: 2 });
    await disconnect(brief);
    world.broker.publish("t", "next", { qos: 2 });
    await expectPublish(stayer, { payload: "next" });
    await stayer.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.8.2-6] what a member refuses with a code goes to nobody else",
  { versions: onlyV5 },
  async (world) => {
    const refuser = await joinGroup(world, "refuser", { qos: 2 });
    world.broker.publish("t", "1", { qos: 1 });
    world.broker.publish("t", "2", { qos: 2 });
    const one = await expectPublish(refuser, { payload: "1" });
    const two = await expectPublish(refuser, { payload: "2" });
    const stayer = await joinGroup(world, "stayer", { qos: 2 });
    refuser.send(puback(one.packetIdentifier, 0x83), pubrec(two.packetIdentifier, 0x83));
    await refuser.ping();
    await stayer.ping();
    await disconnect(refuser);
    await stayer.ping();
    const back = await world.connect(persistent(5, "refuser"));
    await back.ping();
  },
);

conformanceTest(
  "5.0 a member with a full window is passed over, and what waits goes to whoever has room first",
  { versions: onlyV5 },
  async (world) => {
    const narrow = await joinGroup(world, "narrow", { properties: { receiveMaximum: 1 } });
    const wide = await joinGroup(world, "wide", { properties: { receiveMaximum: 3 } });
    for (let count = 1; count <= 6; count++) world.broker.publish("t", `${count}`, { qos: 1 });
    assert.equal((await takeAll(narrow)).length, 1);
    assert.equal((await takeAll(wide)).length, 3);
    narrow.send(puback(1));
    await expectPublish(narrow, { payload: "5" });
    wide.send(puback(2));
    await expectPublish(wide, { payload: "6" });
    await expectNothingMore(narrow, wide);
  },
);

conformanceTest(
  "5.0 connected members come first: one that is away gets nothing while another is there",
  { versions: everyVersion },
  async (world) => {
    const away = await joinGroup(world, "away");
    await disconnect(away);
    const here = await joinGroup(world, "here");
    for (const payload of ["1", "2", "3", "4"]) world.broker.publish("t", payload, { qos: 1 });
    assert.deepEqual(await takeAll(here), ["1", "2", "3", "4"]);
    await disconnect(here);
    world.broker.publish("t", "5", { qos: 1 });
    world.broker.publish("t", "lost", { qos: 0 });
    const back = await world.connect(persistent(world.version, "away"));
    assert.deepEqual(await takeAll(back), ["1", "2", "3", "4", "5"]);
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-4] joining anew with other options loses nothing that waits for the group",
  { versions: onlyV5 },
  async (world) => {
    const member = await joinGroup(world, "member", { properties: { receiveMaximum: 1 } });
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 2 });
    const { packetIdentifier } = await expectPublish(member, { payload: "1", qos: 1 });
    await subscribed(member, { filter: "$share/g/t", qos: 0 });
    member.send(puback(packetIdentifier));
    await expectPublish(member, { payload: "2", qos: 0 });
    await expectPublish(member, { payload: "3", qos: 0 });
    world.broker.publish("t", "4", { qos: 2 });
    await expectPublish(member, { payload: "4", qos: 0 });
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-2] who leaves the group gets nothing more, the others go on; the last one ends it",
  { versions: everyVersion },
  async (world) => {
    const leaver = await joinGroup(world, "leaver");
    const stayer = await joinGroup(world, "stayer");
    leaver.send(unsubscribe("$share/g/t"));
    await leaver.expectPacket(PacketType.unsuback);
    for (const payload of ["1", "2"]) world.broker.publish("t", payload, { qos: 1 });
    assert.deepEqual(await takeAll(stayer), ["1", "2"]);
    await leaver.ping();
    stayer.send(unsubscribe("$share/g/t"));
    await stayer.expectPacket(PacketType.unsuback);
    const publisher = await world.connect();
    publisher.send(publish("t", "", { qos: 1 }));
    const { reasonCode } = await publisher.expectPacket(PacketType.puback);
    assert.equal(reasonCode, world.version === 5 ? 0x10 : 0);
  },
);
