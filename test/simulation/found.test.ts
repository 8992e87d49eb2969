/** What the simulation has found, each with as few steps as lead there: the storage answers when the test lets it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType } from "../../src/codec/index.ts";
import { MemoryClient } from "../broker/memory-client.ts";
import { TestBroker } from "../broker/test-broker.ts";
import { HeldStorage } from "./held-storage.ts";

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 100 } } as const;
const { connack, puback, publish } = PacketType;

async function begin(): Promise<{ broker: TestBroker; storage: HeldStorage }> {
  const storage = new HeldStorage();
  const broker = new TestBroker({ storage });
  await broker.core.restore();
  return { broker, storage };
}

function count(client: MemoryClient, type: number): number {
  return client.packetTypes.filter((one) => one === type).length;
}

test("a client is told that its session is gone when a crash cannot bring it back", async () => {
  const { broker, storage } = await begin();
  const first = await broker.connect("c", kept);
  storage.hold();
  first.send({
    type: PacketType.disconnect,
    reasonCode: 0,
    properties: { sessionExpiryInterval: 0 },
  });
  await broker.settle();
  const second = new MemoryClient(broker);
  second.connect("c", kept);
  await broker.settle();
  assert.equal(count(second, connack), 0, "CONNACK before the end of the old session is safe");
  storage.letGo();
  await broker.settle();
  assert.equal(count(second, connack), 1);
});

test("a retained message that was deleted is acknowledged as deleted when that is safe, however often it is asked for", async () => {
  const { broker, storage } = await begin();
  const client = await broker.connect("c");
  client.publish("t", "value", { qos: 1, retain: true });
  await broker.settle();
  storage.hold();
  client.publish("t", "", { retain: true });
  await broker.settle();
  client.publish("t", "", { qos: 1, retain: true });
  await broker.settle();
  assert.equal(count(client, puback), 1, "PUBACK before the deletion is safe");
  storage.letGo();
  await broker.settle();
  await broker.settle();
  assert.equal(count(client, puback), 2);
});

test("5.0 [MQTT-3.3.2-5] a message that got its identifier, never left and expired is not sent to who comes back", async () => {
  const { broker, storage } = await begin();
  const first = await broker.connect("c", kept);
  first.subscribe("t", 2);
  const publisher = await broker.connect("p");
  await broker.settle();
  storage.hold();
  const properties = { messageExpiryInterval: 10 };
  publisher.publish("t", "short-lived", { qos: 2, properties });
  await broker.settle();
  assert.equal(count(first, publish), 0, "QoS 2 waits until its identifier is safe");
  first.lose();
  storage.letGo();
  await broker.settle();
  broker.clock.advanceSeconds(11);
  const second = await broker.connect("c", kept);
  await broker.settle();
  assert.equal(count(second, publish), 0, "it expired before it was sent");
  assert.equal(broker.core.counters.dropped.expired, 1);
});

test("a retained message that goes to two sessions in two ticks of one batch is stored for each", async () => {
  const { broker, storage } = await begin();
  const properties = { sessionExpiryInterval: 100, receiveMaximum: 1 };
  const clients = [
    await broker.connect("one", { ...kept, properties }),
    await broker.connect("other", { ...kept, properties }),
  ];
  clients[0].publish("t", "value", { qos: 1, retain: true });
  for (const client of clients) client.subscribe("first", 1);
  await broker.settle();
  broker.publish("first", "takes the only place", 1);
  for (const client of clients) client.subscribe("t", 1);
  await broker.settle();
  storage.hold();
  const before = storage.commits.length;
  clients[0].publish("u", "begins a batch that is held", { qos: 1, retain: true });
  await broker.settle();
  for (const client of clients) {
    client.acknowledge(1);
    await broker.settle();
  }
  storage.letGo();
  await broker.settle();
  broker.clock.advanceSeconds(1);
  await broker.settle();
  for (const client of clients) assert.equal(client.payloads.at(-1), "value");
  const kinds = storage.commits.slice(before).flatMap((changes) => changes.map(({ kind }) => kind));
  const rows = kinds.filter((kind) => kind === "message" || kind === "row");
  assert.deepEqual(rows, ["message", "row", "message", "row"]);
  broker.expectErrors(0);
});
