/**
 * A message stays as long as a row names it, and goes with the last one, whichever way the rows go. That it has gone
 * shows in `messageLast`, and in that its number is free after the engine was opened again.
 */
import assert from "node:assert/strict";
import type { StorageChange, StoredRow } from "../../broker/ports.ts";
import {
  contentOf,
  deliveryOf,
  moved,
  pubrelOf,
  queued,
  queuedTogether,
  removed,
  rowOf,
  sent,
  sessions,
  shared,
  someTime,
} from "./records.ts";
import type { StorageCheck, StorageTrial } from "./storage-trial.ts";

const content = contentOf({ topic: "t", payload: Buffer.from("for all") });
const message = 77;
const [one, two, three] = [1, 2, 3].map((queue) =>
  rowOf(queue, queue * 10, { message, bytes: 8, expiresAt: someTime }),
);

/** Two sessions and a shared subscription that hold one message. */
async function queueThree(trial: StorageTrial): Promise<void> {
  await trial.commit(...sessions(1, 2), shared(3));
  await trial.commit(...queuedTogether({ ...content, expiresAt: someTime }, one, two, three));
}

/** The message is there for as long as `last` is, and goes when `change` takes it. */
async function checkLast(
  trial: StorageTrial,
  last: StoredRow,
  change: StorageChange,
): Promise<void> {
  const state = await trial.lookTwice(async () => {
    const [waiting, underWay] = await Promise.all([
      trial.readWaiting(last.queue),
      trial.readUnderWay(last.queue),
    ]);
    const held = [...waiting, ...underWay].filter(({ row }) => row.message === message);
    assert.deepEqual(held, [{ row: last, content: { ...content, expiresAt: someTime } }]);
  });
  assert.equal(state.messageLast, message);
  await trial.commit(change);
  await checkGone(trial);
}

async function checkGone(trial: StorageTrial): Promise<void> {
  assert.equal((await trial.reopen()).messageLast, 0);
  const row = rowOf(9, 1, { message });
  await trial.commit(...sessions(9), ...queued(row));
  await trial.lookTwice(async () => {
    assert.deepEqual(await trial.readWaiting(9), [deliveryOf(row)]);
  });
}

function trimmedAway(queue: number): StorageChange {
  const limits = { messagesMax: 0, bytesMax: 1_000_000 };
  return { kind: "trimmed", queue, now: 0, ...limits, drop: "oldest" };
}

function expired(queue: number): StorageChange {
  const limits = { messagesMax: 10, bytesMax: 1_000_000 };
  return { kind: "trimmed", queue, now: someTime, ...limits, drop: "newest" };
}

export const referenceChecks: Readonly<Record<string, StorageCheck>> = {
  "a message goes with the last row that is removed": async (trial) => {
    await queueThree(trial);
    await trial.commit(sent(two, 5));
    await trial.commit(removed(two), removed(one));
    await checkLast(trial, three, removed(three));
  },

  "a message goes with its only row in the batch that brings it": async (trial) => {
    const row = rowOf(1, 1, { message });
    await trial.commit(...sessions(1), ...queued(row), removed(row));
    await checkGone(trial);
  },

  "a message may lose some of its rows in the batch that brings it": async (trial) => {
    await trial.commit(...sessions(1, 2), shared(3));
    const all = queuedTogether({ ...content, expiresAt: someTime }, one, two, three);
    await trial.commit(...all.slice(0, 2), removed(one), ...all.slice(2), removed(three));
    await checkLast(trial, two, removed(two));
  },

  "a message goes with the sessions that end": async (trial) => {
    await queueThree(trial);
    const underWay = { ...two, packetIdentifier: 5 };
    await trial.commit(sent(two, 5), { kind: "sessionEnded", queue: 1 }, removed(three));
    await checkLast(trial, underWay, { kind: "sessionEnded", queue: 2 });
  },

  "a message goes with the shared subscription that ends": async (trial) => {
    await queueThree(trial);
    await trial.commit({ kind: "sessionEnded", queue: 1 }, { kind: "sessionEnded", queue: 2 });
    await checkLast(trial, three, { kind: "sharedEnded", queue: 3 });
  },

  "a message goes when all of its rows go at once": async (trial) => {
    await queueThree(trial);
    await trial.commit({ kind: "sharedEnded", queue: 3 }, removed(two), trimmedAway(1));
    await checkGone(trial);
  },

  "a session that ends lets go of a message once for each of its rows": async (trial) => {
    const rows = [1, 2, 3].map((position) => rowOf(1, position, { message, bytes: 8 }));
    const last = rowOf(2, 1, { message, bytes: 8, expiresAt: someTime });
    const kept = { ...content, expiresAt: someTime };
    await trial.commit(...sessions(1, 2), ...queuedTogether(kept, ...rows, last));
    await trial.commit(removed(rows[1]), { kind: "sessionEnded", queue: 1 });
    await checkLast(trial, last, removed(last));
  },

  "a message goes with the row that is dropped": async (trial) => {
    await queueThree(trial);
    await trial.commit(trimmedAway(2), trimmedAway(3));
    await checkLast(trial, one, trimmedAway(1));
  },

  "a message goes with the row that has expired": async (trial) => {
    await queueThree(trial);
    await trial.commit(expired(1), expired(3));
    await checkLast(trial, two, expired(2));
  },

  "a row that is moved takes its message along": async (trial) => {
    await queueThree(trial);
    await trial.commit(removed(one), removed(two));
    const taken = { ...three, queue: 1, position: 1, packetIdentifier: 6 };
    await trial.commit(moved(three, taken), { kind: "sharedEnded", queue: 3 });
    await checkLast(trial, taken, removed(taken));
  },

  "a row that was moved goes with the session that has it now": async (trial) => {
    await queueThree(trial);
    const taken = { ...three, queue: 2, position: 1, packetIdentifier: 6 };
    await trial.commit(moved(three, taken), { kind: "sessionEnded", queue: 2 });
    await checkLast(trial, one, { kind: "sessionEnded", queue: 1 });
  },

  "a PUBREL holds no message": async (trial) => {
    await queueThree(trial);
    await trial.commit(sent(one, 4));
    await trial.commit(removed(one), ...queued(pubrelOf(1, 10, 4)), removed(two));
    await checkLast(trial, three, removed(three));
    await trial.commit(removed(pubrelOf(1, 10, 4)));
    assert.deepEqual(await trial.readUnderWay(1), []);
  },

  "messages stay apart": async (trial) => {
    const rows = [1, 2, 3].map((position) => rowOf(1, position));
    await trial.commit(...sessions(1), ...queued(...rows));
    await trial.commit(removed(rows[2]));
    assert.equal((await trial.reopen()).messageLast, 2);
    await trial.commit(removed(rows[0]));
    assert.equal((await trial.reopen()).messageLast, 2);
    await trial.commit(removed(rows[1]));
    assert.equal((await trial.reopen()).messageLast, 0);
  },
};
