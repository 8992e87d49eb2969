/** What is sent again after a reconnect, and that nothing else is (section 4.4). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { conformanceTest, everyVersion, onlyV5, packetBytes } from "./harness/index.ts";
import {
  disconnect,
  expectAcknowledgement,
  expectPublish,
  persistent,
  puback,
  pubcomp,
  publish,
  pubrec,
  subscribed,
} from "./packets.ts";

conformanceTest(
  "5.0 [MQTT-4.4.0-1] [MQTT-4.3.2-3] [MQTT-4.3.3-3] [MQTT-3.3.1-1] [MQTT-4.6.0-1] 3.1.1 [MQTT-4.4.0-1] [MQTT-4.3.2-1] [MQTT-3.3.1-1] [MQTT-2.3.1-3] [MQTT-4.6.0-1] unacknowledged messages come again: same identifiers, DUP, same order",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    const identifiers: (number | undefined)[] = [];
    for (const [payload, qos] of [
      ["a", 1],
      ["b", 2],
      ["c", 1],
      ["d", 2],
      ["e", 1],
    ] as const) {
      world.broker.publish("t", payload, { qos });
      const { packetIdentifier } = await expectPublish(before, { payload, qos, dup: false });
      identifiers.push(packetIdentifier);
    }
    before.send(puback(identifiers[2]));
    await disconnect(before);
    world.broker.publish("t", "f", { qos: 1 });
    for (let round = 0; round < 2; round++) {
      const after = await world.connect(fields);
      assert.equal(after.connack?.sessionPresent, world.version !== 3, "3.1 does not tell");
      for (const [payload, index] of [
        ["a", 0],
        ["b", 1],
        ["d", 3],
        ["e", 4],
      ] as const) {
        await expectPublish(after, { payload, dup: true, packetIdentifier: identifiers[index] });
      }
      await expectPublish(after, { payload: "f", dup: round === 1 });
      await after.ping();
      after.destroy();
      await after.expectClosed();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] [MQTT-4.3.3-5] [MQTT-4.3.3-6] 3.1.1 [MQTT-4.4.0-1] [MQTT-4.3.3-1] after PUBREC only PUBREL comes again",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "x", { qos: 2 });
    const { packetIdentifier = 0 } = await expectPublish(before, { qos: 2 });
    before.send(pubrec(packetIdentifier));
    await before.expectPacket(PacketType.pubrel);
    before.destroy();
    const after = await world.connect(fields);
    await expectAcknowledgement(after, PacketType.pubrel, { packetIdentifier });
    await after.ping();
    after.send(pubcomp(packetIdentifier));
    await after.ping();
    const third = await world.connect(fields);
    await third.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.6.0-4] 3.1.1 [MQTT-4.6.0-4] PUBRELs come again in the order of their PUBRECs' messages",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 2 });
    for (const payload of ["1", "2", "3"]) await expectPublish(before, { payload });
    before.send(pubrec(1), pubrec(2), pubrec(3));
    await before.expectBytes("62 02 0001  62 02 0002  62 02 0003");
    const after = await world.connect(fields);
    await after.expectBytes("62 02 0001  62 02 0002  62 02 0003");
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] while the connection stands nothing is sent again, however long it takes",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect(persistent(world.version, "sub"));
    await subscribed(client, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 1 });
    world.broker.publish("t", "2", { qos: 2 });
    await expectPublish(client, { payload: "1" });
    await expectPublish(client, { payload: "2" });
    for (let hour = 0; hour < 24; hour++) world.clock.advanceSeconds(3600);
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] [MQTT-3.1.2-4] a clean start is not sent what was under way",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 1 });
    await expectPublish(before, { payload: "1" });
    const after = await world.connect({ ...fields, cleanStart: true });
    assert.equal(after.connack?.sessionPresent, false);
    await after.ping();
    await subscribed(after, { filter: "t", qos: 1 });
    world.broker.publish("t", "2", { qos: 1 });
    await expectPublish(after, { payload: "2", dup: false, packetIdentifier: 1 });
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] a clean DISCONNECT acknowledges nothing",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 1 });
    world.broker.publish("t", "1", { qos: 1 });
    await expectPublish(before, { payload: "1" });
    await disconnect(before);
    const after = await world.connect(fields);
    await expectPublish(after, { payload: "1", dup: true });
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] [MQTT-4.9.0-2] with a smaller Receive Maximum the rest comes again as acknowledgements come in",
  { versions: onlyV5 },
  async (world) => {
    const before = await world.connect(persistent(5, "sub"));
    await subscribed(before, { filter: "t", qos: 2 });
    for (const payload of ["1", "2", "3"]) world.broker.publish("t", payload, { qos: 2 });
    for (const payload of ["1", "2", "3"]) await expectPublish(before, { payload });
    before.send(pubrec(1));
    await before.expectPacket(PacketType.pubrel);
    world.broker.publish("t", "4", { qos: 1 });
    await expectPublish(before, { payload: "4" });
    const after = await world.connect(persistent(5, "sub", { receiveMaximum: 1 }));
    await after.expectBytes("62 02 0001");
    await after.ping();
    after.send(pubcomp(1));
    await expectPublish(after, { payload: "2", dup: true, packetIdentifier: 2 });
    await after.ping();
    after.send(pubrec(2));
    await after.expectBytes("62 02 0002");
    after.send(pubcomp(2));
    await expectPublish(after, { payload: "3", dup: true, packetIdentifier: 3 });
    after.send(pubrec(3));
    await after.expectBytes("62 02 0003");
    after.send(pubcomp(3));
    await expectPublish(after, { payload: "4", dup: true, qos: 1 });
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-6] [MQTT-2.2.1-4] what is acknowledged before it was sent again is not sent again",
  { versions: onlyV5 },
  async (world) => {
    const before = await world.connect(persistent(5, "sub"));
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 1 });
    world.broker.publish("t", "2", { qos: 1 });
    world.broker.publish("t", "3", { qos: 2 });
    for (const payload of ["1", "2", "3"]) await expectPublish(before, { payload });
    const after = await world.connect(persistent(5, "sub", { receiveMaximum: 1 }));
    await expectPublish(after, { payload: "1", dup: true, packetIdentifier: 1 });
    after.send(puback(2), pubrec(3));
    await after.expectBytes("62 02 0003");
    after.send(puback(1), pubcomp(3));
    await after.ping();
    world.broker.publish("t", "4", { qos: 1 });
    world.broker.publish("t", "5", { qos: 1 });
    const { packetIdentifier } = await expectPublish(after, { payload: "4", dup: false });
    await after.ping();
    after.send(puback(packetIdentifier));
    await expectPublish(after, { payload: "5", dup: false });
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] a session that 3.1.1 began goes on with 5.0, and the other way round",
  { versions: everyVersion },
  async (world) => {
    const other = world.version === 5 ? 4 : 5;
    const before = await world.connect(persistent(world.version, "sub"));
    await subscribed(before, { filter: "t", qos: 2 });
    world.broker.publish("t", "1", { qos: 1, properties: { contentType: "text" } });
    const { packetIdentifier } = await expectPublish(before, { payload: "1" });
    before.destroy();
    const after = await world.connect(persistent(other, "sub"));
    assert.equal(after.connack?.sessionPresent, true);
    await expectPublish(after, {
      payload: "1",
      dup: true,
      packetIdentifier,
      properties: other === 5 ? { contentType: "text" } : {},
    });
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-1] [MQTT-4.4.0-1] [MQTT-4.3.2-1] 3.1.1 [MQTT-3.3.1-1] [MQTT-4.4.0-1] [MQTT-4.3.2-1] byte by byte: DUP and the old identifiers, and a new message takes none of them",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === 5 ? "00" : "";
    const frame = (header: string, identifier: string, payload: string) =>
      packetBytes(header, `0001 74 ${identifier} ${properties} ${payload}`).toString("hex");
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    for (const [payload, qos] of [
      ["a", 1],
      ["b", 2],
      ["c", 1],
    ] as const) {
      world.broker.publish("t", payload, { qos });
    }
    await before.expectBytes(
      frame("32", "0001", "61") + frame("34", "0002", "62") + frame("32", "0003", "63"),
    );
    before.send("40 02 0001");
    await before.ping();
    before.destroy();
    const after = await world.connect(fields);
    await after.expectBytes(frame("3c", "0002", "62") + frame("3a", "0003", "63"));
    world.broker.publish("t", "d", { qos: 1 });
    const { packetIdentifier } = await expectPublish(after, { payload: "d", dup: false });
    assert.ok(packetIdentifier !== 2 && packetIdentifier !== 3, `${packetIdentifier} is in use`);
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.6.0-1] [MQTT-4.4.0-1] 3.1.1 [MQTT-4.6.0-1] [MQTT-4.4.0-1] the order of sending holds wherever identifiers begin, and when the oldest is answered last",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 2 });
    const underWay: { payload: string; packetIdentifier: number | undefined }[] = [];
    for (let count = 1; count <= 40; count++) {
      const payload = `${count}`;
      world.broker.publish("t", payload, { qos: count % 2 === 0 ? 1 : 2 });
      const { qos, packetIdentifier } = await expectPublish(before, { payload });
      if (count === 1 || count > 35) underWay.push({ payload, packetIdentifier });
      else if (qos === 1) before.send(puback(packetIdentifier));
      else {
        before.send(pubrec(packetIdentifier), pubcomp(packetIdentifier));
        await before.expectPacket(PacketType.pubrel);
      }
      await before.ping();
    }
    before.destroy();
    const after = await world.connect(fields);
    for (const sent of underWay) await expectPublish(after, { ...sent, dup: true });
    await after.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-4.4.0-1] [MQTT-4.3.2-3] 3.1.1 [MQTT-4.4.0-1] [MQTT-4.3.2-1] what came from its publisher in one piece is sent again like everything else",
  { versions: everyVersion },
  async (world) => {
    const fields = persistent(world.version, "sub");
    const before = await world.connect(fields);
    await subscribed(before, { filter: "t", qos: 1 });
    const publisher = await world.connect();
    const payloads = ["1", "2", "3", "4", "5"];
    const piece = payloads.map((payload, index) =>
      publish("t", payload, { qos: 1, packetIdentifier: index + 1 }),
    );
    publisher.send(...piece);
    for (const payload of payloads) await expectPublish(before, { payload, dup: false });
    before.send(puback(2));
    await before.ping();
    before.destroy();
    const after = await world.connect(fields);
    for (const packetIdentifier of [1, 3, 4, 5]) {
      await expectPublish(after, { payload: `${packetIdentifier}`, packetIdentifier, dup: true });
    }
    await after.ping();
  },
);
