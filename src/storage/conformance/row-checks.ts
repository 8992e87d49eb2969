/** Rows in their order: what waits, what is under way, what goes and what comes back. */
import assert from "node:assert/strict";
import type { StoredRow } from "../../broker/ports.ts";
import {
  deliveryOf,
  moved,
  pubrelOf,
  queued,
  removed,
  rowOf,
  sent,
  sessions,
  shared,
  someTime,
} from "./records.ts";
import type { StorageCheck, StorageTrial } from "./storage-trial.ts";

/** While the engine runs and after it was opened again: these rows with their messages, and no others. */
async function checkQueue(
  trial: StorageTrial,
  queue: number,
  rows: { waiting?: readonly StoredRow[]; underWay?: readonly StoredRow[] },
): Promise<void> {
  const { waiting = [], underWay = [] } = rows;
  await trial.lookTwice(async () => {
    assert.deepEqual(await trial.readWaiting(queue), waiting.map(deliveryOf));
    assert.deepEqual(await trial.readUnderWay(queue), underWay.map(deliveryOf));
  });
}

async function readPositions(
  trial: StorageTrial,
  page: { after?: number; messagesMax?: number; bytesMax?: number },
): Promise<readonly number[]> {
  return (await trial.readWaiting(1, page)).map(({ row }) => row.position);
}

