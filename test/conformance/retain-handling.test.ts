/** Retain Handling, byte by byte: which SUBSCRIBE brings the retained messages (5.0, sections 3.3.1.3 and 3.8.3.1). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { conformanceTest, field, onlyV5, packetBytes, type RawClient } from "./harness/index.ts";
import { expectPublish, persistent, unsubscribe } from "./packets.ts";

/** Subscription Options: QoS 0 and a Retain Handling. */
const handling = { always: "00", ifNew: "10", never: "20" };

type Asked = readonly [filter: string, options: string];

/** Each filter is granted with QoS 0; whether retained messages follow is the test's to say. */
async function ask(client: RawClient, ...asked: Asked[]): Promise<void> {
  const payload = asked.map(([filter, options]) => `${field(filter)}${options}`).join("");
  client.send(packetBytes("82", `0001 00 ${payload}`));
  const { reasonCodes } = await client.expectPacket(PacketType.suback);
  assert.deepEqual(
    reasonCodes,
    asked.map(() => 0),
  );
}

/** The retained message "kept" of the topic "t", with RETAIN 1. */
const kept = "31 08 0001 74 00 6b657074";

conformanceTest(
  "5.0 [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] [MQTT-3.8.4-4] a subscription that stands: 0 sends again, 1 and 2 do not",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const client = await world.connect();
    await ask(client, ["t", handling.never]);
    await client.ping();
    await ask(client, ["t", handling.ifNew]);
    await client.ping();
    for (let round = 0; round < 2; round++) {
      await ask(client, ["t", handling.always]);
      await client.expectBytes(kept);
      await client.ping();
    }
    await ask(client, ["t", handling.ifNew]);
    await ask(client, ["t", handling.never]);
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-10] 1 goes by the filter's own text: another filter for the same topic is a new subscription",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const client = await world.connect();
    await ask(client, ["t", handling.never]);
    for (const filter of ["+", "#", "t/#"]) {
      await ask(client, [filter, handling.ifNew]);
      await client.expectBytes(kept);
      await ask(client, [filter, handling.ifNew]);
      await client.ping();
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-10] 1 sends again after UNSUBSCRIBE of this filter, not of another",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const client = await world.connect();
    await ask(client, ["t", handling.ifNew], ["other", handling.ifNew]);
    await client.expectBytes(kept);
    client.send(unsubscribe("other", "+"));
    await client.expectPacket(PacketType.unsuback);
    await ask(client, ["t", handling.ifNew]);
    await client.ping();
    client.send(unsubscribe("t"));
    await client.expectPacket(PacketType.unsuback);
    await ask(client, ["t", handling.ifNew]);
    await client.expectBytes(kept);
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-10] 1 knows the subscriptions that the session brought along, and none after a clean start",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const fields = persistent(5, "sub");
    await ask(await world.connect(fields), ["t", handling.never]);
    const again = await world.connect(fields);
    await ask(again, ["t", handling.ifNew]);
    await again.ping();
    const clean = await world.connect({ ...fields, cleanStart: true });
    await ask(clean, ["t", handling.ifNew]);
    await clean.expectBytes(kept);
    await clean.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.8.4-5] [MQTT-3.3.1-10] within one SUBSCRIBE the filters count one after the other",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const known = await world.connect();
    await ask(known, ["t", handling.never], ["t", handling.ifNew]);
    await known.ping();
    const once = await world.connect();
    await ask(once, ["t", handling.ifNew], ["t", handling.ifNew]);
    await once.expectBytes(kept);
    await once.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-10] a subscription that was refused is new when it is asked for again",
  { versions: onlyV5, broker: { limits: { subscriptionsMax: 1 } } },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const client = await world.connect();
    await ask(client, ["other", handling.ifNew]);
    client.send(packetBytes("82", `0001 00 ${field("t")}${handling.ifNew}`));
    await client.expectBytes("90 04 0001 00 97");
    client.send(unsubscribe("other"));
    await client.expectPacket(PacketType.unsuback);
    await ask(client, ["t", handling.ifNew]);
    await client.expectBytes(kept);
  },
);

conformanceTest(
  "5.0 section 4.8.2: a shared subscription gets no retained messages, whatever its Retain Handling, and makes no other known",
  { versions: onlyV5 },
  async (world) => {
    world.broker.publish("t", "kept", { retain: true });
    const client = await world.connect();
    for (const options of Object.values(handling)) {
      await ask(client, ["$share/g/t", options]);
      await client.ping();
      client.send(unsubscribe("$share/g/t"));
      await client.expectPacket(PacketType.unsuback);
    }
    await ask(client, ["$share/g/t", handling.always], ["t", handling.ifNew]);
    await client.expectBytes(kept);
    world.broker.publish("t", "live", { retain: true });
    for (let copy = 0; copy < 2; copy++) {
      await expectPublish(client, { payload: "live", retain: false });
    }
    await client.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-9] [MQTT-3.3.1-10] every topic that matches sends its own, in the lesser QoS",
  { versions: onlyV5 },
  async (world) => {
    const topics = ["a", "a/b", "a/b/c", "b"];
    for (const topic of topics) world.broker.publish(topic, topic, { retain: true, qos: 2 });
    for (const options of ["01", "11"]) {
      const client = await world.connect();
      client.send(packetBytes("82", `0001 00 ${field("a/#")}${options}`));
      await client.expectBytes("90 04 0001 00 01");
      const came: string[] = [];
      for (let count = 0; count < 3; count++) {
        const { topic } = await expectPublish(client, { retain: true, qos: 1, dup: false });
        came.push(topic);
      }
      assert.deepEqual(came.toSorted(), ["a", "a/b", "a/b/c"]);
      await client.ping();
    }
  },
);
