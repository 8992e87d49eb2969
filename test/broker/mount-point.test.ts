/** Clients of listeners with mount points: each site by itself, the unmounted listener sees all of them under their names. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../../src/base/index.ts";
import { PacketType, ProtocolVersion, type QoS } from "../../src/codec/index.ts";
import type { MemoryClient } from "./memory-client.ts";
import { bothVersions, MountedBroker, takeMessages } from "./mounted-broker.ts";

const { v5 } = ProtocolVersion;

for (const [name, protocolVersion] of bothVersions) {
  test(`${name}: two sites do not see each other, and who has no mount point sees both`, async () => {
    const broker = new MountedBroker();
    const one = await broker.comeIn("site-1/", "one", { protocolVersion });
    const two = await broker.comeIn("site-2/", "two", { protocolVersion });
    const all = await broker.comeIn("", "all", { protocolVersion });
    for (const client of [one, two, all]) client.subscribe("#", 1);
    one.subscribe("a/+", 2);
    for (const qos of [0, 1, 2] as QoS[]) {
      one.publish("a/b", `one ${qos}`, { qos });
      two.publish("a/b", `two ${qos}`, { qos });
    }
    all.publish("site-1/x", "to one");
    all.publish("x", "to nobody inside");
    await broker.settle();
    const ofOne = ["a/b=one 0", "a/b=one 1", "a/b=one 2", "x=to one"];
    assert.deepEqual(takeMessages(one), ofOne);
    assert.deepEqual(takeMessages(two), ["a/b=two 0", "a/b=two 1", "a/b=two 2"]);
    assert.deepEqual(takeMessages(all), [
      ...[0, 1, 2].flatMap((qos) => [`site-1/a/b=one ${qos}`, `site-2/a/b=two ${qos}`]),
      "site-1/x=to one",
      "x=to nobody inside",
    ]);
  });

  test(`${name}: retained messages and wills are their site's`, async () => {
    const broker = new MountedBroker();
    const properties = protocolVersion === v5 ? { responseTopic: "r/w" } : {};
    const will = { topic: "w", payload: Buffer.from("gone"), qos: 1, retain: true, properties };
    const one = await broker.comeIn("site-1/", "one", {
      protocolVersion,
      will: { ...will, qos: 1 },
    });
    one.publish("kept", "one", { retain: true });
    await broker.settle();
    one.lose();
    await broker.settle();
    assert.ok(broker.asked.includes("site-1/w"));
    const late = await broker.comeIn("site-1/", "late", { protocolVersion });
    late.subscribe("#");
    const other = await broker.comeIn("site-2/", "other", { protocolVersion });
    other.subscribe("#");
    const all = await broker.comeIn("", "all", { protocolVersion });
    all.subscribe("#");
    await broker.settle();
    const [first] = late.publishes.filter(({ topic }) => topic === "w");
    assert.deepEqual(first.properties, properties);
    assert.deepEqual(takeMessages(late).sort(), ["kept=one", "w=gone"]);
    assert.deepEqual(takeMessages(other), []);
    const [seen] = all.publishes.filter(({ topic }) => topic === "site-1/w");
    assert.deepEqual(
      seen.properties,
      protocolVersion === v5 ? { responseTopic: "site-1/r/w" } : {},
    );
    assert.deepEqual(takeMessages(all).sort(), ["site-1/kept=one", "site-1/w=gone"]);
  });

  test(`${name}: shared subscriptions and UNSUBSCRIBE`, async () => {
    const broker = new MountedBroker();
    const [one, two] = [
      await broker.comeIn("site-1/", "one", { protocolVersion }),
      await broker.comeIn("site-2/", "two", { protocolVersion }),
    ];
    const filters = ["$share/group/a/#", "b"];
    for (const client of [one, two]) for (const filter of filters) client.subscribe(filter, 1);
    await broker.settle();
    const publish = async () => {
      for (const client of [one, two]) client.packets.length = 0;
      one.publish("a/x", "shared");
      one.publish("b", "plain");
      await broker.settle();
      return [takeMessages(one), takeMessages(two)];
    };
    assert.deepEqual(await publish(), [["a/x=shared", "b=plain"], []]);
    one.send({ type: PacketType.unsubscribe, packetIdentifier: 9, filters, properties: {} });
    await broker.settle();
    const [unsuback] = one.packets;
    assert.ok(unsuback.type === PacketType.unsuback);
    if (protocolVersion === v5) assert.deepEqual(unsuback.reasonCodes, [0, 0]);
    assert.deepEqual(await publish(), [[], []]);
  });
}

test("what has no name inside is not seen there, and holds nothing up", async () => {
  const broker = new MountedBroker();
  const properties = { receiveMaximum: 1, topicAliasMaximum: 2, maximumPacketSize: 60 };
  const inside = await broker.comeIn("site-1/", "inside", { properties });
  inside.subscribe("#", 2);
  const all = await broker.comeIn("", "all");
  await broker.settle();
  inside.packets.length = 0;
  for (const qos of [0, 1, 2] as QoS[]) {
    for (const topic of ["site-1", "site-1/", "site-1/$SYS/fake", "site-1/$tstack/x"]) {
      for (const payload of ["first", "alias"]) all.publish(topic, payload, { qos });
    }
    all.publish("site-1/large", "x".repeat(60), { qos });
  }
  // One is under way at a time.
  for (let round = 0; round < 10; round++) await broker.settle();
  assert.deepEqual(inside.packets, []);
  all.publish("site-1/x", "comes", { qos: 1 });
  await broker.settle();
  assert.deepEqual(takeMessages(inside), ["x=comes"]);
});

test("5.0 [MQTT-4.7.2-1] 3.1.1 [MQTT-4.7.2-1] a wildcard in front matches no name that begins with $ inside", async () => {
  const broker = new MountedBroker();
  const inside = await broker.comeIn("site-1/", "inside");
  for (const filter of ["#", "+/x"]) inside.subscribe(filter);
  inside.publish("$SYSTEM/x", "retained", { retain: true });
  inside.subscribe("#");
  await broker.settle();
  assert.deepEqual(takeMessages(inside), []);
  inside.subscribe("$SYSTEM/+", 0, { retainHandling: 2 });
  inside.publish("$SYSTEM/x", "comes", { qos: 1 });
  await broker.settle();
  assert.deepEqual(takeMessages(inside), ["$SYSTEM/x=comes"]);
  inside.subscribe("$SYSTEM/#");
  await broker.settle();
  assert.deepEqual(takeMessages(inside), ["$SYSTEM/x=retained"]);
});

test("the broker's own topics are the same everywhere, and nobody publishes there", async () => {
  const broker = new MountedBroker();
  const one = await broker.comeIn("site-1/", "one");
  for (const filter of ["$SYS/#", "$share/g/$SYS/broker/#", "$SYS", "$SYSTEM/#"]) {
    one.subscribe(filter, 1);
  }
  one.publish("$SYS/broker/version", "fake", { qos: 1 });
  one.publish("$tstack/x", "fake", { qos: 1 });
  await broker.settle();
  assert.deepEqual(broker.asked, ["$SYS/#", "$SYS/broker/#", "$SYS", "site-1/$SYSTEM/#"]);
  const refused = one.packets.filter(({ type }) => type === PacketType.puback);
  assert.deepEqual(
    refused.map((packet) => packet.type === PacketType.puback && packet.reasonCode),
    [ReasonCode.notAuthorized, ReasonCode.notAuthorized],
  );
  broker.core.publish({
    topic: "$SYS/broker/test",
    payload: Buffer.from("true"),
    qos: 0,
    retain: false,
    properties: {},
  });
  await broker.settle();
  assert.deepEqual(new Set(takeMessages(one)), new Set(["$SYS/broker/test=true"]));
});

test("5.0: request and response over a mount point, aliases in both directions", async () => {
  const broker = new MountedBroker();
  const properties = { topicAliasMaximum: 5 };
  const server = await broker.comeIn("site-1/", "server", { properties });
  server.subscribe("requests/+");
  const client = await broker.comeIn("site-1/", "client", { properties });
  client.subscribe("answers/client");
  const spy = await broker.comeIn("", "spy");
  spy.subscribe("#");
  await broker.settle();
  for (const one of [server, client, spy]) one.packets.length = 0;
  const responseTopic = "answers/client";
  const correlationData = Buffer.from("7");
  const asking = { responseTopic, correlationData, topicAlias: 3 };
  client.publish("requests/time", "first", { properties: asking });
  client.publish("", "second", { properties: asking });
  await broker.settle();
  assert.deepEqual(
    server.publishes.map((request) => [
      request.topic,
      request.properties.topicAlias,
      request.properties.responseTopic,
    ]),
    [
      ["requests/time", 1, responseTopic],
      ["", 1, responseTopic],
    ],
  );
  for (const request of server.publishes) {
    server.publish(request.properties.responseTopic ?? "", "noon", {
      properties: { correlationData: request.properties.correlationData },
    });
  }
  await broker.settle();
  assert.deepEqual(
    client.publishes.map(({ topic, properties: { topicAlias } }) => [topic, topicAlias]),
    [
      ["answers/client", 1],
      ["", 1],
    ],
  );
  assert.deepEqual(spy.publishes[0].properties.responseTopic, "site-1/answers/client");
  assert.deepEqual(takeMessages(spy), [
    "site-1/requests/time=first",
    "site-1/requests/time=second",
    "site-1/answers/client=noon",
    "site-1/answers/client=noon",
  ]);
});

test("5.0: reasons name topics as the client knows them", async () => {
  const broker = new MountedBroker();
  const client = await broker.comeIn("site-1/", "c");
  client.publish("forbidden", "x", { qos: 1 });
  client.publish(`x${"/".repeat(127)}`, "as deep as is allowed, but for the mount point");
  await broker.settle();
  assert.deepEqual(
    client.packets.map((packet) => "properties" in packet && packet.properties.reasonString),
    [
      "not authorized to publish to forbidden",
      `"x${"/".repeat(92)}" is no topic name: it is empty, has a wildcard or more than 128 levels`,
    ],
  );
});

test("a busy transport is seen through the mount point, and what waits follows when it has drained", async () => {
  const broker = new MountedBroker({ limits: { outboxBytesMax: 5000 } });
  const slow = await broker.comeIn("site-1/", "slow");
  slow.subscribe("#");
  const fast = await broker.comeIn("site-1/", "fast");
  await broker.settle();
  slow.packets.length = 0;
  slow.isBusy = true;
  fast.publish("a", "first");
  await broker.settle();
  assert.ok(slow.pendingBytes > 0);
  for (let index = 0; index < 100; index++) fast.publish("a", "x".repeat(100));
  await broker.settle();
  assert.equal(slow.publishes.length, 0);
  const { slowReader } = broker.core.counters.dropped;
  assert.ok(slowReader > 40 && slowReader < 60, `${slowReader} dropped`);
  slow.drain();
  await broker.settle();
  assert.equal(slow.publishes.length, 101 - slowReader);
  assert.ok(slow.publishes.every(({ topic }) => topic === "a"));
});

test("a listener with a mount point that is none is refused", () => {
  const broker = new MountedBroker();
  for (const mountPoint of ["x", "a/+/", "#/", "$SYS/", "a\0/", `${"x".repeat(255)}/`, "\ud800/"]) {
    assert.throws(() => broker.core.acceptorFor({ mountPoint }), {
      code: "CONFIGURATION_INVALID",
      message: /is no mount point: it ends with "\/"/,
    });
  }
});

/** Everything that a client says, in one chunk or byte by byte, leads to the same. */
for (const [name, version] of bothVersions) {
  test(`${name}: packets that come byte by byte`, async () => {
    const talk = async (isSplit: boolean): Promise<unknown[]> => {
      const broker = new MountedBroker();
      const client: MemoryClient = broker.arrive("site-1/", version);
      const send = client.sendBytes.bind(client);
      if (isSplit) {
        client.sendBytes = (bytes) => {
          for (const byte of Buffer.from(bytes)) send(Buffer.of(byte));
        };
      }
      const will = { topic: "w", payload: Buffer.of(1), qos: 1, retain: false, properties: {} };
      client.connect("c", { will: { ...will, qos: 1 } });
      await broker.settle();
      client.subscribe("a/#", 1);
      const packets = [0, 1, 2].map((qos) =>
        client.publishPacket("a/b", `${qos}`.repeat(200), { qos: qos as QoS }),
      );
      client.send(...packets);
      client.publish("a", "x".repeat(70_000));
      await broker.settle();
      return [...client.packets, ...broker.asked];
    };
    const whole = await talk(false);
    assert.equal(whole.length, 14);
    assert.deepEqual(await talk(true), whole);
  });
}
