/** Topic aliases, from the client and towards it (5.0, section 3.3.2.3.4). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV5 } from "./harness/index.ts";
import { expectPublish, persistent, publish, pubrel, subscribed } from "./packets.ts";

const alias = (topicAlias: number) => ({ properties: { topicAlias } });

conformanceTest(
  "5.0 [MQTT-3.3.2-12] every alias up to the announced maximum works, is remapped, and reaches no subscriber",
  { versions: onlyV5, broker: { limits: { topicAliasMax: 3 } } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "#", qos: 2 });
    const publisher = await world.connect();
    assert.equal(publisher.connack?.properties.topicAliasMaximum, 3);
    publisher.send(publish("one", "1", alias(1)), publish("three", "3", alias(3)));
    publisher.send(publish("", "1", alias(1)), publish("", "3", { qos: 1, ...alias(3) }));
    publisher.send(publish("other", "new", alias(1)), publish("", "new", alias(1)));
    const expected = ["one 1", "three 3", "one 1", "three 3", "other new", "other new"];
    for (const text of expected) {
      const [topic, payload] = text.split(" ");
      await expectPublish(subscriber, { topic, payload, properties: {} });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-12] the other properties survive when an alias is taken out, wherever it stands",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const publisher = await world.connect();
    publisher.send("30 13 0001 74 0e 02 00000009 23 0001 26 0001 61 0000 78"); // expiry, alias, user property
    await subscriber.expectBytes("30 10 0001 74 0b 02 00000009 26 0001 61 0000 78");
    publisher.send("30 12 0000 0e 23 0001 26 0001 61 0000 02 00000009 78"); // alias, user property, expiry
    await subscriber.expectBytes("30 10 0001 74 0b 26 0001 61 0000 02 00000009 78");
    publisher.send("30 07 0000 03 23 0001 79");
    await subscriber.expectBytes("30 05 0001 74 00 79");
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-8] alias 0 ends the connection with 0x94",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    client.send("30 07 0001 74 03 23 0000");
    await client.expectDisconnected(ReasonCode.topicAliasInvalid);
  },
);

conformanceTest(
  "5.0 [MQTT-3.2.2-17] [MQTT-3.3.2-9] an alias beyond the maximum ends the connection with 0x94",
  { versions: onlyV5, broker: { limits: { topicAliasMax: 3 } } },
  async (world) => {
    const client = await world.connect();
    client.send(publish("t", "", alias(4)));
    await client.expectDisconnected(ReasonCode.topicAliasInvalid);
    const other = await world.connect();
    other.send(publish("", "", alias(4)));
    await other.expectDisconnected(ReasonCode.topicAliasInvalid);
  },
);

conformanceTest(
  "5.0 an alias that was never set ends the connection with 0x94, no topic and no alias with 0x82",
  { versions: onlyV5 },
  async (world) => {
    const unset = await world.connect();
    unset.send(publish("", "", alias(2)));
    await unset.expectDisconnected(ReasonCode.topicAliasInvalid);
    const neither = await world.connect();
    neither.send(publish("", ""));
    await neither.expectDisconnected(ReasonCode.protocolError);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-7] aliases end with their connection, those of the session's next one are its own",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "aliases");
    const before = await world.connect(fields);
    before.send(publish("t", "", alias(1)));
    await before.ping();
    const after = await world.connect(fields);
    after.send(publish("", "", alias(1)));
    await after.expectDisconnected(ReasonCode.topicAliasInvalid);
  },
);

conformanceTest(
  "5.0 [MQTT-4.3.3-10] a QoS 2 message sent again sets its alias on the new connection",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "t/+");
    const fields = persistent(5, "pub");
    const before = await world.connect(fields);
    before.send(publish("t/a", "1", { qos: 2, ...alias(1) }));
    await before.expectPacket(PacketType.pubrec);
    before.destroy();
    const after = await world.connect(fields);
    after.send(publish("t/a", "1", { qos: 2, dup: true, ...alias(1) }), publish("", "2", alias(1)));
    await after.expectPacket(PacketType.pubrec);
    after.send(pubrel());
    await after.expectPacket(PacketType.pubcomp);
    await expectPublish(subscriber, { topic: "t/a", payload: "1" });
    await expectPublish(subscriber, { topic: "t/a", payload: "2" });
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-26] [MQTT-3.3.2-11] a client that allows two aliases gets no third",
  { versions: onlyV5 },
  async (world) => {
    const subscriber = await world.connect({ properties: { topicAliasMaximum: 2 } });
    await subscribed(subscriber, { filter: "topic/+", qos: 1 });
    const topics = new Map<number, string>();
    for (const name of ["a", "b", "c", "a", "b", "c", "a"]) {
      world.broker.publish(`topic/${name}`, name, { qos: name === "b" ? 1 : 0 });
      const { topic, properties } = await expectPublish(subscriber, { payload: name });
      const { topicAlias } = properties;
      if (topicAlias !== undefined) {
        assert.ok(topicAlias >= 1 && topicAlias <= 2);
        if (topic !== "") topics.set(topicAlias, topic);
      }
      const meant = topic !== "" ? topic : topics.get(topicAlias ?? 0);
      assert.equal(meant, `topic/${name}`);
    }
    assert.deepEqual([...topics.keys()], [1, 2], "the broker uses the aliases it may use");
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-27] a client that says nothing of aliases gets none",
  { versions: everyVersion },
  async (world) => {
    for (const properties of [{}, { topicAliasMaximum: 0 }]) {
      const subscriber = await world.connect({
        properties: world.version === 5 ? properties : {},
      });
      await subscribed(subscriber, "t/+");
      for (let count = 0; count < 3; count++) {
        world.broker.publish("t/long", "x");
        await expectPublish(subscriber, { topic: "t/long", properties: {} });
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-25] a message that fits without an alias is not lost for the sake of one",
  { versions: onlyV5 },
  async (world) => {
    const properties = { topicAliasMaximum: 5, maximumPacketSize: 40 };
    const subscriber = await world.connect({ properties });
    await subscribed(subscriber, "#");
    const largest = (topic: string) => "x".repeat(40 - 2 - 2 - topic.length - 1);
    for (const topic of ["some/topic", "some/topic", "t", "t", "t"]) {
      world.broker.publish(topic, "small");
      await expectPublish(subscriber, { payload: "small" });
      world.broker.publish(topic, largest(topic));
      await expectPublish(subscriber, { payload: largest(topic) });
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-8] [MQTT-3.3.2-9] byte by byte: 0, beyond the maximum, unknown with an empty topic end the connection with 0x94 and reach nobody",
  { versions: onlyV5, broker: { limits: { topicAliasMax: 3 } } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    for (const wrong of [
      "30 07 0001 74 03 23 0000",
      "30 06 0000 03 23 0000",
      "30 07 0001 74 03 23 0004",
      "30 06 0000 03 23 0004",
      "30 07 0001 74 03 23 ffff",
      "30 06 0000 03 23 0003",
      "32 08 0000 0001 03 23 0003",
      "34 08 0000 0001 03 23 0003",
    ]) {
      const client = await world.connect();
      client.send(wrong);
      await client.expectDisconnected(ReasonCode.topicAliasInvalid);
    }
    const twice = await world.connect();
    twice.send("30 0a 0001 74 06 23 0001 23 0001");
    await twice.expectDisconnected(ReasonCode.protocolError);
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.2-7] the broker's own aliases end with their connection: what comes again and what is new brings its topic along",
  { versions: onlyV5 },
  async (world) => {
    const fields = persistent(5, "sub", { topicAliasMaximum: 1 });
    const before = await world.connect(fields);
    await subscribed(before, { filter: "topic/a", qos: 1 });
    const named = "0007 746f7069632f61";
    world.broker.publish("topic/a", "1", { qos: 1 });
    await before.expectBytes(`32 10 ${named} 0001 03 23 0001 31`);
    world.broker.publish("topic/a", "2", { qos: 1 });
    await before.expectBytes("32 09 0000 0002 03 23 0001 32");
    before.destroy();
    const after = await world.connect(fields);
    await after.expectBytes(`3a 10 ${named} 0001 03 23 0001 31  3a 09 0000 0002 03 23 0001 32`);
    const without = await world.connect(persistent(5, "sub"));
    await without.expectBytes(`3a 0d ${named} 0001 00 31  3a 0d ${named} 0002 00 32`);
    world.broker.publish("topic/a", "3");
    await without.expectBytes(`30 0b ${named} 00 33`);
  },
);
