/** What is counted as sent is what has come. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PacketType } from "../../src/codec/index.ts";
import { TestBroker } from "./test-broker.ts";

test("every packet that is sent is counted, PUBREL after a reconnect too", async () => {
  const broker = new TestBroker();
  const properties = { sessionExpiryInterval: 100 };
  const first = await broker.connect("kept", { properties });
  first.subscribe("t", 2);
  await broker.settle();
  for (const payload of ["1", "2", "3"]) broker.publish("t", payload, 2);
  await broker.settle();
  for (const { packetIdentifier = 0 } of first.publishes) {
    first.send({ type: PacketType.pubrec, packetIdentifier, reasonCode: 0, properties: {} });
  }
  await broker.settle();
  assert.equal(broker.core.counters.packetsSent, first.packets.length);
  first.lose();
  const again = await broker.connect("kept", { properties, cleanStart: false });
  const { pubrel, connack } = PacketType;
  assert.deepEqual(again.packetTypes, [connack, pubrel, pubrel, pubrel]);
  assert.equal(broker.core.counters.packetsSent, first.packets.length + again.packets.length);
});
