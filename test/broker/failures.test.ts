/** What fails in the program's own parts, or in the broker's, ends one connection at most and stands in the log. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Authenticator, Authorizer } from "../../src/broker/index.ts";
import { PacketType, ProtocolVersion } from "../../src/codec/index.ts";
import { MemoryClient } from "./memory-client.ts";
import { TestBroker } from "./test-broker.ts";

const mistake = (): never => {
  throw new Error("a mistake of the program");
};
const lateMistake = async (): Promise<never> => mistake();
const ways = { throws: mistake, rejects: lateMistake } as const;

/** Says yes but for topics and clients that are named after the mistake. */
function mistakenAuthorizer(fail: () => never | Promise<never>): Authorizer {
  return {
    generation: 0,
    authorize: ({ topic }) => {
      if (topic === "mistake") return fail();
      if (topic === "late mistake") return lateMistake();
      return { allowed: true, rule: "anything else" };
    },
  };
}

async function bystanderStands(broker: TestBroker, bystander: MemoryClient): Promise<void> {
  bystander.packets.length = 0;
  broker.publish("still/there", "yes");
  await broker.settle();
  assert.deepEqual(bystander.payloads, ["yes"]);
  assert.ok(!bystander.isEnded);
}

/** CONNACK "server unavailable", and the end. */
function assertUnavailable(client: MemoryClient): void {
  const codes = client.packets.map((packet) =>
    packet.type === PacketType.connack ? packet.reasonCode : "no CONNACK",
  );
  assert.deepEqual(codes, [client.version === ProtocolVersion.v5 ? 0x88 : 0x03]);
  assert.ok(client.isEnded);
}

for (const [way, fail] of Object.entries(ways)) {
  test(`an authenticator that ${way} ends the one connection that asked`, async () => {
    const authenticator: Authenticator = {
      authenticate: ({ clientIdentifier }) =>
        clientIdentifier === "mistake" ? fail() : { allowed: true, userName: undefined, rule: "" },
    };
    const broker = new TestBroker({ authenticator });
    const bystander = await broker.subscriber("bystander", "still/there");
    const client = new MemoryClient(broker);
    client.connect("mistake");
    await broker.settle();
    assertUnavailable(client);
    const old = new MemoryClient(broker, ProtocolVersion.v3_1_1);
    old.connect("mistake");
    await broker.settle();
    assertUnavailable(old);
    broker.expectErrors(2);
    await bystanderStands(broker, bystander);
  });

  for (const action of ["publish", "subscribe", "will"] as const) {
    test(`an authorizer that ${way} at ${action} ends the one connection that asked`, async () => {
      const broker = new TestBroker({ authorizer: mistakenAuthorizer(fail) });
      const bystander = await broker.subscriber("bystander", "still/there");
      const client = new MemoryClient(broker);
      const will = { topic: "mistake", payload: Buffer.alloc(0), qos: 0, retain: false } as const;
      client.connect("client", action === "will" ? { will: { ...will, properties: {} } } : {});
      await broker.settle();
      if (action === "publish") client.publish("mistake", "x", { qos: 1 });
      if (action === "subscribe") client.subscribe("mistake");
      await broker.settle();
      assert.ok(client.isEnded);
      if (action === "will") assertUnavailable(client);
      else assert.equal(client.packetTypes.at(-1), PacketType.disconnect);
      broker.expectErrors(1);
      await bystanderStands(broker, bystander);
    });
  }

  test(`a method of enhanced authentication that ${way} ends the one connection that asked`, async () => {
    const broker = new TestBroker({
      enhancedAuthenticators: [
        { method: "at begin", begin: mistake },
        { method: "at next", begin: () => ({ next: fail }) },
      ],
    });
    const bystander = await broker.subscriber("bystander", "still/there");
    for (const authenticationMethod of ["at begin", "at next"]) {
      const client = new MemoryClient(broker);
      client.connect("client", { properties: { authenticationMethod } });
      await broker.settle();
      assertUnavailable(client);
      broker.expectErrors(1);
    }
    await bystanderStands(broker, bystander);
  });

  test(`a listener and a handler that ${way} are logged and end nothing`, async () => {
    const broker = new TestBroker();
    broker.core.events.on("connect", () => fail());
    broker.core.events.on("disconnect", () => fail());
    broker.core.subscribe("still/there", () => fail());
    const bystander = await broker.subscriber("bystander", "still/there");
    const client = await broker.connect("client");
    client.lose();
    await broker.settle();
    broker.expectErrors(3);
    await bystanderStands(broker, bystander);
    broker.expectErrors(1);
  });
}

test("a SUBSCRIBE of which one filter throws and another rejects ends in one error, none unhandled", async () => {
  const broker = new TestBroker({ authorizer: mistakenAuthorizer(mistake) });
  const client = await broker.connect("client");
  const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  client.send({
    type: PacketType.subscribe,
    packetIdentifier: 1,
    subscriptions: ["late mistake", "mistake", "fine"].map((filter) => ({ filter, ...options })),
    properties: {},
  });
  await broker.settle();
  assert.ok(client.isEnded);
  assert.equal(broker.core.subscriptions.count, 0);
  broker.expectErrors(1);
});

