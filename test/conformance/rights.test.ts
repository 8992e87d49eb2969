/** What a client may not do, how it is told, and that an authorizer that takes its time changes no order. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { PacketType } from "../../src/codec/index.ts";
import type { AuthorizationRequest, Authorizer } from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV3, onlyV5 } from "./harness/index.ts";
import {
  expectNothingMore,
  expectPublish,
  publish,
  pubrel,
  subscribe,
  subscribed,
} from "./packets.ts";

/** Nobody may touch what is called secret. */
const secretive: Authorizer = {
  generation: 0,
  authorize: ({ topic }) => ({ allowed: !topic.includes("secret"), rule: "secret is secret" }),
};

/** The same, but it answers later, and slow topics much later. */
const slow: Authorizer = {
  generation: 0,
  authorize: async (request) => {
    await sleep(request.topic.includes("slow") ? 20 : 1);
    return secretive.authorize(request);
  },
};

conformanceTest(
  "5.0 [MQTT-3.4.2-1] [MQTT-3.5.2-1] a publish that is refused: 0x87 with a reason string, and nobody gets it",
  { versions: onlyV5, broker: { authorizer: secretive } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const client = await world.connect();
    client.send(publish("a/secret", "x"), publish("a/secret", "x", { qos: 1, retain: true }));
    const puback = await client.expectPacket(PacketType.puback);
    assert.equal(puback.reasonCode, 0x87);
    assert.match(puback.properties.reasonString ?? "", /a\/secret/);
    client.send(publish("a/secret", "x", { qos: 2 }));
    const pubrec = await client.expectPacket(PacketType.pubrec);
    assert.equal(pubrec.reasonCode, 0x87);
    assert.match(pubrec.properties.reasonString ?? "", /a\/secret/);
    client.send(publish("open", "x"));
    await expectPublish(subscriber, { topic: "open" });
    await expectNothingMore(client, subscriber);
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-29] a client that wants no problem information gets the code without the reason",
  { versions: onlyV5, broker: { authorizer: secretive } },
  async (world) => {
    const client = await world.connect({ properties: { requestProblemInformation: false } });
    client.send(publish("secret", "", { qos: 1 }), publish("secret", "", { qos: 2 }));
    await client.expectBytes("40 03 0001 87  50 03 0001 87");
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.3.5-2] a publish that is refused is acknowledged and goes nowhere",
  { versions: onlyV3, broker: { authorizer: secretive } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const client = await world.connect();
    client.send(publish("secret", "x"), publish("secret", "x", { qos: 1, retain: true }));
    client.send(publish("secret", "x", { qos: 2 }), pubrel());
    await client.expectBytes("40 02 0001  50 02 0001  70 02 0001");
    await expectNothingMore(client, subscriber);
    const late = await world.connect();
    await subscribed(late, "#");
    await late.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.9.3-2] 3.1.1 [MQTT-3.9.3-2] a subscription that is refused: 0x87 or 0x80, the others hold",
  { versions: everyVersion, broker: { authorizer: secretive } },
  async (world) => {
    const client = await world.connect();
    const refused = world.version === 5 ? 0x87 : 0x80;
    const filters = ["open", "secret", "$share/g/secret", { filter: "b/#", qos: 2 as const }];
    assert.deepEqual(await subscribed(client, filters), [0, refused, refused, 2]);
    world.broker.publish("secret", "hidden", { retain: true });
    world.broker.publish("open", "seen");
    await expectPublish(client, { topic: "open" });
    await client.ping();
  },
);

conformanceTest(
  "a refusal leaves an older subscription to the same filter as it is",
  {
    versions: onlyV5,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ qos }) => ({ allowed: qos === 0, rule: "QoS 0 only" }),
      },
    },
  },
  async (world) => {
    const client = await world.connect();
    assert.deepEqual(await subscribed(client, "t"), [0]);
    assert.deepEqual(await subscribed(client, { filter: "t", qos: 1 }), [0x87]);
    world.broker.publish("t", "x");
    await expectPublish(client, { topic: "t" });
  },
);

conformanceTest(
  "refused publishes are counted in $SYS",
  { versions: onlyV5, broker: { authorizer: secretive, sysTopicsSeconds: 10 } },
  async (world) => {
    const client = await world.connect();
    client.send(publish("secret", "x"), publish("secret", "x"), publish("secret", "x"));
    await client.ping();
    world.clock.advanceSeconds(10);
    await subscribed(client, "$SYS/broker/publish/messages/dropped/notAuthorized");
    await expectPublish(client, { payload: "3" });
  },
);

conformanceTest(
  "the authorizer learns who, what and where; of a shared subscription the filter alone",
  {
    versions: onlyV5,
    broker: {
      authorizer: {
        generation: 0,
        authorize: (request) => {
          asked.push(request);
          return { allowed: true, rule: "all" };
        },
      },
    },
  },
  async (world) => {
    asked.length = 0;
    const client = await world.connect({ clientIdentifier: "asker" });
    client.send(subscribe({ filter: "$share/g/a/+", qos: 1 }), publish("p", "", { qos: 1 }));
    await client.expectPacket(PacketType.suback);
    await client.expectPacket(PacketType.puback);
    client.send(publish("p", "", { qos: 1 }));
    await client.expectPacket(PacketType.puback);
    assert.deepEqual(
      asked.map(({ client: who, action, topic, qos }) => [
        who.clientIdentifier,
        action,
        topic,
        qos,
      ]),
      [
        ["asker", "subscribe", "a/+", 1],
        ["asker", "publish", "p", 1],
      ],
      "the second publish to the same topic is not asked for",
    );
  },
);
const asked: AuthorizationRequest[] = [];

