/** 5.0 sections 3.1.2.5 to 3.1.2.7 and 3.1.3.2, 3.1.1 section 3.1.2.5: last wills that are published at once. */
import assert from "node:assert/strict";
import {
  PacketType,
  type Properties,
  ProtocolVersion,
  type WillMessage,
} from "../../src/codec/index.ts";
import type { Authorizer } from "../../src/index.ts";
import {
  conformanceTest,
  connectBytes,
  connectPacket,
  everyVersion,
  field,
  onlyV3,
  onlyV5,
  packetBytes,
  propertyBytes,
  type RawClient,
  type World,
} from "./harness/index.ts";

const { v3_1, v5 } = ProtocolVersion;

function willOf(fields: Partial<WillMessage> = {}): WillMessage {
  const payload = Buffer.from("gone");
  return { topic: "will", payload, qos: 0, retain: false, properties: {}, ...fields };
}

async function watch(world: World, qos: 0 | 1 | 2 = 2): Promise<RawClient> {
  const watcher = await world.connect({ clientIdentifier: "watcher" });
  await watcher.subscribe("will", { qos });
  return watcher;
}

const published = "5.0 [MQTT-3.1.2-7] [MQTT-3.1.2-8], 3.1.1 [MQTT-3.1.2-8]";

const ends: Record<string, (client: RawClient, world: World) => Promise<void> | void> = {
  "the client closes without DISCONNECT": (client) => client.end(),
  "the connection breaks": (client) => client.destroy(),
  "the client breaks the protocol": (client) => client.send("0000"),
  "the client announces too large a packet": (client) => client.send("30 ffffff7f"),
  "another connection takes the session over": async (client, world) => {
    await world.connect({ clientIdentifier: "mortal" });
    await client.expectDisconnected(0x8e);
  },
};

for (const [how, end] of Object.entries(ends)) {
  conformanceTest(
    `${published} ${how}: the will is published, once`,
    { versions: everyVersion },
    async (world) => {
      const watcher = await watch(world);
      const client = await world.connect({ clientIdentifier: "mortal", will: willOf() });
      await end(client, world);
      const { topic, payload, qos, retain, dup } = await watcher.expectPacket(PacketType.publish);
      assert.deepEqual(
        [topic, `${Buffer.from(payload)}`, qos, retain, dup],
        ["will", "gone", 0, false, false],
      );
      await watcher.ping();
      // [MQTT-3.1.2-10] gone from the session
      const back = await world.connect({
        clientIdentifier: "mortal",
        cleanStart: world.version !== v5,
      });
      back.destroy();
      await watcher.expectSilence(20);
    },
  );
}

