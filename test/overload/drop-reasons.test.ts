/** Nothing is dropped silently: each reason is counted in $SYS, and the log says who lost how many. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DropReason } from "../../src/broker/counters.ts";
import type { MemoryClient } from "../broker/memory-client.ts";
import { LimitedBroker } from "./limited-broker.ts";
import { SlowStorage } from "./slow-storage.ts";

const persistent = { cleanStart: false, properties: { sessionExpiryInterval: 100 } };

async function leave(broker: LimitedBroker, name: string): Promise<void> {
  const client = await broker.connect(name, persistent);
  client.subscribe("t", 1);
  await broker.settle();
  client.lose();
}

/** A subscriber that is not read any more, and a message that waits in its socket. */
async function stall(broker: LimitedBroker): Promise<MemoryClient> {
  const client = await broker.subscriber("loser", "t");
  client.isBusy = true;
  broker.publish("t", "x".repeat(2000));
  await broker.settle();
  return client;
}

interface Loss {
  /** Drops three messages for this reason, all for the client `loser`. */
  readonly lose: () => Promise<LimitedBroker>;
  /** Whether the log warns at the first: it does where something can be done about it. */
  readonly isWarned: boolean;
}

const losses: Record<DropReason, Loss> = {
  slowReader: {
    isWarned: true,
    lose: async () => {
      const broker = new LimitedBroker({ outboxBytesMax: 1000 });
      const client = await stall(broker);
      for (let count = 0; count < 4; count++) broker.publish("t", "x".repeat(1000));
      await broker.settle();
      client.lose();
      return broker;
    },
  },
  memoryFull: {
    isWarned: true,
    lose: async () => {
      const memory = { bytes: 0 };
      const broker = new LimitedBroker(
        { memoryBytesMax: 100_000_000 },
        { memoryBytes: () => memory.bytes },
      );
      const client = await stall(broker);
      memory.bytes = 200_000_000;
      broker.clock.advance(250);
      for (let count = 0; count < 3; count++) broker.publish("t", "x");
      client.lose();
      return broker;
    },
  },
  queueFull: {
    isWarned: true,
    lose: async () => {
      const broker = new LimitedBroker({ queueMessagesMax: 2 });
      await leave(broker, "loser");
      for (let count = 0; count < 5; count++) broker.publish("t", "x", 1);
      (await broker.connect("loser", persistent)).lose();
      return broker;
    },
  },
  packetTooLarge: {
    isWarned: true,
    lose: async () => {
      const broker = new LimitedBroker({});
      const client = await broker.connect("loser", { properties: { maximumPacketSize: 100 } });
      client.subscribe("t", 1);
      await broker.settle();
      for (const qos of [0, 1, 1] as const) broker.publish("t", "x".repeat(100), qos);
      client.lose();
      return broker;
    },
  },
  expired: {
    isWarned: false,
    lose: async () => {
      const broker = new LimitedBroker({});
      await leave(broker, "loser");
      const publisher = await broker.connect("publisher");
      for (let count = 0; count < 3; count++)
        publisher.publish("t", "x", { qos: 1, properties: { messageExpiryInterval: 5 } });
      await broker.settle();
      broker.clock.advanceSeconds(6);
      (await broker.connect("loser", persistent)).lose();
      return broker;
    },
  },
  sessionEnded: {
    isWarned: false,
    lose: async () => {
      const broker = new LimitedBroker({});
      await leave(broker, "loser");
      for (let count = 0; count < 3; count++) broker.publish("t", "x", 1);
      await broker.settle();
      broker.clock.advanceSeconds(100);
      return broker;
    },
  },
  notAuthorized: {
    isWarned: false,
    lose: async () => {
      const authorizer = { generation: 0, authorize: () => ({ allowed: false, rule: "no" }) };
      const broker = new LimitedBroker({}, { authorizer });
      const client = await broker.connect("loser");
      for (const qos of [0, 1, 2] as const) client.publish("t", "x", { qos });
      client.lose();
      return broker;
    },
  },
  storageFailed: {
    isWarned: false, // the storage itself is, louder
    lose: async () => {
      const storage = new SlowStorage();
      const broker = new LimitedBroker({}, { storage });
      await leave(broker, "away");
      await broker.settle();
      storage.isBroken = true;
      broker.failures.expected = true;
      const client = await broker.connect("loser");
      client.publish("t", "kept in memory until it can be written", { qos: 1 });
      await broker.settle();
      for (const qos of [1, 2, 1] as const) client.publish("t", "x", { qos });
      client.lose();
      return broker;
    },
  },
  retainedFull: {
    isWarned: true,
    lose: async () => {
      const broker = new LimitedBroker({ retainedMessagesMax: 0 });
      const client = await broker.connect("loser");
      const before = broker.core.counters.dropped.retainedFull; // $SYS has no room either
      for (const qos of [0, 1, 2] as const) client.publish("t", "x", { qos, retain: true });
      broker.core.counters.dropped.retainedFull -= before;
      client.lose();
      return broker;
    },
  },
};

for (const reason of Object.values(DropReason)) {
  test(`${reason} is counted in $SYS, and in the log for its client`, async () => {
    const { lose, isWarned } = losses[reason];
    const broker = await lose();
    await broker.settle();
    const counted = broker.core.counters.dropped[reason];
    assert.equal(counted, 3);
    const figures: string[] = [];
    broker.core.subscribe(`$SYS/broker/publish/messages/dropped/${reason}`, ({ payload }) =>
      figures.push(Buffer.from(payload).toString()),
    );
    broker.clock.advanceSeconds(1);
    await broker.settle();
    assert.ok(Number(figures.at(-1)) >= 3, `${reason}: ${figures}`);
    const warned = broker.warnings.filter(({ client }) => client === "loser");
    assert.equal(warned.length, isWarned ? 1 : 0);
    const told = broker.notes.filter(({ client, dropped }) => client === "loser" && dropped);
    assert.deepEqual(
      told.map(({ dropped }) => dropped),
      [{ [reason]: 3 }],
    );
  });
}

test("sessionEnded: what a session loses to a clean start is in the log too", async () => {
  const broker = new LimitedBroker({});
  await leave(broker, "loser");
  for (let count = 0; count < 3; count++) broker.publish("t", "x", 1);
  await broker.connect("loser");
  assert.equal(broker.core.counters.dropped.sessionEnded, 3);
  const told = broker.notes.filter(({ client, dropped }) => client === "loser" && dropped);
  assert.deepEqual(
    told.map(({ dropped }) => dropped),
    [{ sessionEnded: 3 }],
  );
});
