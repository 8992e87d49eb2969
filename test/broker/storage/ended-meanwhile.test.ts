/** A session that ends in the middle of a delivery gets nothing of it: a row without a session could never be committed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { copyBytesMax } from "../../../src/broker/outbox.ts";
import { PacketType } from "../../../src/codec/index.ts";
import { MemoryStorage } from "../../../src/storage/index.ts";
import { StoredBroker } from "./stored-broker.ts";

test("a stored session that ends with its connection, which breaks under a retained message, gets no more of what comes", async () => {
  const broker = new StoredBroker(undefined, { storage: new MemoryStorage() });
  (await broker.keeper("c")).lose();
  const client = await broker.connect("c", { cleanStart: false });
  broker.publish("t", "r".repeat(copyBytesMax + 1), 1, true);
  await broker.settle();
  client.onWrite = () => client.lose();
  const options = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  // The answer waits for the storage, and the retained message behind it goes out ahead of the newer one.
  client.send(
    {
      type: PacketType.subscribe,
      packetIdentifier: 9,
      subscriptions: [{ filter: "t", qos: 1, ...options }],
      properties: {},
    },
    client.publishPacket("t", "newer", { qos: 1 }),
  );
  await broker.rest();
  assert.equal(broker.core.journal.failure, undefined);
  assert.deepEqual(broker.core.clients(), []);
  assert.deepEqual(broker.linesWith("error", ""), []);
});
