/** What a session is survives a restart: options of subscriptions, deadlines, wills, names that were given out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType, ProtocolVersion, type WillMessage } from "../../../src/codec/index.ts";
import { answers, connack, kept, StoredBroker, say, sessionSeconds } from "./stored-broker.ts";
import { TestStorage } from "./test-storage.ts";

const { v3_1_1 } = ProtocolVersion;

const will: WillMessage = {
  topic: "will",
  payload: Buffer.from("gone"),
  qos: 1,
  retain: false,
  properties: { willDelayInterval: 60, messageExpiryInterval: 5, contentType: "text/plain" },
};

test("5.0 [MQTT-3.8.3-3] [MQTT-3.3.4-3] [MQTT-3.3.1-13] every option of a subscription works after a restart as before", async () => {
  const before = new StoredBroker();
  const client = await before.keeper("sub");
  client.send({
    type: PacketType.subscribe,
    packetIdentifier: 1,
    subscriptions: [
      { filter: "a/+", qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 2 },
      { filter: "b", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 1 },
    ],
    properties: { subscriptionIdentifiers: [77] },
  });
  await before.settle();
  client.subscribe("c", 0);
  await before.rest();
  const after = await before.restart();
  assert.deepEqual(after.stored("sub").subscriptions, [
    {
      filter: "a/+",
      qos: 2,
      noLocal: true,
      retainAsPublished: true,
      retainHandling: 2,
      identifier: 77,
    },
    {
      filter: "b",
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 1,
      identifier: 77,
    },
    {
      filter: "c",
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
      identifier: 0,
    },
  ]);
  const again = await after.keeper("sub");
  assert.equal(connack(again).sessionPresent, true);
  const publisher = await after.connect("pub");
  again.publish("a/x", "its own", { qos: 1 });
  again.publish("b", "its own", { qos: 2 });
  publisher.publish("a/x", "retained", { qos: 2, retain: true });
  publisher.publish("b", "not as published", { qos: 2, retain: true });
  publisher.publish("c", "at most once", { qos: 2 });
  await after.rest();
  const came = again.publishes.map(({ payload, qos, retain, properties }) => [
    Buffer.from(payload).toString(),
    qos,
    retain,
    properties.subscriptionIdentifiers,
  ]);
  assert.deepEqual(
    new Set(came.map((one) => JSON.stringify(one))),
    new Set(
      [
        ["its own", 1, false, [77]],
        ["retained", 2, true, [77]],
        ["not as published", 1, false, [77]],
        ["at most once", 0, false, undefined],
      ].map((one) => JSON.stringify(one)),
    ),
  );
});

test("5.0 [MQTT-3.8.4-3] [MQTT-3.10.4-1] a replaced subscription is the last one, one that was ended is none", async () => {
  const before = new StoredBroker();
  const client = await before.keepingSubscriber("sub", "a", { qos: 2 });
  client.subscribe("b", 1);
  client.subscribe("a", 0, { noLocal: true });
  const packet = { type: PacketType.unsubscribe, packetIdentifier: 9, filters: ["b"] } as const;
  client.send({ ...packet, filters: ["b"], properties: {} });
  await before.rest();
  const after = await before.restart();
  const { subscriptions } = after.stored("sub");
  assert.deepEqual(
    subscriptions.map(({ filter, qos, noLocal }) => ({ filter, qos, noLocal })),
    [{ filter: "a", qos: 0, noLocal: true }],
  );
  assert.equal(after.core.subscriptions.count, 1);
  after.publish("b", "x", 1);
  assert.equal(after.session("sub").queuedMessages, 0);
});

test("5.0 [MQTT-4.3.3-10] 3.1.1 [MQTT-4.3.3-2] identifiers of QoS 2 that were received still refuse duplicates", async () => {
  for (const protocolVersion of [v3_1_1, ProtocolVersion.v5]) {
    const before = new StoredBroker();
    await before.absentee("sub", "t", 2);
    const publisher = await before.keeper("pub", { protocolVersion });
    for (const packetIdentifier of [7, 8])
      publisher.publish("t", `${packetIdentifier}`, { qos: 2, packetIdentifier });
    await before.rest();
    say(publisher, "pubrel", 7);
    await before.rest();
    assert.deepEqual(answers(publisher), ["pubrec 7", "pubrec 8", "pubcomp 7"]);
    const after = await before.restart();
    const again = await after.keeper("pub", { protocolVersion });
    again.publish("t", "8", { qos: 2, packetIdentifier: 8, dup: true });
    again.publish("t", "another", { qos: 2, packetIdentifier: 7 });
    await after.rest();
    assert.deepEqual(answers(again), ["pubrec 8", "pubrec 7"]);
    const subscriber = await after.keeper("sub", { properties: { receiveMaximum: 10 } });
    await after.rest();
    assert.deepEqual(subscriber.payloads, ["7", "8", "another"]);
  }
});

test("5.0 [MQTT-4.3.3-12] a PUBLISH whose PUBREC was not yet sent is taken once: with its identifier, or not at all", async () => {
  for (const isWritten of [false, true]) {
    const before = new StoredBroker();
    await before.absentee("sub", "t", 2);
    const publisher = await before.keeper("pub");
    await before.rest();
    before.storage.isHolding = true;
    publisher.publish("t", "a", { qos: 2, packetIdentifier: 1 });
    await before.rest();
    if (isWritten) before.storage.answer();
    const after = await before.restart();
    const again = await after.keeper("pub");
    again.publish("t", "a", { qos: 2, packetIdentifier: 1, dup: true });
    await after.rest();
    assert.deepEqual(answers(again), ["pubrec 1"]);
    assert.equal(after.session("sub").queuedMessages, 1);
  }
});

test("5.0 [MQTT-3.1.2-23] a session ends when it should have, also while the broker is down", async () => {
  const before = new StoredBroker();
  await before.absentee("short", "t");
  before.clock.advanceSeconds(sessionSeconds - 100);
  await before.absentee("long", "t");
  await before.keepingSubscriber("connected", "t");
  await before.keepingSubscriber("v3", "t", { protocolVersion: v3_1_1 });
  before.publish("t", "x", 1);
  await before.rest();
  const after = await before.restart(200);
  assert.equal(after.core.counters.sessionsExpired, 1);
  const client = await after.keeper("short");
  assert.equal(connack(client).sessionPresent, false, "its time was over");
  assert.equal(connack(await after.keeper("long")).sessionPresent, true);
  await after.rest();
  const names = after.storage.kept.sessions.map(({ session }) => session.clientIdentifier);
  assert.deepEqual(names.sort(), ["connected", "long", "short", "v3"]);
  // Whose connection ended with the broker has its whole time from the restart on.
  after.clock.advanceSeconds(sessionSeconds - 1);
  assert.ok(after.core.sessions.has("connected"));
  after.clock.advanceSeconds(1);
  assert.ok(!after.core.sessions.has("connected"));
  assert.ok(after.core.sessions.has("v3"), "sessionExpirySecondsV3 is longer");
  await after.rest();
});

test("a session without an end is there after a hundred years, and one of DISCONNECT's making ends as that says", async () => {
  const before = new StoredBroker(new TestStorage(), {
    limits: { sessionExpirySecondsMax: 0xffff_ffff },
  });
  const properties = { sessionExpiryInterval: 0xffff_ffff };
  const forever = await before.keeper("forever", { properties });
  forever.lose();
  const shorter = await before.keeper("shorter", { properties });
  const disconnect = { type: PacketType.disconnect, reasonCode: 0 } as const;
  shorter.send({ ...disconnect, properties: { sessionExpiryInterval: 10 } });
  const ended = await before.keeper("ended", { properties });
  ended.send({ ...disconnect, properties: { sessionExpiryInterval: 0 } });
  await before.rest();
  const after = await before.restart(100 * 365 * 86_400);
  const names = Array.from(after.core.sessions.all(), ({ clientIdentifier }) => clientIdentifier);
  assert.deepEqual(names, ["forever"]);
});

test("5.0 [MQTT-3.1.3-9] [MQTT-3.1.2-8] of a delayed will the rest of the delay passes, wherever it passes", async () => {
  for (const { downSeconds, isDueAtOnce } of [
    { downSeconds: 10, isDueAtOnce: false },
    { downSeconds: 100, isDueAtOnce: true },
  ]) {
    const before = new StoredBroker();
    await before.absentee("sub", "will");
    const client = await before.keeper("leaver", { will });
    client.lose();
    await before.rest();
    before.clock.advanceSeconds(30);
    const after = await before.restart(downSeconds);
    const { length } = after.storage.waiting(after.session("sub").stored);
    assert.equal(length, isDueAtOnce ? 1 : 0);
    if (!isDueAtOnce) {
      after.clock.advanceSeconds(19);
      assert.equal(after.session("sub").queuedMessages, 0);
    }
    after.clock.advanceSeconds(1);
    await after.rest();
    assert.equal(after.session("sub").queuedMessages, 1);
    const subscriber = await after.keeper("sub");
    const [{ properties, payload }] = subscriber.publishes;
    assert.equal(Buffer.from(payload).toString(), "gone");
    assert.equal(properties.contentType, "text/plain");
    assert.ok(
      (properties.messageExpiryInterval ?? 0) >= 3,
      "its interval begins when it is published",
    );
    subscriber.acknowledge(1);
    await after.rest();
    const twice = await after.restart(100);
    assert.equal(twice.session("sub").queuedMessages, 0, "published once");
  }
});

test("5.0 [MQTT-3.1.2-8] 3.1.1 [MQTT-3.1.2-8] the will of a client that was connected is published after a restart, at once or after its delay", async () => {
  for (const willDelayInterval of [0, 60]) {
    const before = new StoredBroker();
    await before.absentee("sub", "will");
    await before.keeper("leaver", { will: { ...will, properties: { willDelayInterval } } });
    await before.rest();
    const after = await before.restart(5);
    if (willDelayInterval > 0) {
      after.clock.advanceSeconds(59);
      assert.equal(after.session("sub").queuedMessages, 0);
      after.clock.advanceSeconds(1);
    }
    await after.rest();
    assert.equal(after.session("sub").queuedMessages, 1);
  }
});

test("5.0 [MQTT-3.1.2-8] a will without delay is not taken back by a client that is as quick as the restart", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "will");
  await before.keeper("leaver", { will: { ...will, properties: {} } });
  await before.rest();
  const after = await before.restart();
  const client = await after.keeper("leaver");
  assert.equal(connack(client).sessionPresent, true);
  await after.rest();
  assert.equal(after.session("sub").queuedMessages, 1);
});

test("5.0 [MQTT-3.1.3-9] [MQTT-3.1.2-10] a will that was taken back, or called off by the client's return, stays so", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "will");
  const left = await before.keeper("left", { will });
  left.send({ type: PacketType.disconnect, reasonCode: 0, properties: {} });
  const lost = await before.keeper("back", { will });
  lost.lose();
  await before.rest();
  await before.keeper("back");
  await before.rest();
  const after = await before.restart(5000, {});
  await after.rest();
  assert.equal(after.core.counters.publishReceived, 0);
  assert.ok(!after.core.sessions.has("sub"));
  assert.deepEqual(after.storage.handedOver("message"), []);
});

test("5.0 [MQTT-3.2.2-16] a client identifier that was given out belongs to the same session after a restart, and to no other", async () => {
  const names = ["a1", "a1", "b2"].map((digits) => digits.repeat(12));
  const random = { hexadecimal: () => names.shift() ?? "c3" };
  const before = new StoredBroker(new TestStorage(), { random });
  const client = await before.keeper("", { cleanStart: true });
  const { assignedClientIdentifier = "" } = connack(client).properties;
  assert.match(assignedClientIdentifier, /^auto-a1/);
  await before.rest();
  const after = await before.restart();
  const other = await after.keeper("", { cleanStart: true });
  assert.match(connack(other).properties.assignedClientIdentifier ?? "", /^auto-b2/);
  const again = await after.keeper(assignedClientIdentifier);
  assert.equal(connack(again).sessionPresent, true);
});

test("5.0 [MQTT-3.3.1-5] retained messages come back with all they have, and go when their time has come", async () => {
  const before = new StoredBroker();
  const publisher = await before.connect("pub");
  const properties = {
    messageExpiryInterval: 100,
    contentType: "text/plain",
    responseTopic: "r",
    correlationData: Buffer.from("c"),
    payloadFormatIndicator: 1 as const,
    userProperties: [["k", "v"]] as [string, string][],
  };
  publisher.publish("r/expires", "x", { qos: 1, retain: true, properties });
  publisher.publish("r/soon", "x", { retain: true, properties: { messageExpiryInterval: 5 } });
  publisher.publish("r/stays", "old", { qos: 2, retain: true });
  publisher.publish("r/stays", "new", { qos: 0, retain: true });
  publisher.publish("r/gone", "x", { qos: 1, retain: true });
  publisher.publish("r/gone", "", { qos: 1, retain: true });
  await before.rest();
  const after = await before.restart(40);
  assert.equal(after.core.retained.size, 2);
  const subscriber = await after.subscriber("sub", "other");
  subscriber.subscribe("r/#", 2);
  await after.rest();
  const byTopic = new Map(subscriber.publishes.map((packet) => [packet.topic, packet]));
  assert.deepEqual([...byTopic.keys()].sort(), ["r/expires", "r/stays"]);
  const expires = byTopic.get("r/expires");
  assert.deepEqual(expires?.properties, { ...properties, messageExpiryInterval: 60 });
  assert.equal(expires?.qos, 1);
  assert.deepEqual(Buffer.from(byTopic.get("r/stays")?.payload ?? []).toString(), "new");
  after.clock.advanceSeconds(60);
  await after.rest();
  assert.deepEqual(
    after.storage.kept.retained.map(({ bytes, topicEnd }) =>
      Buffer.from(bytes).toString("utf8", 0, topicEnd),
    ),
    ["r/stays"],
  );
});

test("a clean start after a restart leaves nothing of the session before, what was under way included", async () => {
  const before = new StoredBroker();
  const client = await before.keepingSubscriber("sub", "t", { properties: { receiveMaximum: 1 } });
  before.publish("t", "under way", 1);
  before.publish("t", "waits", 1);
  await before.rest();
  assert.equal(client.payloads.length, 1);
  const after = await before.restart();
  const again = await after.connect("sub");
  assert.equal(connack(again).sessionPresent, false);
  await after.rest();
  assert.deepEqual(again.payloads, []);
  again.lose();
  await after.rest();
  after.storage.expectEmpty();
});

test("a session that takes another version of MQTT along is of that version after a restart", async () => {
  const before = new StoredBroker();
  await before.absentee("sub", "t", 1, v3_1_1);
  const v5 = await before.keeper("sub", kept());
  assert.equal(connack(v5).sessionPresent, true);
  v5.lose();
  await before.rest();
  const after = await before.restart();
  assert.equal(after.stored("sub").session.isV5, true);
  assert.equal(after.session("sub").isV5, true);
});

test("5.0 [MQTT-3.1.2-23] a broker that stops again and again puts off neither the end of a session nor a will", async () => {
  let broker = new StoredBroker();
  await broker.absentee("sub", "will");
  await broker.keeper("leaver", { will });
  await broker.rest();
  for (let seconds = 20; seconds <= 60; seconds += 20) {
    broker = await broker.restart(0);
    broker.clock.advanceSeconds(20);
    await broker.rest();
    assert.equal(broker.session("sub").queuedMessages, seconds < 60 ? 0 : 1);
  }
  for (let round = 0; round < 4; round++) broker = await broker.restart(240);
  assert.equal(broker.core.sessions.size, 0);
});
