/** `trimmed` in all its forms: what goes, from which end, and what the answer says of it. */
import assert from "node:assert/strict";
import type { StorageChange, StoredRow, TrimOutcome } from "../../broker/ports.ts";
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

type Trimmed = Extract<StorageChange, { kind: "trimmed" }>;

const plenty = 1_000_000;

function trimmed(queue: number, fields: Partial<Omit<Trimmed, "kind" | "queue">>): Trimmed {
  const limits = { messagesMax: plenty, bytesMax: plenty };
  return { kind: "trimmed", queue, now: someTime, ...limits, drop: "newest", ...fields };
}

/** Counts and bytes: first of what had expired, then of what was dropped. */
function outcomeOf(
  queue: number,
  [expiredMessages, expiredBytes]: readonly [number, number],
  [droppedMessages, droppedBytes]: readonly [number, number],
): TrimOutcome {
  return { queue, expiredMessages, expiredBytes, droppedMessages, droppedBytes };
}

/** Rows 1 to n of queue 1, of 1, 2, 4, 8, ... bytes and more: every sum says which rows it is made of. */
function rowsOfBytes(count: number): readonly StoredRow[] {
  return Array.from({ length: count }, (_, index) =>
    rowOf(1, index + 1, { bytes: 1000 + 2 ** index }),
  );
}

async function checkWaiting(trial: StorageTrial, rows: readonly StoredRow[]): Promise<void> {
  await trial.lookTwice(async () => {
    assert.deepEqual(await trial.readWaiting(1), rows.map(deliveryOf));
  });
}

/** Five rows in queue 1, cut by one change: what is said of it, and which rows (0 to 4) stay. */
function cutting(
  fields: Partial<Trimmed>,
  outcome: readonly TrimOutcome[],
  stay: readonly number[],
): StorageCheck {
  return async (trial) => {
    const rows = rowsOfBytes(5);
    await trial.commit(...sessions(1), ...queued(...rows));
    assert.deepEqual(await trial.commit(trimmed(1, fields)), { trimmed: outcome });
    await checkWaiting(
      trial,
      stay.map((index) => rows[index]),
    );
    assert.deepEqual(await trial.commit(trimmed(1, fields)), { trimmed: [] }, "it is cut already");
  };
}

const none = [0, 0] as const;

