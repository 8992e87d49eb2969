/** Every field of messages and rows, and retained messages. */
import assert from "node:assert/strict";
import type { StorageChange, StoredDelivery, StoredMessage } from "../../broker/ports.ts";
import {
  contentOf,
  difficultTexts,
  pubrelOf,
  queued,
  queuedTogether,
  rowOf,
  sessions,
  someTime,
} from "./records.ts";
import type { StorageCheck, StorageTrial } from "./storage-trial.ts";

const everyByte = Buffer.from(Array.from({ length: 256 }, (_, index) => index));

const difficultContents: readonly StoredMessage[] = [
  contentOf({ topic: "no payload" }, { qos: 0 }),
  contentOf({ topic: "every byte", payload: everyByte }, { qos: 2, publisher: "somebody" }),
  contentOf({ topic: "properties only", properties: everyByte }, { retain: true }),
  contentOf(
    { topic: "expiry", properties: Buffer.of(2, 0, 0, 0, 9, 1, 1), payload: Buffer.from("1") },
    { expiryOffset: 7, expiresAt: someTime },
  ),
  contentOf({ topic: "nine zeros", payload: Buffer.alloc(9) }, { expiresAt: 1 }),
  contentOf({ topic: "not text", payload: Buffer.of(0xc3, 0x28, 0xed, 0xa0, 0x80) }),
  contentOf({ topic: "large", payload: Buffer.alloc(2_000_000, "large") }),
  ...difficultTexts.map((text) =>
    contentOf({ topic: text, payload: Buffer.from(text) }, { publisher: text }),
  ),
];

function retained(content: StoredMessage): StorageChange {
  const topic = Buffer.from(content.bytes.subarray(0, content.topicEnd)).toString();
  return { kind: "retained", topic, content };
}

function contentsOf(deliveries: readonly StoredDelivery[]): readonly (StoredMessage | undefined)[] {
  return deliveries.map(({ content }) => content);
}

async function reopenRetained(trial: StorageTrial): Promise<readonly StoredMessage[]> {
  return (await trial.reopen()).retained;
}

export const fieldChecks: Readonly<Record<string, StorageCheck>> = {
  "a queued message comes back with every field": async (trial) => {
    await trial.commit(
      ...sessions(1),
      ...difficultContents.flatMap((content, index) =>
        queuedTogether(content, rowOf(1, index + 1, { bytes: content.bytes.length })),
      ),
    );
    await trial.lookTwice(async () => {
      assert.deepEqual(contentsOf(await trial.readWaiting(1)), difficultContents);
    });
  },

  "a row comes back with every field": async (trial) => {
    const many = Array.from({ length: 1000 }, (_, index) => index + 268_434_456);
    const rows = [
      rowOf(1, 1, { qos: 2, retain: true, bytes: 123_456, expiresAt: someTime }),
      rowOf(1, 2, { subscriptionIdentifiers: [268_435_455, 1, 127, 128] }),
      rowOf(1, 3, { subscriptionIdentifiers: many, retain: true }),
      rowOf(1, 2 ** 50, { message: 2 ** 45, subscriptionIdentifiers: [1] }),
    ];
    const underWay = [
      rowOf(1, 4, { packetIdentifier: 65_535, qos: 2, retain: true, expiresAt: someTime }),
      rowOf(1, 5, { packetIdentifier: 1, subscriptionIdentifiers: [5, 4] }),
      pubrelOf(1, 6, 2),
    ];
    await trial.commit(...sessions(1), ...queued(...underWay, ...rows));
    const state = await trial.lookTwice(async () => {
      const waiting = (await trial.readWaiting(1)).map(({ row }) => row);
      assert.deepEqual(waiting, rows);
      assert.deepEqual(
        (await trial.readUnderWay(1)).map(({ row }) => row),
        underWay,
      );
    });
    assert.equal(state.messageLast, 2 ** 45);
  },

  "one message is in several rows, as each subscriber gets it": async (trial) => {
    const content = contentOf({ topic: "t", payload: Buffer.from("for all") }, { qos: 2 });
    const rows = [
      rowOf(1, 1, { message: 9, qos: 2, subscriptionIdentifiers: [1] }),
      rowOf(2, 1, { message: 9, qos: 1, retain: true }),
      rowOf(3, -4, { message: 9, qos: 1, packetIdentifier: 3 }),
    ];
    await trial.commit(...sessions(1, 2, 3), ...queuedTogether(content, ...rows));
    await trial.lookTwice(async () => {
      assert.deepEqual(await trial.readWaiting(1), [{ row: rows[0], content }]);
      assert.deepEqual(await trial.readWaiting(2), [{ row: rows[1], content }]);
      assert.deepEqual(await trial.readUnderWay(3), [{ row: rows[2], content }]);
    });
  },

  "a PUBREL comes without a message": async (trial) => {
    await trial.commit(...sessions(1), ...queued(pubrelOf(1, 3, 17)));
    const state = await trial.lookTwice(async () => {
      const expected = [{ row: pubrelOf(1, 3, 17), content: undefined }];
      assert.deepEqual(await trial.readUnderWay(1), expected);
      assert.deepEqual(await trial.readWaiting(1), []);
    });
    assert.equal(state.messageLast, 0);
  },

  "a retained message comes back with every field": async (trial) => {
    await trial.commit(...difficultContents.map(retained));
    const sorted = [...difficultContents].sort((one, other) =>
      Buffer.compare(one.bytes.subarray(0, one.topicEnd), other.bytes.subarray(0, other.topicEnd)),
    );
    assert.deepEqual(await reopenRetained(trial), sorted);
  },

  "a retained message is replaced by its topic, and by no other": async (trial) => {
    const first = contentOf({ topic: "a", payload: Buffer.from("first") }, { retain: true });
    const other = contentOf({ topic: "A", payload: Buffer.from("other") });
    const second = contentOf(
      { topic: "a", properties: Buffer.of(1, 1), payload: Buffer.from("second") },
      { qos: 2, publisher: "p", expiresAt: someTime },
    );
    await trial.commit(retained(first), retained(other));
    await trial.commit(retained(second));
    assert.deepEqual(await reopenRetained(trial), [other, second]);
    await trial.commit(retained(first), retained(second), retained(first));
    assert.deepEqual(await reopenRetained(trial), [other, first]);
  },

  "a retained message that is deleted is gone until it is set again": async (trial) => {
    const [one, other] = ["a/b", "a"].map((topic) => contentOf({ topic }, { retain: true }));
    await trial.commit(retained(one), retained(other));
    await trial.commit({ kind: "retainedDeleted", topic: "a/b" });
    assert.deepEqual(await reopenRetained(trial), [other]);
    await trial.commit({ kind: "retainedDeleted", topic: "a" }, retained(one), retained(other), {
      kind: "retainedDeleted",
      topic: "a",
    });
    assert.deepEqual(await reopenRetained(trial), [one]);
  },

  "retained messages stay when sessions and queues go": async (trial) => {
    const content = contentOf({ topic: "kept" }, { retain: true, publisher: "client 1" });
    await trial.commit(...sessions(1), retained(content), ...queued(rowOf(1, 1)));
    await trial.commit({ kind: "sessionEnded", queue: 1 });
    const state = await trial.reopen();
    assert.deepEqual(state.retained, [content]);
    assert.deepEqual([state.sessions, state.queueLast, state.messageLast], [[], 0, 0]);
  },
};
