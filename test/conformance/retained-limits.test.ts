/** Retained messages beyond the limits: who can be told is told, and nobody is left with a value that is out of date. */
import {
  conformanceTest,
  everyVersion,
  onlyV3,
  onlyV5,
  type RawClient,
  type World,
} from "./harness/index.ts";
import { expectNothingMore, expectPublish, publish, subscribed } from "./packets.ts";

const retain = true;
/** What one message of few bytes and one level costs is about 600. */
const limits = { retainedBytesMax: 2000 };
const small = "small";
const large = "x".repeat(3000);

async function expectKept(world: World, payload: string | undefined): Promise<void> {
  const subscriber = await world.connect();
  await subscribed(subscriber, "t");
  if (payload !== undefined) await expectPublish(subscriber, { payload, retain });
  await subscriber.ping();
}

async function keepSmall(world: World): Promise<RawClient> {
  const publisher = await world.connect();
  publisher.send(publish("t", small, { retain }));
  await publisher.ping();
  await expectKept(world, small);
  return publisher;
}

conformanceTest(
  "5.0 [MQTT-3.3.1-5] 3.1.1 [MQTT-3.3.1-7] QoS 0 that cannot be kept is delivered, and the message before is discarded",
  { versions: everyVersion, broker: { limits } },
  async (world) => {
    const publisher = await keepSmall(world);
    const standing = await world.connect();
    await subscribed(standing, "t");
    await expectPublish(standing, { payload: small, retain });
    publisher.send(publish("t", large, { retain }));
    await expectPublish(standing, { payload: large, retain: false });
    await expectNothingMore(publisher, standing);
    await expectKept(world, undefined);
  },
);

conformanceTest(
  "3.1.1 [MQTT-3.3.1-5] QoS 1 that cannot be kept and is acknowledged all the same leaves no older message behind",
  { versions: onlyV3, broker: { limits } },
  async (world) => {
    const publisher = await keepSmall(world);
    publisher.send(publish("t", large, { retain, qos: 1 }));
    await publisher.expectBytes("40 02 0001");
    await expectKept(world, undefined);
  },
);

conformanceTest(
  "5.0 [MQTT-3.4.2-1] [MQTT-3.5.2-1] QoS 1 and 2 that cannot be kept are refused with 0x97: the message before stays, nobody gets the new one",
  { versions: onlyV5, broker: { limits } },
  async (world) => {
    const publisher = await keepSmall(world);
    const standing = await world.connect();
    await subscribed(standing, "t");
    await expectPublish(standing, { payload: small, retain });
    publisher.send(publish("t", large, { retain, qos: 1 }));
    await publisher.expectBytes("40 03 0001 97");
    publisher.send(publish("t", large, { retain, qos: 2, packetIdentifier: 2 }));
    await publisher.expectBytes("50 03 0002 97");
    await expectNothingMore(publisher, standing);
    await expectKept(world, small);
  },
);

conformanceTest(
  "5.0 [MQTT-3.3.1-5] a will and a message of the embedding program that cannot be kept leave no older message behind",
  { versions: onlyV5, broker: { limits } },
  async (world) => {
    await keepSmall(world);
    world.broker.publish("t", large, { retain });
    await expectKept(world, undefined);
    await keepSmall(world);
    const will = { topic: "t", payload: Buffer.from(large), qos: 0 as const, retain };
    const gone = new Promise((resolve) => world.broker.on("disconnect", resolve));
    const dying = await world.connect({ will: { ...will, properties: {} } });
    dying.end();
    await gone;
    await expectKept(world, undefined);
  },
);

conformanceTest(
  "retained messages beyond retainedMessagesMax are refused (0x97) and counted, known topics go on",
  {
    versions: onlyV5,
    broker: { limits: { retainedMessagesMax: 2 }, sysTopicsSeconds: 1 },
  },
  async (world) => {
    // The topics of $SYS are retained messages too, and have taken both places.
    const publisher = await world.connect();
    publisher.send(publish("t/3", "x", { qos: 1, retain }));
    await publisher.expectBytes("40 03 0001 97");
    publisher.send(publish("t/3", "", { qos: 1, retain }));
    await publisher.expectBytes("40 03 0001 10");
    const subscriber = await world.connect();
    await subscribed(subscriber, "t/#");
    await subscriber.ping();
  },
);
