/** Sessions, their subscriptions and received packet identifiers, shared subscriptions. */
import assert from "node:assert/strict";
import type { StorageChange, StoredQueueFigures } from "../../broker/ports.ts";
import {
  contentOf,
  difficultTexts,
  never,
  queued,
  rowOf,
  sessionOf,
  sessions,
  shared,
  someTime,
  subscriptionOf,
} from "./records.ts";
import type { StorageCheck, StorageTrial } from "./storage-trial.ts";

const noRows: StoredQueueFigures = {
  messages: 0,
  bytes: 0,
  firstExpiresAt: never,
  positionFirst: 0,
  positionLast: 0,
};

function received(queue: number, ...identifiers: readonly number[]): readonly StorageChange[] {
  return identifiers.map((packetIdentifier) => ({ kind: "received", queue, packetIdentifier }));
}

function subscribed(queue: number, filter: string, identifier = 0): StorageChange {
  return { kind: "subscribed", queue, subscription: subscriptionOf(filter, { identifier }) };
}

/** Filters with their identifiers, of the only session. */
async function reopenSubscriptions(trial: StorageTrial): Promise<readonly [string, number][]> {
  const { sessions: restored } = await trial.reopen();
  assert.equal(restored.length, 1);
  return restored[0].subscriptions.map(({ filter, identifier }) => [filter, identifier]);
}

async function reopenReceived(trial: StorageTrial): Promise<readonly (readonly number[])[]> {
  const { sessions: restored } = await trial.reopen();
  return restored.map(({ receivedIdentifiers }) => receivedIdentifiers);
}

