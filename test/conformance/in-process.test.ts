/** The broker as a library: publish, subscribe and events inside the process, beside real clients. */
import assert from "node:assert/strict";
import { PacketType } from "../../src/codec/index.ts";
import {
  type ApplicationMessage,
  type BrokerEvents,
  type PublishOptions,
  TstackError,
} from "../../src/index.ts";
import { conformanceTest, everyVersion, onlyV5 } from "./harness/index.ts";
import { disconnect, expectPublish, publish, subscribed } from "./packets.ts";

function textOf({ topic, payload, qos, retain }: ApplicationMessage): string {
  return `${topic} ${Buffer.from(payload).toString()} ${qos}${retain ? " retained" : ""}`;
}

conformanceTest(
  "broker.subscribe gets what clients publish, retained messages first, and ends when it is told to",
  { versions: everyVersion },
  async (world) => {
    world.broker.publish("home/old", "kept", { qos: 1, retain: true });
    const seen: string[] = [];
    const unsubscribe = world.broker.subscribe("home/#", (message) => {
      seen.push(textOf(message));
    });
    assert.deepEqual(seen, ["home/old kept 1 retained"]);
    const client = await world.connect();
    client.send(publish("home/a", "1"), publish("home/a", "2"), publish("other", "no"));
    client.send(publish("home/b", "3", { qos: 1 }));
    await client.expectPacket(PacketType.puback);
    assert.deepEqual(seen.slice(1), ["home/a 1 0", "home/a 2 0", "home/b 3 1"]);
    unsubscribe();
    unsubscribe();
    client.send(publish("home/a", "4"));
    await client.ping();
    assert.equal(seen.length, 4);
  },
);

conformanceTest(
  "a message given to a handler is the handler's to keep",
  { versions: onlyV5 },
  async (world) => {
    const seen: ApplicationMessage[] = [];
    world.broker.subscribe("t", (message) => {
      seen.push(message);
    });
    const client = await world.connect();
    const properties = { contentType: "text", correlationData: Buffer.from("id") };
    for (const payload of ["first", "second"]) {
      client.send(publish("t", payload, { properties }));
      await client.ping();
    }
    assert.deepEqual(
      seen.map(({ payload }) => Buffer.from(payload).toString()),
      ["first", "second"],
    );
    assert.deepEqual(seen[0].properties.contentType, "text");
    assert.deepEqual(Buffer.from(seen[0].properties.correlationData ?? []).toString(), "id");
  },
);

conformanceTest(
  "a handler that throws harms nobody, one that publishes and unsubscribes is served",
  { versions: everyVersion },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, "#");
    world.broker.subscribe("t", () => {
      throw new Error("broken handler");
    });
    const end = world.broker.subscribe("t", ({ payload }) => {
      end();
      world.broker.publish("echo", payload);
    });
    client.send(publish("t", "1"), publish("t", "2"));
    const came = [];
    for (let count = 0; count < 3; count++) {
      const { topic, payload } = await expectPublish(client, {});
      came.push(`${topic} ${Buffer.from(payload).toString()}`);
    }
    assert.deepEqual(came.toSorted(), ["echo 1", "t 1", "t 2"]);
    await client.ping();
  },
);

conformanceTest(
  "broker.publish refuses what is no topic, broker.subscribe what is no filter",
  { versions: onlyV5 },
  async (world) => {
    const tooLong = ["x".repeat(65_536), "é".repeat(32_768)];
    for (const topic of ["", "a/+", "#", "a\0b", "\ud800", "a/\udc00b", ...tooLong]) {
      assert.throws(
        () => world.broker.publish(topic, "x"),
        (error) => error instanceof TstackError && error.code === "MQTT_TOPIC_NAME_INVALID",
      );
    }
    for (const filter of ["", "a/#/b", "a+", "$share/g/t"]) {
      assert.throws(
        () => world.broker.subscribe(filter, () => undefined),
        (error) => error instanceof TstackError && error.code === "MQTT_TOPIC_FILTER_INVALID",
      );
    }
  },
);