test("an answer that fails after its connection has gone is logged and ends nothing", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  const authorizer: Authorizer = { generation: 0, authorize: () => promise };
  const broker = new TestBroker({ authorizer });
  const client = await broker.connect("client");
  client.publish("t", "x");
  await broker.settle();
  client.lose();
  reject(new Error("too late"));
  await broker.settle();
  broker.expectErrors(1);
  assert.equal(broker.core.connectionCount, 0);
});

test("a connection that is lost while an answer is awaited, and ended before it comes, is gone for good", async () => {
  const { promise, resolve } = Promise.withResolvers<{ allowed: boolean; rule: string }>();
  const broker = new TestBroker({ authorizer: { generation: 0, authorize: () => promise } });
  const client = await broker.connect("client");
  client.publish("t", "x", { qos: 1 });
  client.publish("t", "y", { qos: 1 });
  await broker.settle();
  client.lose();
  const closing = broker.core.close();
  await closing;
  resolve({ allowed: true, rule: "at last" });
  await broker.settle();
  assert.equal(broker.core.connectionCount, 0);
  broker.expectErrors(0);
});

test("what waits for a lost client that is still being answered for goes to others of its group", async () => {
  const { promise, resolve } = Promise.withResolvers<{ allowed: boolean; rule: string }>();
  const authorizer: Authorizer = {
    generation: 0,
    authorize: ({ action, topic }) =>
      action === "publish" && topic === "slow" ? promise : { allowed: true, rule: "" },
  };
  const broker = new TestBroker({ authorizer });
  const lost = await broker.subscriber("lost", "$share/g/t", 1);
  const other = await broker.subscriber("other", "$share/g/t", 1);
  lost.publish("slow", "x");
  await broker.settle();
  lost.lose();
  for (const payload of ["1", "2", "3", "4"]) broker.publish("t", payload, 1);
  await broker.settle();
  assert.deepEqual(other.payloads, ["1", "2", "3", "4"]);
  resolve({ allowed: true, rule: "" });
  await broker.settle();
  broker.expectErrors(0);
});

test("a transport that throws, though it must not, ends its own connection", async () => {
  const broker = new TestBroker();
  const broken = await broker.subscriber("broken", "t");
  const bystander = await broker.subscriber("bystander", "still/there");
  broken.onWrite = mistake;
  broker.publish("t", "1");
  await broker.settle();
  assert.ok(broken.isEnded);
  assert.equal(broker.core.connectionCount, 1);
  broker.expectErrors(1);
  await bystanderStands(broker, bystander);
});

test("a transport that throws in the middle of a delivery does not end who published", async () => {
  const broker = new TestBroker();
  const broken = await broker.subscriber("broken", "t", 1);
  const other = await broker.subscriber("other", "t", 1);
  const publisher = await broker.connect("publisher");
  broken.onWrite = mistake;
  const large = "x".repeat(70_000); // is written at once, not at the end of the tick
  publisher.publish("t", large, { qos: 1 });
  publisher.publish("t", large, { qos: 1 });
  await broker.settle();
  assert.equal(other.payloads.length, 2);
  assert.ok(broken.isEnded && !publisher.isEnded);
  assert.equal(publisher.packetTypes.filter((type) => type === PacketType.puback).length, 2);
  broker.expectErrors(1);
});

test("a first packet that is not CONNECT is the peer's fault, not a bug", async () => {
  const broker = new TestBroker();
  const client = new MemoryClient(broker);
  client.send({ type: PacketType.pingreq });
  await broker.settle();
  assert.ok(client.isEnded);
  broker.expectErrors(0); // [MQTT-3.1.0-1]
});

test("two brokers in one process know nothing of each other", async () => {
  const [one, two] = [new TestBroker(), new TestBroker()];
  const clients = [await one.subscriber("same", "#", 1), await two.subscriber("same", "#", 1)];
  assert.ok(
    clients.every((client) => !client.isEnded),
    "no takeover from one to the other",
  );
  one.publish("t", "of one", 1, true);
  clients[1].publish("u", "of two", { qos: 1 });
  await one.settle();
  assert.deepEqual(clients[0].payloads, ["of one"]);
  assert.deepEqual(clients[1].payloads, ["of two"]);
  assert.equal(one.core.retained.size, 1);
  assert.equal(two.core.retained.size, 0);
  assert.equal(two.core.counters.publishReceived, 1);
  assert.equal(one.core.counters.publishReceived, 0);
  one.clock.advanceSeconds(1000);
  const closing = one.core.close();
  clients[0].lose();
  await closing;
  two.publish("t", "still here", 1);
  await two.settle();
  assert.deepEqual(clients[1].payloads, ["of two", "still here"]);
  one.expectErrors(0);
  two.expectErrors(0);
});
