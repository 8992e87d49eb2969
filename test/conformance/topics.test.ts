/** Topic names and filters as a client sees them (section 4.7). */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import { ReasonCode } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV5, type World } from "./harness/index.ts";
import { expectPublish, publish, subscribed } from "./packets.ts";

/** Which of `topics` reach a subscription to `filter`. */
async function reached(world: World, filter: string, topics: readonly string[]): Promise<string[]> {
  const subscriber = await world.connect();
  const [code] = await subscribed(subscriber, filter);
  assert.equal(code, 0, `the filter ${filter} is granted`);
  const publisher = await world.connect();
  for (const topic of topics) publisher.send(publish(topic, "x"));
  publisher.send(publish(filter.replaceAll("+", "end").replaceAll("#", "end"), "end"));
  await publisher.ping();
  const came: string[] = [];
  for (;;) {
    const { topic, payload } = await subscriber.expectPacket(PacketType.publish);
    if (Buffer.from(payload).toString() === "end") return came;
    came.push(topic);
  }
}

const examples: readonly { filter: string; yes: readonly string[]; no: readonly string[] }[] = [
  {
    filter: "sport/tennis/player1/#",
    yes: ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/a/b/c"],
    no: ["sport/tennis/player2", "sport/tennis", "sport/tennis/player11"],
  },
  { filter: "a/#", yes: ["a", "a/", "a/b", "a//", "a/b/c"], no: ["ab", "/a", "A"] },
  { filter: "#", yes: ["a", "/", "a/b", "/a", " "], no: ["$test", "$test/a"] },
  { filter: "+", yes: ["a", "finance"], no: ["/a", "a/", "a/b", "$test"] },
  { filter: "/+", yes: ["/a", "/"], no: ["a", "/a/b", "//"] },
  { filter: "+/+", yes: ["/finance", "a/b", "/", "a/"], no: ["a", "a/b/c", "$test/a"] },
  { filter: "a/+/c", yes: ["a/b/c", "a//c"], no: ["a/c", "a/b/c/", "a/b/b/c"] },
  { filter: "+/b/#", yes: ["a/b", "a/b/c", "/b"], no: ["$test/b", "b", "a/c/b"] },
  { filter: "$test/#", yes: ["$test", "$test/a"], no: ["test/a", "$tes/a"] },
  { filter: "$test/+", yes: ["$test/a"], no: ["$test", "$test/a/b"] },
  { filter: "a//b", yes: ["a//b"], no: ["a/b", "a///b"] },
];

for (const { filter, yes, no } of examples) {
  conformanceTest(
    `5.0 [MQTT-3.3.2-3] [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] 3.1.1 [MQTT-3.3.2-3] [MQTT-3.8.3-2] [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1] what "${filter}" matches`,
    { versions: everyVersion },
    async (world) => {
      assert.deepEqual(await reached(world, filter, [...no, ...yes]), yes);
    },
  );
}

conformanceTest(
  "5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] 3.1.1 [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.2-1] filters that stand side by side match the same as each alone",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    const subscribers = [];
    for (const { filter } of examples) {
      const subscriber = await world.connect();
      await subscribed(subscriber, [filter, "end"]);
      subscribers.push(subscriber);
    }
    const topics = [...new Set(examples.flatMap(({ yes, no }) => [...yes, ...no]))];
    for (const topic of topics) publisher.send(publish(topic, "x"));
    publisher.send(publish("end", "x"));
    for (const [index, { yes, no }] of examples.entries()) {
      const came = new Set<string>();
      for (let topic = ""; topic !== "end"; came.add(topic)) {
        ({ topic } = await subscribers[index].expectPacket(PacketType.publish));
      }
      assert.deepEqual(
        [...yes, ...no].filter((topic) => came.has(topic)),
        yes,
      );
    }
  },
);