const impossible: Record<string, PublishOptions> = {
  "a content type that is too long": { properties: { contentType: "x".repeat(65_536) } },
  "a content type with half a character": { properties: { contentType: "\ud800" } },
  "a content type with a null character": { properties: { contentType: "\0" } },
  "a content type that is no string": { properties: { contentType: 5 as never } },
  "an expiry before now": { properties: { messageExpiryInterval: -1 } },
  "an expiry beyond four bytes": { properties: { messageExpiryInterval: 2 ** 32 } },
  "an expiry of half a second": { properties: { messageExpiryInterval: 0.5 } },
  "a response topic with a wildcard": { properties: { responseTopic: "a/#" } },
  "an empty response topic": { properties: { responseTopic: "" } },
  "a payload format of 2": { properties: { payloadFormatIndicator: 2 as never } },
  "correlation data that is too long": { properties: { correlationData: Buffer.alloc(65_536) } },
  "a user property without a value": { properties: { userProperties: [["name"] as never] } },
  "a user property with half a character": { properties: { userProperties: [["a", "\udc00"]] } },
  "QoS 3": { qos: 3 as never },
  "more user properties than a packet holds": {
    properties: { userProperties: new Array(4200).fill(["name", "v".repeat(65_000)]) },
  },
};

conformanceTest(
  "broker.publish refuses what no PUBLISH can carry, and nobody gets anything of it",
  { versions: onlyV5 },
  async (world) => {
    const client = await world.connect();
    await subscribed(client, "#");
    for (const [what, options] of Object.entries(impossible)) {
      assert.throws(
        () => world.broker.publish("t", "x", options),
        (error) => error instanceof TstackError && error.code === "MESSAGE_INVALID",
        what,
      );
    }
    const properties = { contentType: "😀".repeat(16_383), messageExpiryInterval: 2 ** 32 - 1 };
    world.broker.publish("é".repeat(32_767), "x", { properties });
    const message = await expectPublish(client, { topic: "é".repeat(32_767) });
    assert.deepEqual(message.properties, properties);
    await client.ping();
  },
);

conformanceTest(
  "broker.on tells of clients that come and go, and why they went",
  { versions: everyVersion },
  async (world) => {
    const told: string[] = [];
    const name = (event: BrokerEvents["connect"] | BrokerEvents["disconnect"]) =>
      `${event.client.clientIdentifier} ${event.client.protocolVersion}`;
    world.broker.on("connect", () => {
      throw new Error("broken listener");
    });
    const off = world.broker.on("connect", (event) => {
      told.push(`+${name(event)} ${event.sessionPresent}`);
    });
    world.broker.on("disconnect", (event) => {
      told.push(`-${name(event)} by ${event.ending.by}`);
    });
    const polite = await world.connect({ clientIdentifier: "polite" });
    await disconnect(polite);
    const rude = await world.connect({ clientIdentifier: "rude" });
    rude.send("d000");
    await rude.expectDisconnected(0x82);
    off();
    await world.connect({ clientIdentifier: "unseen" });
    assert.deepEqual(told, [
      `+polite ${world.version} false`,
      `-polite ${world.version} by client`,
      `+rude ${world.version} false`,
      `-rude ${world.version} by broker`,
    ]);
  },
);

conformanceTest(
  "broker.close ends all connections, telling 5.0 clients 0x8B, and the wills stay unsaid",
  { versions: everyVersion },
  async (world) => {
    const told: string[] = [];
    world.broker.subscribe("#", ({ topic }) => {
      told.push(topic);
    });
    const will = {
      topic: "will",
      payload: Buffer.from("x"),
      qos: 0 as const,
      retain: false,
      properties: {},
    };
    const clients = [await world.connect({ will }), await world.connect()];
    const closed = world.broker.close({ seconds: 2 });
    for (const client of clients) await client.expectDisconnected(0x8b);
    await closed;
    assert.deepEqual(told, []);
  },
);
