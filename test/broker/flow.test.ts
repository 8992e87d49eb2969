/** What waits for one client in several places at once, and what has to give way to what. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator } from "../../src/broker/index.ts";
import { PacketType } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const large = "x".repeat(70_000);
const persistent = { cleanStart: false, properties: { sessionExpiryInterval: 1000 } };

function present<Value>(value: Value | undefined): Value {
  assert.ok(value !== undefined);
  return value;
}

/** Acknowledges what comes, oldest first, `count` at a time, until nothing more comes. */
async function acknowledgeAll(broker: TestBroker, client: MemoryClient, count = 1): Promise<void> {
  let done = 0;
  for (;;) {
    const next = client.publishes.filter(({ qos }) => qos > 0).slice(done, done + count);
    if (next.length === 0) return;
    done += next.length;
    client.acknowledge(...next.map(({ packetIdentifier }) => present(packetIdentifier)));
    await broker.settle();
  }
}

test("in flight, queue, group and retained: each goes in its order, all within the Receive Maximum", async () => {
  const broker = new TestBroker();
  for (const name of ["1", "2", "3"]) broker.publish(`retained/${name}`, name, 1, true);
  const properties = { sessionExpiryInterval: 1000, receiveMaximum: 2 };
  const before = await broker.connect("client", { properties });
  before.subscribe("queue", 1);
  before.subscribe("$share/g/group", 1);
  await broker.settle();
  for (const name of ["1", "2"]) broker.publish("queue", `flight ${name}`, 1);
  await broker.settle();
  before.lose();
  for (const name of ["1", "2", "3"]) broker.publish("queue", `queue ${name}`, 1);
  for (const name of ["1", "2", "3"]) broker.publish("group", `group ${name}`, 1);
  const client = await broker.connect("client", { cleanStart: false, properties });
  client.subscribe("retained/#", 1);
  await broker.settle();
  assert.equal(client.publishes.length, 2, "no more than the Receive Maximum");
  broker.publish("queue", "queue 4", 1);
  await acknowledgeAll(broker, client);
  const inOrder = (kind: string): string[] =>
    client.payloads.filter((payload) => payload.startsWith(kind));
  assert.deepEqual(client.payloads.slice(0, 2), ["flight 1", "flight 2"]);
  assert.deepEqual(inOrder("queue"), ["queue 1", "queue 2", "queue 3", "queue 4"]);
  assert.deepEqual(inOrder("group"), ["group 1", "group 2", "group 3"]);
  assert.equal(client.publishes.filter(({ topic }) => topic.startsWith("retained/")).length, 3);
  assert.equal(client.publishes.length, 12);
  broker.expectErrors(0);
});

test("a queue of packets too large for the client is dropped in one go, without recursion, and the rest comes", async () => {
  const count = 9000;
  const broker = new TestBroker({ limits: { inFlightMessagesMax: 5 } });
  const before = await broker.connect("client", persistent);
  before.subscribe("t", 1);
  await broker.settle();
  before.lose();
  for (let number = 0; number < count; number++) broker.publish("t", "x".repeat(200), 1);
  broker.publish("t", "short", 1);
  const properties = { sessionExpiryInterval: 1000, maximumPacketSize: 100 };
  const client = await broker.connect("client", { cleanStart: false, properties });
  assert.deepEqual(client.payloads, ["short"]);
  assert.equal(broker.core.counters.dropped.packetTooLarge, count);
  const [session] = broker.core.sessions.all();
  assert.equal(session.inFlightMessages, 1);
  await acknowledgeAll(broker, client);
  assert.equal(session.inFlightMessages, 0);
  broker.expectErrors(0);
});

test("what was under way and is now too large is given up, with its identifier", async () => {
  const broker = new TestBroker();
  const before = await broker.connect("client", persistent);
  before.subscribe("t", 2);
  await broker.settle();
  broker.publish("t", "x".repeat(200), 1);
  broker.publish("t", "y".repeat(200), 2);
  await broker.settle();
  assert.equal(before.publishes.length, 2);
  before.lose();
  const properties = { sessionExpiryInterval: 1000, maximumPacketSize: 100 };
  const client = await broker.connect("client", { cleanStart: false, properties });
  assert.deepEqual(client.payloads, []);
  const [session] = broker.core.sessions.all();
  assert.equal(session.inFlightMessages, 0);
  broker.publish("t", "short", 1);
  await broker.settle();
  assert.deepEqual(client.payloads, ["short"]);
});

test("a client that answers before the message is sent again does not get it again", async () => {
  const broker = new TestBroker();
  const before = await broker.connect("client", persistent);
  before.subscribe("t", 1);
  await broker.settle();
  for (const payload of ["1", "2", "3"]) broker.publish("t", payload, 1);
  await broker.settle();
  before.lose();
  const properties = { sessionExpiryInterval: 1000, receiveMaximum: 1 };
  const client = await broker.connect("client", { cleanStart: false, properties });
  assert.deepEqual(client.payloads, ["1"]);
  client.acknowledge(2);
  client.acknowledge(1);
  await broker.settle();
  assert.deepEqual(client.payloads, ["1", "3"]);
  client.acknowledge(3);
  const [session] = broker.core.sessions.all();
  assert.equal(session.inFlightMessages, 0);
  broker.expectErrors(0);
});