conformanceTest(
  "5.0 [MQTT-4.7.3-4] 3.1.1 [MQTT-4.7.3-4] topics are compared code point by code point: case, spaces, accents, dots",
  { versions: everyVersion },
  async (world) => {
    const decomposed = "cafe\u0301";
    const composed = "caf\u00e9";
    const no = ["accounts", "Accounts ", " Accounts", decomposed, "./Accounts", "\ufeffAccounts"];
    assert.deepEqual(await reached(world, "Accounts", [...no, "Accounts"]), ["Accounts"]);
    assert.deepEqual(await reached(world, composed, [decomposed, composed]), [composed]);
    const odd = ["\ufeffx", "\ufffe\uffff", "\u0001\u007f", "a b/\u{10ffff}", "\\", "%2f", "."];
    for (const topic of odd) assert.deepEqual(await reached(world, topic, [topic]), [topic]);
  },
);

conformanceTest(
  "5.0 [MQTT-4.7.2-1] 3.1.1 [MQTT-4.7.2-1] $SYS is not for # and +/..., and is there for who asks for it",
  { versions: everyVersion, broker: { sysTopicsSeconds: 1 } },
  async (world) => {
    const all = await world.connect();
    await subscribed(all, ["#", "+/broker/version", "+/#"]);
    const one = await world.connect();
    await subscribed(one, "$SYS/broker/version");
    await expectPublish(one, { topic: "$SYS/broker/version", retain: true });
    world.clock.advanceSeconds(10);
    await all.ping();
    await one.ping();
  },
);

conformanceTest(
  "a client cannot publish to $SYS: 0x87 for 5.0, silence for 3.x",
  { versions: everyVersion },
  async (world) => {
    const watcher = await world.connect();
    await subscribed(watcher, ["$SYS/#", "$tstack/#"]);
    const publisher = await world.connect();
    for (const topic of ["$SYS", "$SYS/broker/version", "$tstack/x"]) {
      publisher.send(publish(topic, "lie", { qos: 1, retain: true }));
      const { reasonCode } = await publisher.expectPacket(PacketType.puback);
      assert.equal(reasonCode, world.version === 5 ? ReasonCode.notAuthorized : 0);
    }
    await watcher.ping();
    publisher.send(publish("$SYSTEM", "x", { qos: 1 }));
    assert.notEqual(
      (await publisher.expectPacket(PacketType.puback)).reasonCode,
      ReasonCode.notAuthorized,
    );
  },
);

conformanceTest(
  "5.0 [MQTT-4.7.3-3] 3.1.1 [MQTT-4.7.3-3] a topic of 65,535 bytes goes through",
  { versions: everyVersion },
  async (world) => {
    const topic = "ä".repeat(32_767).concat("x");
    assert.equal(Buffer.byteLength(topic), 65_535);
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: topic, qos: 1 });
    const publisher = await world.connect();
    publisher.send(publish(topic, "long", { qos: 1 }));
    await expectPublish(subscriber, { topic, payload: "long" });
  },
);

conformanceTest(
  "a topic of more levels than topicLevelsMax ends the connection with 0x90",
  { versions: onlyV5, broker: { limits: { topicLevelsMax: 8 } } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const client = await world.connect();
    client.send(publish("1/2/3/4/5/6/7/8", "x"));
    await expectPublish(subscriber, { topic: "1/2/3/4/5/6/7/8" });
    client.send(publish("1/2/3/4/5/6/7/8/", "x"));
    await client.expectDisconnected(ReasonCode.topicNameInvalid);
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.10.4-2] 3.1.1 [MQTT-3.10.4-2] a filter added or removed holds from the next message on, for topics in use",
  { versions: everyVersion },
  async (world) => {
    const publisher = await world.connect();
    const subscriber = await world.connect();
    for (const filter of ["a/b", "a/+", "#", "a/#"]) {
      publisher.send(publish("a/b", "before"));
      await publisher.ping();
      await subscribed(subscriber, filter);
      publisher.send(publish("a/b", "with"));
      await expectPublish(subscriber, { payload: "with" });
      subscriber.send({
        type: PacketType.unsubscribe,
        packetIdentifier: 1,
        filters: [filter],
        properties: {},
      });
      await subscriber.expectPacket(PacketType.unsuback);
      publisher.send(publish("a/b", "after"));
      await publisher.ping();
      await subscriber.ping();
    }
  },
);