export const rowChecks: Readonly<Record<string, StorageCheck>> = {
  "a queue that is not there has no rows": async (trial) => {
    await checkQueue(trial, 1, {});
  },

  "rows come in the order of their positions, whatever order they were added in": async (trial) => {
    const rows = [0, 5, 3, 9, -7, 8, -2, 4, 10, 1].map((position, index) =>
      rowOf(1, position, { message: index + 1 }),
    );
    await trial.commit(...sessions(1), ...queued(...rows.slice(0, 5)));
    await trial.commit(...queued(...rows.slice(5)));
    const waiting = [...rows].sort((one, other) => one.position - other.position);
    await checkQueue(trial, 1, { waiting });
  },

  "queues do not mix": async (trial) => {
    const rows = [1, 2, 3].map((queue) => rowOf(queue, 1, { message: queue }));
    await trial.commit(...sessions(1, 3), shared(2), ...queued(...rows));
    await trial.commit(sent(rows[0], 5), removed(rows[2]));
    await checkQueue(trial, 1, { underWay: [{ ...rows[0], packetIdentifier: 5 }] });
    await checkQueue(trial, 2, { waiting: [rows[1]] });
    await checkQueue(trial, 3, {});
  },

  "a row that is sent waits no more and keeps its place": async (trial) => {
    const fields = { retain: true, subscriptionIdentifiers: [7, 1], expiresAt: someTime };
    const rows = [1, 2, 3, 4].map((position) => rowOf(1, position, { ...fields, qos: 2 }));
    await trial.commit(...sessions(1), ...queued(...rows));
    await trial.commit(sent(rows[2], 1), sent(rows[0], 65_535));
    await checkQueue(trial, 1, {
      waiting: [rows[1], rows[3]],
      underWay: [
        { ...rows[0], packetIdentifier: 65_535 },
        { ...rows[2], packetIdentifier: 1 },
      ],
    });
  },

  "a row may be added, sent and removed in one batch": async (trial) => {
    const [stays, goes] = [rowOf(1, 1), rowOf(1, 2)];
    await trial.commit(
      ...sessions(1),
      ...queued(stays, goes),
      sent(goes, 3),
      sent(stays, 4),
      removed(goes),
    );
    await checkQueue(trial, 1, { underWay: [{ ...stays, packetIdentifier: 4 }] });
  },

  "rows are removed from the front, the end and between, waiting or under way": async (trial) => {
    const rows = Array.from({ length: 9 }, (_, index) => rowOf(1, index + 1));
    await trial.commit(...sessions(1), ...queued(...rows), sent(rows[0], 1), sent(rows[1], 2));
    await trial.commit(removed(rows[0]), removed(rows[2]), removed(rows[8]), removed(rows[5]));
    const underWay = [{ ...rows[1], packetIdentifier: 2 }];
    await checkQueue(trial, 1, { waiting: [rows[3], rows[4], rows[6], rows[7]], underWay });
    await trial.commit(...[1, 3, 4, 6, 7].map((index) => removed(rows[index])));
    await checkQueue(trial, 1, {});
  },

  "a place that was left is free, in the same batch too": async (trial) => {
    const [first, second] = [rowOf(1, 1), rowOf(1, 1, { message: 2 })];
    const third = rowOf(1, 1, { message: 3 });
    await trial.commit(...sessions(1), ...queued(first), removed(first), ...queued(second));
    await trial.commit(removed(second), ...queued(third));
    await checkQueue(trial, 1, { waiting: [third] });
  },

  "a PUBREL stands in the place of its message, or above what waits": async (trial) => {
    const [first, second] = [1, 2].map((position) => rowOf(1, position, { qos: 2 }));
    const waiting = [3, 4].map((position) => rowOf(1, position));
    const under = rowOf(1, 10, { packetIdentifier: 9 });
    await trial.commit(...sessions(1), ...queued(first, second, ...waiting));
    await trial.commit(sent(first, 7), sent(second, 8), ...queued(under));
    const [above, same] = [pubrelOf(1, 5, 7), pubrelOf(1, 2, 8)];
    await trial.commit(removed(first), ...queued(above), removed(second), ...queued(same));
    await checkQueue(trial, 1, { waiting, underWay: [same, above, under] });
    await trial.commit(removed(same), removed(above));
    await checkQueue(trial, 1, { waiting, underWay: [under] });
  },

  "a row is moved from a shared subscription to a member and back": async (trial) => {
    const rows = [5, 6, 7].map((position) => rowOf(1, position));
    await trial.commit(shared(1), ...sessions(2), ...queued(...rows));
    const taken = rowOf(2, 1, {
      message: 5,
      qos: 2,
      retain: true,
      subscriptionIdentifiers: [4, 3],
      packetIdentifier: 1,
    });
    const other = rowOf(2, 2, { message: 7, packetIdentifier: 2 });
    await trial.commit(moved(rows[0], taken), moved(rows[2], other));
    // Looked at as rows: the message is still the one that was queued, whatever the row says of it.
    await trial.lookTwice(async () => {
      const [underWay, waiting] = [await trial.readUnderWay(2), await trial.readWaiting(1)];
      assert.deepEqual(
        underWay.map(({ row }) => row),
        [taken, other],
      );
      assert.deepEqual(
        underWay.map(({ content }) => content),
        [deliveryOf(rows[0]).content, deliveryOf(rows[2]).content],
      );
      assert.deepEqual(waiting, [deliveryOf(rows[1])]);
    });
    const back = [rowOf(1, -1, { message: 7 }), rowOf(1, -2, { message: 5 })];
    await trial.commit(moved(other, back[0]), moved(taken, back[1]));
    await checkQueue(trial, 1, { waiting: [back[1], back[0], rows[1]] });
    await checkQueue(trial, 2, {});
  },

  "a row is moved within its queue, to its own place too": async (trial) => {
    const rows = [1, 2, 3].map((position) => rowOf(1, position));
    await trial.commit(...sessions(1), ...queued(...rows), sent(rows[0], 6));
    const [waits, first] = [rowOf(1, 1, { retain: true }), rowOf(1, 0, { message: 3 })];
    await trial.commit(moved(rows[0], waits), moved(rows[2], first));
    // Compared as rows: `retain` is the subscriber's, not the message's.
    await checkQueue(trial, 1, { waiting: [first, waits, rows[1]] });
  },

  "a row is moved to the place that another has left in the same batch": async (trial) => {
    const rows = [1, 2].map((position) => rowOf(1, position));
    await trial.commit(...sessions(1, 2), ...queued(...rows));
    const [one, other] = [rowOf(2, 1), rowOf(1, 1, { message: 2 })];
    await trial.commit(moved(rows[0], one), moved(rows[1], other), sent(other, 3));
    await checkQueue(trial, 1, { underWay: [{ ...other, packetIdentifier: 3 }] });
    await checkQueue(trial, 2, { waiting: [one] });
  },

  "many rows come back below all others, each below the one before": async (trial) => {
    const rows = Array.from({ length: 200 }, (_, index) => rowOf(1, index + 1));
    await trial.commit(...sessions(1), ...queued(...rows), ...rows.map((row) => sent(row, 1)));
    const back = rows.map((row) => rowOf(1, -row.position, { message: row.message }));
    const fresh = rowOf(1, 1000);
    await trial.commit(...queued(fresh));
    await trial.commit(...rows.map((row, index) => moved(row, back[index])));
    await checkQueue(trial, 1, { waiting: [...back.reverse(), fresh] });
  },

  "a page begins after a position and holds what it may": async (trial) => {
    const rows = [-3, 0, 1, 4, 5, 9].map((position, index) =>
      rowOf(1, position, { message: index + 1, bytes: 10 * (index + 1) }),
    );
    await trial.commit(...sessions(1), ...queued(...rows), sent(rows[2], 1));
    await trial.lookTwice(async () => {
      assert.deepEqual(await readPositions(trial, {}), [-3, 0, 4, 5, 9]);
      assert.deepEqual(await readPositions(trial, { after: -4 }), [-3, 0, 4, 5, 9]);
      assert.deepEqual(await readPositions(trial, { after: -3 }), [0, 4, 5, 9]);
      assert.deepEqual(await readPositions(trial, { after: 0 }), [4, 5, 9]);
      assert.deepEqual(await readPositions(trial, { after: 2 }), [4, 5, 9]);
      assert.deepEqual(await readPositions(trial, { after: 9 }), []);
      assert.deepEqual(await readPositions(trial, { messagesMax: 1 }), [-3]);
      assert.deepEqual(await readPositions(trial, { messagesMax: 3 }), [-3, 0, 4]);
      assert.deepEqual(await readPositions(trial, { after: 0, messagesMax: 2 }), [4, 5]);
      assert.deepEqual(await readPositions(trial, { messagesMax: 5 }), [-3, 0, 4, 5, 9]);
    });
  },

  "a page ends with the row that reaches its bytes, and has at least one": async (trial) => {
    const rows = [1, 2, 3, 4].map((position) => rowOf(1, position, { bytes: 100 }));
    await trial.commit(...sessions(1), ...queued(...rows));
    await trial.lookTwice(async () => {
      assert.deepEqual(await readPositions(trial, { bytesMax: 0 }), [1]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 99 }), [1]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 100 }), [1]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 101 }), [1, 2]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 200, after: 1 }), [2, 3]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 250, messagesMax: 2 }), [1, 2]);
      assert.deepEqual(await readPositions(trial, { bytesMax: 400 }), [1, 2, 3, 4]);
    });
  },

  "pages put together are the queue": async (trial) => {
    const rows = Array.from({ length: 1000 }, (_, index) => rowOf(1, index * 3 - 500));
    const numbered = rows.map((row, index) => ({ ...row, message: index + 1 }));
    await trial.commit(...sessions(1), ...queued(...numbered));
    const read: number[] = [];
    for (;;) {
      const after = read.at(-1) ?? Number.MIN_SAFE_INTEGER;
      const page = await readPositions(trial, { after, messagesMax: 64 });
      if (page.length === 0) break;
      read.push(...page);
      assert.ok(read.length <= rows.length, "no row is on two pages");
    }
    assert.deepEqual(
      read,
      rows.map(({ position }) => position),
    );
  },
};