export const sessionChecks: Readonly<Record<string, StorageCheck>> = {
  "an empty batch changes nothing": async (trial) => {
    assert.deepEqual(await trial.commit(), { trimmed: [] });
    assert.deepEqual((await trial.reopen()).sessions, []);
  },

  "it says what it is": async ({ storage }) => {
    assert.ok(["fsync", "os", "memory"].includes(storage.durability));
    assert.notEqual(storage.location, "");
  },

  "a session comes back with every field": async (trial) => {
    const kept = [
      sessionOf(1, { isV5: false, isConnected: true, expirySeconds: 0xffff_ffff }),
      sessionOf(2, { isV5: true, isConnected: false, expirySeconds: 1, expiresAt: someTime }),
      sessionOf(3, { userName: "ada" }),
      sessionOf(4, { userName: "" }),
      sessionOf(2 ** 40, { clientIdentifier: "" }),
    ];
    await trial.commit(...kept.map((session) => ({ kind: "session", session }) as const));
    const state = await trial.reopen();
    assert.deepEqual(
      state.sessions,
      kept.map((session) => ({
        session,
        subscriptions: [],
        receivedIdentifiers: [],
        figures: noRows,
      })),
    );
    assert.equal(state.queueLast, 2 ** 40);
    assert.equal(state.messageLast, 0);
  },

  "a client identifier and a user name are kept as they are": async (trial) => {
    const kept = difficultTexts.map((clientIdentifier, index) =>
      sessionOf(index + 1, { clientIdentifier, userName: difficultTexts.at(-1 - index) }),
    );
    await trial.commit(...kept.map((session) => ({ kind: "session", session }) as const));
    const state = await trial.reopen();
    assert.deepEqual(
      state.sessions.map(({ session }) => session),
      kept,
    );
  },

  "a will comes back with every field": async (trial) => {
    const message = contentOf(
      { topic: "will/é", properties: Buffer.of(2, 0, 0, 0, 9), payload: Buffer.of(0, 255, 128) },
      { qos: 2, retain: true, publisher: "client 1", expiresAt: someTime + 9000, expiryOffset: 9 },
    );
    const waiting = { message, delaySeconds: 0xffff_ffff, publishAt: never };
    const empty = { message: contentOf({ topic: "w" }), delaySeconds: 0, publishAt: someTime };
    const kept = [sessionOf(1, { will: waiting }), sessionOf(2, { will: empty }), sessionOf(3)];
    await trial.commit(...kept.map((session) => ({ kind: "session", session }) as const));
    const state = await trial.reopen();
    assert.deepEqual(
      state.sessions.map(({ session }) => session),
      kept,
    );
  },

  "a session that is replaced keeps what belongs to it": async (trial) => {
    const row = rowOf(1, 7);
    const will = { message: contentOf({ topic: "w" }), delaySeconds: 5, publishAt: never };
    const first = sessionOf(1, { will, userName: "ada", isConnected: true, expirySeconds: 5 });
    await trial.commit({ kind: "session", session: first }, subscribed(1, "a/#"));
    await trial.commit(...received(1, 3), ...queued(row));
    const session = sessionOf(1, { isV5: false, expiresAt: someTime, expirySeconds: 7 });
    await trial.commit({ kind: "session", session });
    const { sessions: restored } = await trial.reopen();
    const figures = { ...noRows, messages: 1, bytes: 10, positionFirst: 7, positionLast: 7 };
    assert.deepEqual(restored, [
      { session, subscriptions: [subscriptionOf("a/#")], receivedIdentifiers: [3], figures },
    ]);
    const other = sessionOf(1, { userName: "bob", will: { ...will, publishAt: someTime } });
    await trial.commit({ kind: "session", session: other });
    assert.deepEqual((await trial.reopen()).sessions[0].session, other);
  },

  "a session that ends takes with it what belongs to it, and nothing else": async (trial) => {
    await trial.commit(...sessions(1, 2), subscribed(1, "a"), subscribed(2, "a"));
    await trial.commit(...received(1, 5), ...received(2, 5), ...queued(rowOf(1, 1), rowOf(2, 2)));
    await trial.commit({ kind: "sessionEnded", queue: 2 });
    assert.deepEqual(await trial.readWaiting(2), []);
    assert.equal((await trial.readWaiting(1)).length, 1);
    const state = await trial.reopen();
    assert.equal(state.queueLast, 1);
    assert.equal(state.messageLast, 1);
    assert.deepEqual(
      state.sessions.map(({ session, subscriptions, receivedIdentifiers }) => [
        session.queue,
        subscriptions.length,
        receivedIdentifiers.length,
      ]),
      [[1, 1, 1]],
    );
    // Its number is given again, and nothing of it is left.
    await trial.commit(...sessions(2));
    assert.deepEqual((await trial.reopen()).sessions[1], {
      session: sessionOf(2),
      subscriptions: [],
      receivedIdentifiers: [],
      figures: noRows,
    });
  },

  "a session may begin anew in the batch that ends it": async (trial) => {
    const clientIdentifier = "the same";
    const [before, after] = [
      sessionOf(1, { clientIdentifier }),
      sessionOf(2, { clientIdentifier }),
    ];
    await trial.commit({ kind: "session", session: before }, subscribed(1, "old"));
    await trial.commit(
      { kind: "sessionEnded", queue: 1 },
      { kind: "session", session: after },
      subscribed(2, "new"),
    );
    const { sessions: restored } = await trial.reopen();
    assert.deepEqual(
      restored.map(({ session, subscriptions }) => [session, subscriptions]),
      [[after, [subscriptionOf("new")]]],
    );
  },

  "a subscription comes back with every option, the first one first": async (trial) => {
    const kept = [
      subscriptionOf("z", { qos: 2, noLocal: true }),
      subscriptionOf("$share/group/+/#", { qos: 0, retainHandling: 1 }),
      subscriptionOf("a", { retainAsPublished: true, retainHandling: 2, identifier: 268_435_455 }),
      subscriptionOf("#", { identifier: 1 }),
    ];
    await trial.commit(
      ...sessions(1),
      ...kept.map((subscription) => ({ kind: "subscribed", queue: 1, subscription }) as const),
    );
    assert.deepEqual((await trial.reopen()).sessions[0].subscriptions, kept);
  },

  "a filter is kept as it is": async (trial) => {
    await trial.commit(...sessions(1), ...difficultTexts.map((filter) => subscribed(1, filter)));
    const filters = (await reopenSubscriptions(trial)).map(([filter]) => filter);
    assert.deepEqual(filters, difficultTexts);
  },

  "a subscription is replaced by its filter, and keeps its place": async (trial) => {
    await trial.commit(...sessions(1), subscribed(1, "b", 1), subscribed(1, "a", 2));
    await trial.commit(subscribed(1, "b", 3), subscribed(1, "c", 4));
    assert.deepEqual(await reopenSubscriptions(trial), [
      ["b", 3],
      ["a", 2],
      ["c", 4],
    ]);
  },

  "what is unsubscribed is gone, and comes last when it comes again": async (trial) => {
    await trial.commit(...sessions(1), subscribed(1, "b"), subscribed(1, "a"), subscribed(1, "B"));
    await trial.commit({ kind: "unsubscribed", queue: 1, filter: "b" });
    assert.deepEqual(await reopenSubscriptions(trial), [
      ["a", 0],
      ["B", 0],
    ]);
    await trial.commit(subscribed(1, "b", 9));
    assert.deepEqual(await reopenSubscriptions(trial), [
      ["a", 0],
      ["B", 0],
      ["b", 9],
    ]);
  },

  "a received packet identifier stays until it is released": async (trial) => {
    await trial.commit(...sessions(1, 2), ...received(1, 65_535, 1, 7), ...received(2, 7));
    assert.deepEqual(await reopenReceived(trial), [[1, 7, 65_535], [7]]);
    await trial.commit({ kind: "released", queue: 1, packetIdentifier: 7 }, ...received(1, 8));
    assert.deepEqual(await reopenReceived(trial), [[1, 8, 65_535], [7]]);
    await trial.commit({ kind: "released", queue: 1, packetIdentifier: 8 }, ...received(1, 7));
    assert.deepEqual(await reopenReceived(trial), [[1, 7, 65_535], [7]]);
  },

  "a shared subscription comes back with its figures": async (trial) => {
    const kept = difficultTexts.map((text, index) => ({
      queue: index + 1,
      group: text,
      filter: difficultTexts.at(-1 - index) ?? "",
    }));
    await trial.commit(...kept.map((fields) => ({ kind: "shared", ...fields }) as const));
    await trial.commit(...queued(rowOf(2, 5, { expiresAt: someTime })));
    const one = { messages: 1, bytes: 10, firstExpiresAt: someTime };
    const state = await trial.reopen();
    assert.deepEqual(
      state.shared,
      kept.map((fields) => ({
        ...fields,
        figures: fields.queue === 2 ? { ...one, positionFirst: 5, positionLast: 5 } : noRows,
      })),
    );
    assert.equal(state.queueLast, difficultTexts.length);
    assert.deepEqual(state.sessions, []);
  },

  "a shared subscription that ends takes its rows with it": async (trial) => {
    await trial.commit(shared(1), shared(2), ...queued(rowOf(1, 1), rowOf(2, 2)));
    await trial.commit(shared(1), { kind: "sharedEnded", queue: 2 });
    assert.deepEqual(await trial.readWaiting(2), []);
    assert.equal((await trial.readWaiting(1)).length, 1);
    const state = await trial.reopen();
    assert.deepEqual(
      state.shared.map(({ queue, figures }) => [queue, figures.messages]),
      [[1, 1]],
    );
    assert.deepEqual([state.queueLast, state.messageLast], [1, 1]);
    await trial.commit(shared(2));
    assert.deepEqual((await trial.reopen()).shared[1].figures, noRows);
  },
};
