/** Opening again: figures and numbers, many rows, and questions that were still open. */
import assert from "node:assert/strict";
import type { RestoredSession, StorageChange, StoredQueueFigures } from "../../broker/ports.ts";
import {
  contentOf,
  deliveryOf,
  moved,
  never,
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

async function reopenFigures(trial: StorageTrial): Promise<readonly StoredQueueFigures[]> {
  const state = await trial.reopen();
  const figuresOf = ({ figures }: { figures: StoredQueueFigures }) => figures;
  return [...state.sessions.map(figuresOf), ...state.shared.map(figuresOf)];
}

const sessionsOfStorm = Array.from({ length: 10_000 }, (_, index) => index + 1);

export const restoreChecks: Readonly<Record<string, StorageCheck>> = {
  "the figures of a queue are of what waits, its positions of all rows": async (trial) => {
    const rows = [
      rowOf(1, 5, { expiresAt: someTime + 3, bytes: 100 }),
      rowOf(1, 7, { expiresAt: someTime + 2, bytes: 20 }),
      rowOf(1, 8, { bytes: 3 }),
      rowOf(1, 9, { expiresAt: someTime + 1, bytes: 4000 }),
    ];
    await trial.commit(...sessions(1, 2), shared(3), ...queued(...rows));
    await trial.commit(...queued(pubrelOf(2, 4, 1), rowOf(3, -9, { message: 99 })));
    const before = { messages: 4, bytes: 4123, firstExpiresAt: someTime + 1 };
    const one = { firstExpiresAt: never, positionFirst: -9, positionLast: -9 };
    const none = { messages: 0, bytes: 0, firstExpiresAt: never };
    assert.deepEqual(await reopenFigures(trial), [
      { ...before, positionFirst: 5, positionLast: 9 },
      { ...none, positionFirst: 4, positionLast: 4 },
      { messages: 1, bytes: 10, ...one },
    ]);
    await trial.commit(sent(rows[0], 1), sent(rows[3], 2), ...queued(pubrelOf(1, 20, 3)));
    const during = { messages: 2, bytes: 23, firstExpiresAt: someTime + 2 };
    assert.deepEqual((await reopenFigures(trial))[0], {
      ...during,
      positionFirst: 5,
      positionLast: 20,
    });
    await trial.commit(...rows.map(removed), removed(pubrelOf(1, 20, 3)));
    assert.deepEqual((await reopenFigures(trial))[0], {
      ...none,
      positionFirst: 0,
      positionLast: 0,
    });
  },

  "figures follow a row that is moved": async (trial) => {
    const rows = [1, 2].map((position) => rowOf(3, position));
    await trial.commit(...sessions(1), shared(3), ...queued(...rows));
    const underWay = rowOf(1, 6, { message: 1, packetIdentifier: 1 });
    const waiting = rowOf(1, -2, { message: 2 });
    await trial.commit(moved(rows[0], underWay), moved(rows[1], waiting));
    const figures = { messages: 1, bytes: 10, firstExpiresAt: never };
    const none = { messages: 0, bytes: 0, firstExpiresAt: never };
    assert.deepEqual(await reopenFigures(trial), [
      { ...figures, positionFirst: -2, positionLast: 6 },
      { ...none, positionFirst: 0, positionLast: 0 },
    ]);
  },

  "the highest numbers are of what is there": async (trial) => {
    await trial.commit(...sessions(3, 8), shared(5), ...queued(rowOf(3, 1, { message: 12 })));
    await trial.commit(...queued(rowOf(5, 1, { message: 40 }), rowOf(8, 1, { message: 4 })));
    const first = await trial.reopen();
    assert.deepEqual([first.queueLast, first.messageLast], [8, 40]);
    await trial.commit({ kind: "sessionEnded", queue: 8 }, { kind: "sessionEnded", queue: 3 });
    const second = await trial.reopen();
    assert.deepEqual([second.queueLast, second.messageLast], [5, 40]);
    await trial.commit({ kind: "sharedEnded", queue: 5 });
    const third = await trial.reopen();
    assert.deepEqual([third.queueLast, third.messageLast], [0, 0]);
  },

  "opening again and again changes nothing": async (trial) => {
    const content = contentOf({ topic: "kept" }, { retain: true });
    const rows = [rowOf(1, 1), rowOf(1, 2), rowOf(2, 1, { message: 3 })];
    await trial.commit(
      ...sessions(1),
      shared(2),
      { kind: "received", queue: 1, packetIdentifier: 4 },
      { kind: "retained", topic: "kept", content },
      ...queued(...rows),
      sent(rows[0], 1),
    );
    const state = await trial.reopen();
    assert.deepEqual(await trial.reopen(), state);
    assert.deepEqual(await trial.reopen(), state);
    assert.deepEqual(state.sessions[0].receivedIdentifiers, [4]);
    assert.deepEqual(state.retained, [content]);
    assert.equal(state.shared[0].figures.messages, 1);
  },

  "one message waits for 10,000 sessions, and goes with the last": async (trial) => {
    const content = contentOf({ topic: "storm", payload: Buffer.alloc(5) });
    const rows = sessionsOfStorm.map((queue) => rowOf(queue, 1, { message: 5 }));
    await trial.commit(...sessions(...sessionsOfStorm));
    await trial.commit(...queuedTogether(content, ...rows));
    const state = await trial.lookTwice(async () => {
      for (const row of [rows[0], rows[4567], rows[9999]]) {
        assert.deepEqual(await trial.readWaiting(row.queue), [{ row, content }]);
      }
    });
    const hasOne = ({ figures }: RestoredSession) => figures.messages === 1 && figures.bytes === 10;
    assert.equal(state.sessions.filter(hasOne).length, 10_000);
    await trial.commit(...rows.slice(1).map(removed));
    assert.deepEqual(await trial.readWaiting(1), [{ row: rows[0], content }]);
    await trial.commit(removed(rows[0]));
    assert.equal((await trial.reopen()).messageLast, 0);
  },

  "10,000 rows wait in one queue": async (trial) => {
    const rows = sessionsOfStorm.map((position) => rowOf(1, position));
    await trial.commit(...sessions(1), ...queued(...rows));
    await trial.commit(...rows.slice(0, 5000).map((row) => sent(row, row.position)));
    await trial.commit(...rows.slice(0, 4999).map(removed));
    const state = await trial.lookTwice(async () => {
      const page = await trial.readWaiting(1, { after: 7000, messagesMax: 1000 });
      assert.deepEqual(page, rows.slice(7000, 8000).map(deliveryOf));
      const underWay = [{ ...rows[4999], packetIdentifier: 5000 }];
      assert.deepEqual(await trial.readUnderWay(1), underWay.map(deliveryOf));
    });
    const { messages, positionFirst, positionLast } = state.sessions[0].figures;
    assert.deepEqual([messages, positionFirst, positionLast], [5000, 5000, 10_000]);
  },

  "what is read while a batch is under way shows all of it or nothing": async (trial) => {
    const rows = Array.from({ length: 500 }, (_, index) => rowOf(1, index + 1));
    await trial.commit(...sessions(1));
    const commit = trial.commit(...queued(...rows));
    const early = await trial.readWaiting(1);
    await commit;
    assert.ok(early.length === 0 || early.length === rows.length, `${early.length} rows`);
    assert.deepEqual(await trial.readWaiting(1), rows.map(deliveryOf));
    const removal = trial.commit(...rows.map(removed));
    const later = await trial.readWaiting(1);
    await removal;
    assert.ok(later.length === 0 || later.length === rows.length, `${later.length} rows`);
    assert.deepEqual(await trial.readWaiting(1), []);
  },

  "what was asked for before it closes is answered": async (trial) => {
    const row = rowOf(1, 1);
    const [first, last] = [rowOf(1, 2), rowOf(1, 3)];
    await trial.commit(...sessions(1), ...queued(row, first));
    const open: [Promise<unknown>, Promise<readonly unknown[]>, Promise<readonly unknown[]>] = [
      trial.commit(...queued(last)),
      trial.readUnderWay(1),
      trial.readWaiting(1, { messagesMax: 1 }),
    ];
    await trial.reopen();
    const [outcome, underWay, waiting] = await Promise.all(open);
    assert.deepEqual(outcome, { trimmed: [] });
    assert.deepEqual(underWay, []);
    assert.deepEqual(waiting, [deliveryOf(row)]);
    assert.deepEqual(await trial.readWaiting(1), [row, first, last].map(deliveryOf));
  },

  "many batches, one after the other": async (trial) => {
    await trial.commit(...sessions(1));
    for (let position = 1; position <= 300; position++) {
      const changes: StorageChange[] = [...queued(rowOf(1, position))];
      if (position > 3) changes.push(removed(rowOf(1, position - 3)));
      await trial.commit(...changes);
    }
    await trial.lookTwice(async () => {
      const rows = [298, 299, 300].map((position) => rowOf(1, position));
      assert.deepEqual(await trial.readWaiting(1), rows.map(deliveryOf));
    });
  },
};