export const trimChecks: Readonly<Record<string, StorageCheck>> = {
  "a queue within its limits is left alone": cutting(
    { messagesMax: 5, bytesMax: 5031 },
    [],
    [0, 1, 2, 3, 4],
  ),
  "an empty queue is left alone": async (trial) => {
    await trial.commit(...sessions(1), shared(2));
    const nothing = { messagesMax: 0, bytesMax: 0 };
    const outcome = await trial.commit(trimmed(1, nothing), trimmed(2, nothing));
    assert.deepEqual(outcome, { trimmed: [] });
  },
  "too many messages: the newest go": cutting(
    { messagesMax: 3, drop: "newest" },
    [outcomeOf(1, none, [2, 2024])],
    [0, 1, 2],
  ),
  "too many messages: the oldest go": cutting(
    { messagesMax: 3, drop: "oldest" },
    [outcomeOf(1, none, [2, 2003])],
    [2, 3, 4],
  ),
  "too many bytes: the newest go": cutting(
    { bytesMax: 3007, drop: "newest" },
    [outcomeOf(1, none, [2, 2024])],
    [0, 1, 2],
  ),
  "too many bytes: the oldest go": cutting(
    { bytesMax: 3027, drop: "oldest" },
    [outcomeOf(1, none, [3, 3007])],
    [3, 4],
  ),
  "both limits hold, the messages first": cutting(
    { messagesMax: 2, bytesMax: 4000, drop: "oldest" },
    [outcomeOf(1, none, [3, 3007])],
    [3, 4],
  ),
  "both limits hold, the bytes first": cutting(
    { messagesMax: 4, bytesMax: 1500, drop: "newest" },
    [outcomeOf(1, none, [4, 4030])],
    [0],
  ),
  "one message stays however many bytes it has: the oldest": cutting(
    { bytesMax: 0, drop: "newest" },
    [outcomeOf(1, none, [4, 4030])],
    [0],
  ),
  "one message stays however many bytes it has: the newest": cutting(
    { bytesMax: 1, drop: "oldest" },
    [outcomeOf(1, none, [4, 4015])],
    [4],
  ),
  "none stays where none may wait": cutting(
    { messagesMax: 0 },
    [outcomeOf(1, none, [5, 5031])],
    [],
  ),

  "limits may be as large as a number goes": async (trial) => {
    const rows = rowsOfBytes(3);
    await trial.commit(...sessions(1), ...queued(...rows));
    const max = Number.MAX_SAFE_INTEGER;
    const outcome = await trial.commit(trimmed(1, { messagesMax: max, bytesMax: max }));
    assert.deepEqual(outcome, { trimmed: [] });
    await checkWaiting(trial, rows);
  },

  "what has expired goes, wherever it stands": async (trial) => {
    const expiries = [someTime, someTime + 1, 1, Number.POSITIVE_INFINITY, someTime - 1];
    const rows = rowsOfBytes(5).map((row, index) => ({ ...row, expiresAt: expiries[index] }));
    await trial.commit(...sessions(1), ...queued(...rows));
    assert.deepEqual(await trial.commit(trimmed(1, { now: 0 })), { trimmed: [] });
    const [first, second] = [
      await trial.commit(trimmed(1, { now: 1 })),
      await trial.commit(trimmed(1, {})),
    ];
    assert.deepEqual(first.trimmed, [outcomeOf(1, [1, 1004], none)]);
    assert.deepEqual(second.trimmed, [outcomeOf(1, [2, 2017], none)]);
    await checkWaiting(trial, [rows[1], rows[3]]);
    const later = await trial.commit(trimmed(1, { now: someTime + 1 }));
    assert.deepEqual(later.trimmed, [outcomeOf(1, [1, 1002], none)]);
    await checkWaiting(trial, [rows[3]]);
  },

  "what has expired makes room before anything is dropped": async (trial) => {
    const rows = rowsOfBytes(5).map((row, index) =>
      index === 1 || index === 3 ? { ...row, expiresAt: someTime } : row,
    );
    await trial.commit(...sessions(1), ...queued(...rows));
    const room = await trial.commit(trimmed(1, { messagesMax: 3, bytesMax: 3021 }));
    assert.deepEqual(room.trimmed, [outcomeOf(1, [2, 2010], none)]);
    await checkWaiting(trial, [rows[0], rows[2], rows[4]]);
  },

  "what has expired and what is dropped are told apart": async (trial) => {
    const rows = rowsOfBytes(5).map((row, index) =>
      index === 4 ? { ...row, expiresAt: someTime } : row,
    );
    await trial.commit(...sessions(1), ...queued(...rows));
    const { trimmed: outcomes } = await trial.commit(trimmed(1, { bytesMax: 2003 }));
    assert.deepEqual(outcomes, [outcomeOf(1, [1, 1016], [2, 2012])]);
    await checkWaiting(trial, [rows[0], rows[1]]);
  },

  "what is under way neither counts nor goes": async (trial) => {
    const rows = rowsOfBytes(6).map((row) => ({ ...row, expiresAt: someTime + row.position }));
    await trial.commit(...sessions(1), ...queued(...rows, pubrelOf(1, 0, 9), pubrelOf(1, 9, 8)));
    await trial.commit(sent(rows[0], 1), sent(rows[2], 2), sent(rows[5], 3));
    const within = trimmed(1, { messagesMax: 3, bytesMax: 3026 });
    assert.deepEqual(await trial.commit(within), { trimmed: [] });
    const oldest = await trial.commit(trimmed(1, { messagesMax: 2, drop: "oldest" }));
    assert.deepEqual(oldest.trimmed, [outcomeOf(1, none, [1, 1002])]);
    const newest = await trial.commit(trimmed(1, { messagesMax: 1, drop: "newest" }));
    assert.deepEqual(newest.trimmed, [outcomeOf(1, none, [1, 1016])]);
    await checkWaiting(trial, [rows[3]]);
    const late = await trial.commit(trimmed(1, { now: someTime + 100, messagesMax: 0 }));
    assert.deepEqual(late.trimmed, [outcomeOf(1, [1, 1008], none)]);
    await trial.lookTwice(async () => {
      const underWay = await trial.readUnderWay(1);
      assert.deepEqual(
        underWay.map(({ row }) => row.position),
        [0, 1, 3, 6, 9],
      );
    });
  },

  "each queue is trimmed by itself, and told of in order": async (trial) => {
    const rows = [3, 1, 2, 4].flatMap((queue) =>
      [1, 2].map((position) => rowOf(queue, position, { message: queue * 10 + position })),
    );
    await trial.commit(...sessions(1, 2, 3), shared(4), ...queued(...rows));
    const { trimmed: outcomes } = await trial.commit(
      trimmed(4, { messagesMax: 1 }),
      trimmed(2, { messagesMax: 2 }),
      trimmed(3, { messagesMax: 0 }),
      trimmed(4, { messagesMax: 0 }),
    );
    assert.deepEqual(outcomes, [
      outcomeOf(4, none, [1, 10]),
      outcomeOf(3, none, [2, 20]),
      outcomeOf(4, none, [1, 10]),
    ]);
    await checkWaiting(trial, [rows[2], rows[3]]);
    assert.equal((await trial.readWaiting(2)).length, 2);
    assert.deepEqual(await trial.readWaiting(3), []);
  },

  "a trim sees what came before it in the batch, and not what comes after": async (trial) => {
    const rows = rowsOfBytes(4);
    const keepOne = trimmed(1, { messagesMax: 1, drop: "oldest" });
    const { trimmed: outcomes } = await trial.commit(
      ...sessions(1),
      ...queued(rows[0], rows[1]),
      keepOne,
      ...queued(rows[2], rows[3]),
    );
    assert.deepEqual(outcomes, [outcomeOf(1, none, [1, 1001])]);
    await checkWaiting(trial, rows.slice(1));
    const all = await trial.commit(removed(rows[1]), sent(rows[3], 1), keepOne);
    assert.deepEqual(all, { trimmed: [] });
    await checkWaiting(trial, [rows[2]]);
  },

  "a trim finds the ends of a queue whose rows came back": async (trial) => {
    const rows = rowsOfBytes(4);
    await trial.commit(...sessions(1), ...queued(...rows), sent(rows[0], 1), sent(rows[1], 2));
    const back = rowOf(1, -5, { message: 2, bytes: 1002, expiresAt: someTime });
    await trial.commit(moved(rows[1], back));
    const oldest = await trial.commit(trimmed(1, { now: 0, messagesMax: 2, drop: "oldest" }));
    assert.deepEqual(oldest.trimmed, [outcomeOf(1, none, [1, 1002])]);
    const other = rowOf(1, -6, { bytes: 1001, message: 1, expiresAt: someTime });
    await trial.commit(moved(rows[0], other));
    const expired = await trial.commit(trimmed(1, { messagesMax: 1, drop: "newest" }));
    assert.deepEqual(expired.trimmed, [outcomeOf(1, [1, 1001], [1, 1008])]);
    await checkWaiting(trial, [rows[2]]);
  },
};