test("a slow reader loses QoS 0, counted, and nothing of QoS 1; both come again when it has read", async () => {
  const broker = new TestBroker({ limits: { outboxBytesMax: 200_000 } });
  const client = await broker.subscriber("client", "t", 1);
  client.isBusy = true;
  for (let number = 0; number < 10; number++) broker.publish("t", `${number} 0 ${large}`, 0);
  for (let number = 0; number < 5; number++) broker.publish("t", `${number} 1 ${large}`, 1);
  await broker.settle();
  const dropped = broker.core.counters.dropped.slowReader;
  assert.ok(dropped > 0 && dropped < 10, `${dropped} dropped`);
  while (client.pendingBytes > 0) {
    client.drain();
    await broker.settle();
  }
  broker.publish("t", "again", 0);
  await broker.settle();
  const kinds = client.payloads.map((payload) => payload.split(" ", 2).join(" "));
  assert.equal(kinds.filter((kind) => kind.endsWith(" 0")).length, 10 - dropped);
  assert.deepEqual(
    kinds.filter((kind) => kind.endsWith(" 1")),
    ["0 1", "1 1", "2 1", "3 1", "4 1"],
  );
  assert.equal(kinds.at(-1), "again");
});

test("a client that sends and does not read is not read, until it has read", async () => {
  const broker = new TestBroker({ limits: { outboxBytesMax: 1000 } });
  const client = await broker.connect("client");
  client.isBusy = true;
  for (let count = 0; count < 800 && !client.isPaused; count++) {
    client.send({ type: PacketType.pingreq });
  }
  await broker.settle();
  for (let count = 0; count < 800 && !client.isPaused; count++) {
    client.send({ type: PacketType.pingreq });
  }
  assert.ok(client.isPaused);
  client.drain();
  await broker.settle();
  assert.ok(!client.isPaused);
});

/** Answers when the test says so, in the order the test wants. */
function slowAuthenticator(): { authenticator: Authenticator; answers: (() => void)[] } {
  const answers: (() => void)[] = [];
  const authenticate: Authenticator["authenticate"] = () =>
    new Promise((resolve) => {
      answers.push(() => resolve({ allowed: true, userName: undefined, rule: "" }));
    });
  return { answers, authenticator: { authenticate } };
}

for (const expiry of [0, 1000]) {
  test(`session expiry ${expiry}: two clients of one name that are let in at once: one stays, whole`, async () => {
    const { authenticator, answers } = slowAuthenticator();
    const broker = new TestBroker({ authenticator });
    const fields = { cleanStart: false, properties: { sessionExpiryInterval: expiry } };
    const [first, second] = [new MemoryClient(broker), new MemoryClient(broker)];
    first.connect("same", fields);
    second.connect("same", fields);
    await broker.settle();
    for (const answer of answers) answer(); // both go on in the same round of microtasks
    await broker.settle();
    const [ended, standing] = first.isEnded ? [first, second] : [second, first];
    assert.ok(ended.isEnded && !standing.isEnded, "exactly one stays");
    assert.equal(standing.packetTypes[0], PacketType.connack);
    assert.equal(broker.core.sessions.size, 1);
    standing.subscribe("t", 1);
    await broker.settle();
    ended.lose();
    broker.publish("t", "here", 1);
    await broker.settle();
    assert.deepEqual(standing.payloads, ["here"]);
    broker.expectErrors(0);
  });
}

test("a client that goes between its session and its CONNACK leaves the session as it must", async () => {
  const { authenticator, answers } = slowAuthenticator();
  const broker = new TestBroker({ authenticator });
  const client = new MemoryClient(broker);
  client.connect("client", { properties: { sessionExpiryInterval: 10 } });
  await broker.settle();
  // `open` runs in a microtask after the answer, `welcome` in one after that: try every moment between.
  for (const answer of answers) answer();
  const moments = (async () => {
    for (let moment = 0; moment < 20 && broker.core.sessions.size === 0; moment++) await null;
  })();
  await moments;
  client.lose();
  await broker.settle();
  assert.equal(broker.core.connectionCount, 0);
  for (const session of broker.core.sessions.all()) assert.equal(session.holder, undefined);
  broker.clock.advanceSeconds(11);
  assert.equal(broker.core.sessions.size, 0, "the session expires");
  broker.expectErrors(0);
});

test("a session that ends while others wait for the same message disturbs none of them", async () => {
  const broker = new TestBroker();
  const clients = [
    await broker.subscriber("one", "t", 1),
    await broker.subscriber("two", "t", 1),
    await broker.subscriber("three", "t", 1),
  ];
  const [one, two, three] = clients;
  one.onWrite = () => {
    one.onWrite = undefined;
    two.lose();
  };
  broker.publish("t", large, 1);
  broker.publish("t", "after", 1);
  await broker.settle();
  assert.deepEqual(one.payloads, [large, "after"]);
  assert.deepEqual(three.payloads, [large, "after"]);
  assert.equal(broker.core.sessions.size, 2);
  broker.expectErrors(0);
});

test("a full queue loses what is new, not the retained messages that are still to come", async () => {
  const broker = new TestBroker({ limits: { queueMessagesMax: 4 } });
  const topics = Array.from({ length: 20 }, (_, index) => `t/${index}`);
  for (const topic of topics) broker.publish(topic, "kept", 1, true);
  const client = await broker.connect("client", { properties: { receiveMaximum: 1 } });
  client.subscribe("t/+", 1);
  await broker.settle();
  for (const topic of topics) broker.publish(topic, "new", 1);
  await acknowledgeAll(broker, client);
  for (const name of topics) {
    const [first] = client.publishes.filter(({ topic }) => topic === name);
    assert.equal(Buffer.from(present(first).payload).toString(), "kept", name);
  }
  const news = client.payloads.filter((payload) => payload === "new").length;
  assert.equal(broker.core.counters.dropped.queueFull, topics.length - news);
  broker.expectErrors(0);
});