conformanceTest(
  "3.1.1 [MQTT-3.1.2-12], 5.0 section 3.1.2.5: without the flag there is no will",
  { versions: everyVersion },
  async (world) => {
    const watcher = await watch(world);
    const client = await world.connect();
    client.send("0000");
    await client.expectDisconnected(0x81);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-12], 3.1.1 [MQTT-3.1.2-14] a will goes out at its QoS, or the subscriber's where that is lower",
  { versions: everyVersion },
  async (world) => {
    for (const granted of [0, 1, 2] as const) {
      const watcher = await watch(world, granted);
      for (const qos of [0, 1, 2] as const) {
        const client = await world.connect({ will: willOf({ qos }) });
        client.destroy();
        const message = await watcher.expectPacket(PacketType.publish);
        assert.equal(message.qos, Math.min(qos, granted));
      }
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-14], 3.1.1 [MQTT-3.1.2-16] without will retain nothing is retained",
  { versions: everyVersion },
  async (world) => {
    const watcher = await watch(world, 0);
    const client = await world.connect({ will: willOf() });
    client.destroy();
    await watcher.expectPacket(PacketType.publish);
    const late = await world.connect();
    await late.subscribe("will");
    await late.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-15], 3.1.1 [MQTT-3.1.2-17] will retain: the will is retained, and an empty one clears",
  { versions: everyVersion },
  async (world) => {
    const watcher = await watch(world, 0);
    const client = await world.connect({ will: willOf({ retain: true }) });
    client.destroy();
    assert.equal((await watcher.expectPacket(PacketType.publish)).retain, false);
    const late = await world.connect();
    await late.subscribe("will");
    const { retain, payload } = await late.expectPacket(PacketType.publish);
    assert.deepEqual([retain, `${Buffer.from(payload)}`], [true, "gone"]);
    const clearing = await world.connect({
      will: willOf({ retain: true, payload: Buffer.from("") }),
    });
    clearing.destroy();
    await late.expectPacket(PacketType.publish);
    const later = await world.connect();
    await later.subscribe("will");
    await later.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-10], 3.1.1 [MQTT-3.1.2-10] each CONNECT brings its own will, or none",
  { versions: everyVersion },
  async (world) => {
    const properties: Properties = world.version === v5 ? { sessionExpiryInterval: 100 } : {};
    const fields = { clientIdentifier: "mortal", cleanStart: false, properties };
    const watcher = await watch(world);
    const first = await world.connect({ ...fields, will: willOf({ payload: Buffer.from("1") }) });
    first.send("e000");
    await first.expectClosed();
    const second = await world.connect(fields);
    second.destroy();
    const third = await world.connect({ ...fields, will: willOf({ payload: Buffer.from("3") }) });
    third.destroy();
    const message = await watcher.expectPacket(PacketType.publish);
    assert.equal(`${Buffer.from(message.payload)}`, "3");
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-10] [MQTT-3.1.2-8], 3.1.1 [MQTT-3.1.2-10] a will that was published is gone from a session that stays: neither its return nor its end says it again",
  { versions: everyVersion, broker: { limits: { sessionExpirySecondsV3: 100 } } },
  async (world) => {
    const properties: Properties = world.version === v5 ? { sessionExpiryInterval: 100 } : {};
    const fields = { clientIdentifier: "mortal", cleanStart: false, properties };
    const watcher = await watch(world, 0);
    const first = await world.connect({ ...fields, will: willOf() });
    first.send("0000");
    await first.expectDisconnected(0x81);
    await watcher.expectPacket(PacketType.publish);
    world.clock.advanceSeconds(50);
    const back = await world.connect(fields);
    if (world.version !== v3_1) assert.equal(back.connack?.sessionPresent, true);
    back.send("0000");
    await back.expectDisconnected(0x81);
    world.clock.advanceSeconds(1000);
    await watcher.ping();
  },
);

conformanceTest(
  "5.0 section 3.1.3.2: the will's properties go along, its delay does not",
  { versions: onlyV5 },
  async (world) => {
    const watcher = await watch(world, 0);
    const properties: Properties = {
      willDelayInterval: 0,
      payloadFormatIndicator: 1,
      contentType: "text",
      responseTopic: "answer",
      correlationData: Buffer.from([0, 255]),
    };
    const client = await world.connect({ will: willOf({ properties }) });
    client.destroy();
    const message = await watcher.expectPacket(PacketType.publish);
    const { willDelayInterval: _, correlationData, ...rest } = properties;
    assert.ok(
      Buffer.from(message.properties.correlationData ?? "").equals(correlationData as Buffer),
    );
    assert.deepEqual(
      { ...message.properties, correlationData: undefined },
      { ...rest, correlationData: undefined },
    );
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.3-10] the order of the will's user properties is kept",
  { versions: onlyV5 },
  async (world) => {
    const watcher = await watch(world, 0);
    const userProperties: [string, string][] = [
      ["b", "1"],
      ["a", "2"],
      ["b", "1"],
      ["", ""],
      ["a", "0"],
    ];
    // as bytes: a codec that turns the order round twice would not show it
    const pairs = userProperties.map(([name, value]) => `26 ${field(name)}${field(value)}`);
    const properties = propertyBytes(...pairs);
    const payload = `${field("raw")}${properties}${field("will")}${field("gone")}`;
    const client = await world.open();
    client.send(connectBytes(v5, { flags: "06", payload }));
    await client.expectPacket(PacketType.connack);
    client.destroy();
    const gone = Buffer.from("gone").toString("hex");
    await watcher.expectBytes(
      packetBytes("30", `${field("will")}${properties}${gone}`).toString("hex"),
    );
  },
);

conformanceTest(
  "5.0 section 3.1.3.2.4: the will's expiry begins when it is published, and a will that has expired is not sent",
  { versions: onlyV5 },
  async (world) => {
    const fields = { clientIdentifier: "watcher", cleanStart: false };
    const properties = { sessionExpiryInterval: 1000 };
    const watcher = await world.connect({ ...fields, properties });
    await watcher.subscribe("will", { qos: 1 });
    watcher.send("e000");
    await watcher.expectClosed();
    for (const messageExpiryInterval of [10, 30]) {
      const will = willOf({ qos: 1, properties: { messageExpiryInterval } });
      const client = await world.connect({ will });
      world.clock.advanceSeconds(100);
      await client.ping();
      client.send("e0 01 04");
      await client.expectClosed();
    }
    world.clock.advanceSeconds(20);
    const back = await world.connect({ ...fields, properties });
    const message = await back.expectPacket(PacketType.publish);
    assert.equal(message.properties.messageExpiryInterval, 10);
    await back.ping();
  },
);

conformanceTest(
  "5.0 and 3.1.1: a will of one client goes to itself where another connection of it is subscribed",
  { versions: onlyV3 },
  async (world) => {
    const fields = { clientIdentifier: "mortal", cleanStart: false };
    const first = await world.connect({ ...fields, will: willOf({ qos: 1 }) });
    await first.subscribe("will", { qos: 1 });
    first.destroy();
    const back = await world.connect(fields);
    const message = await back.expectPacket(PacketType.publish);
    assert.equal(message.topic, "will");
  },
);

const authorizer: Authorizer = {
  generation: 0,
  authorize: ({ action, topic }) => ({
    allowed: action !== "will" || topic === "will",
    rule: "a will on will only",
  }),
};

conformanceTest(
  "5.0 [MQTT-3.1.4-2], 3.1.1 section 3.1.4: a will that the client has no right to is refused with CONNECT, and never published",
  { versions: everyVersion, broker: { authorizer } },
  async (world) => {
    const watcher = await world.connect();
    await watcher.subscribe("#");
    const client = await world.open();
    client.send(connectPacket(world.version, { will: willOf({ topic: "other" }) }));
    await client.expectRefused(world.version === v5 ? 0x87 : 5);
    await watcher.ping();
    await world.connect({ will: willOf() });
  },
);

conformanceTest(
  "the broker's own topics and topics that are too deep take no will",
  { versions: everyVersion },
  async (world) => {
    const isV5 = world.version === v5;
    for (const [topic, code, returnCode] of [
      ["$SYS/broker/uptime", 0x87, 5],
      ["a/".repeat(128), 0x90, 3],
      [`$SYS/${"x".repeat(65_530)}`, 0x87, 5],
    ] as const) {
      const client = await world.open();
      client.send(connectPacket(world.version, { will: willOf({ topic }) }));
      await client.expectRefused(isV5 ? code : returnCode);
    }
  },
);

conformanceTest(
  "5.0 [MQTT-3.1.2-9], 3.1.1 [MQTT-3.1.2-9] a will is published byte for byte, an empty payload too",
  { versions: everyVersion },
  async (world) => {
    const properties = world.version === v5 ? "00" : "";
    const watcher = await watch(world, 0);
    for (const payload of ["", "00ff0a", "c328"]) {
      const client = await world.connect({
        will: willOf({ payload: Buffer.from(payload, "hex") }),
      });
      client.destroy();
      const length = 6 + properties.length / 2 + payload.length / 2;
      await watcher.expectBytes(
        `30 0${length.toString(16)} ${field("will")} ${properties} ${payload}`,
      );
    }
  },
);