conformanceTest(
  "a right that is taken away holds from the next packet on",
  { versions: everyVersion, broker: { authorizer: revocable() } },
  async (world) => {
    rights.allowed = true;
    rights.generation++;
    const subscriber = await world.connect();
    await subscribed(subscriber, "t");
    const client = await world.connect();
    client.send(publish("t", "1"), publish("t", "2"));
    await expectPublish(subscriber, { payload: "1" });
    await expectPublish(subscriber, { payload: "2" });
    rights.allowed = false;
    rights.generation++;
    client.send(publish("t", "3"), publish("t", "4"));
    await expectNothingMore(client, subscriber);
    rights.allowed = true;
    rights.generation++;
    client.send(publish("t", "5"));
    await expectPublish(subscriber, { payload: "5" });
  },
);

const rights = { allowed: true, generation: 0 };
function revocable(): Authorizer {
  return {
    get generation() {
      return rights.generation;
    },
    authorize: () => ({ allowed: rights.allowed, rule: "as the test says" }),
  };
}

conformanceTest(
  "5.0 [MQTT-4.6.0-2] [MQTT-4.6.0-5] an authorizer that answers later keeps the order of packets, answers and messages",
  { versions: everyVersion, broker: { authorizer: slow } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, { filter: "#", qos: 1 });
    const client = await world.connect();
    const isV5 = world.version === 5;
    client.send(
      publish("slow/1", "1"),
      publish("quick/2", "2", { qos: 1, packetIdentifier: 2 }),
      publish("slow/3", "3", { qos: 1, packetIdentifier: 3 }),
      publish("slow/secret", "no", { qos: 1, packetIdentifier: 4 }),
      publish("quick/2", "5"),
      subscribe(["slow/x", "quick/secret", "quick/y"]),
      publish("quick/6", "6", { qos: 2, packetIdentifier: 6 }),
      "c000",
    );
    await client.expectBytes("40 02 0002  40 02 0003");
    const { packetIdentifier } = await client.expectPacket(PacketType.puback);
    assert.equal(packetIdentifier, 4);
    const { reasonCodes } = await client.expectPacket(PacketType.suback);
    assert.deepEqual(reasonCodes, [0, isV5 ? 0x87 : 0x80, 0]);
    await client.expectPacket(PacketType.pubrec);
    await client.expectPacket(PacketType.pingresp);
    for (const payload of ["1", "2", "3", "5", "6"]) await expectPublish(subscriber, { payload });
    await subscriber.ping();
  },
);

const lyingWill = {
  topic: "will",
  payload: Buffer.from("lie"),
  qos: 0 as const,
  retain: false,
  properties: {},
};

conformanceTest(
  "5.0 [MQTT-3.14.4-3] who publishes and leaves in good order before the authorizer has answered: the message goes out, the will does not",
  { versions: everyVersion, broker: { authorizer: slow } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const client = await world.connect({ will: lyingWill });
    for (const payload of ["1", "2", "3"]) client.send(publish(`slow/${payload}`, payload));
    client.send("e000");
    client.end();
    for (const payload of ["1", "2", "3"]) await expectPublish(subscriber, { payload });
    await sleep(50);
    await subscriber.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-8] who publishes and vanishes before the authorizer has answered: the message goes out, then the will",
  { versions: everyVersion, broker: { authorizer: slow } },
  async (world) => {
    const subscriber = await world.connect();
    await subscribed(subscriber, "#");
    const gone = new Promise((resolve) => world.broker.on("disconnect", resolve));
    const client = await world.connect({ will: lyingWill });
    client.send(publish("slow/1", "1"));
    client.end();
    await expectPublish(subscriber, { topic: "slow/1", payload: "1" });
    await expectPublish(subscriber, { topic: "will" });
    await gone;
    await subscriber.ping();
  },
);

conformanceTest(
  "3.1.1 [MQTT-4.8.0-2] an authorizer that fails ends that connection and no other",
  {
    versions: everyVersion,
    broker: {
      authorizer: {
        generation: 0,
        authorize: ({ topic }) => {
          if (topic === "throw") throw new Error("broken authorizer");
          if (topic === "reject") return Promise.reject(new Error("broken authorizer"));
          return { allowed: true, rule: "all" };
        },
      },
    },
  },
  async (world) => {
    const witness = await world.connect();
    await subscribed(witness, "#");
    for (const topic of ["throw", "reject"]) {
      const publisher = await world.connect();
      publisher.send(publish(topic, "x", { qos: 1 }));
      await publisher.expectDisconnected(0x80);
      const subscriber = await world.connect();
      subscriber.send(subscribe(topic));
      await subscriber.expectDisconnected(0x80);
    }
    await witness.ping();
  },
);
