/** The worker's part by itself: what becomes of changes that are put together, and of the log. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { StorageChange, StoredRow } from "../../src/broker/ports.ts";
import {
  contentOf,
  pubrelOf,
  queued,
  queuedTogether,
  removed,
  rowOf,
  sent,
  sessions,
} from "../../src/storage/conformance/records.ts";

import { encodeBatch } from "../../src/storage/sqlite/batch-writer.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { decodePage } from "../../src/storage/sqlite/page-form.ts";
import { WorkerDatabase } from "../../src/storage/sqlite/worker-database.ts";

interface Opened {
  readonly file: string;
  readonly worker: WorkerDatabase;
  commit(...changes: readonly StorageChange[]): void;
  waiting(): readonly StoredRow[];
  underWay(): readonly StoredRow[];
}

function open(context: TestContext): Opened {
  const folder = mkdtempSync(join(tmpdir(), "tstack-worker-"));
  const file = join(folder, "tstack.db");
  const database = openDatabase(file, "os");
  migrate(database, file);
  database.close();
  const worker = new WorkerDatabase({
    file,
    durability: "os",
    lockFile: `${file}.none`,
    lockIdentity: "",
  });
  context.after(() => {
    worker.close();
    rmSync(folder, { recursive: true });
  });
  const everything = { queue: 1, after: 0, messagesMax: 1e6, bytesMax: 1e9 };
  const rowsOf = (page: ArrayBuffer) => decodePage(page).map(({ row }) => row);
  return {
    file,
    worker,
    commit: (...changes) => worker.commit(encodeBatch(changes, new ArrayBuffer(64))),
    waiting: () => rowsOf(worker.readWaiting(everything)),
    underWay: () => rowsOf(worker.readUnderWay(1)),
  };
}

test("what is sent keeps its packet identifiers where they jump: at the end of their count, and over one in use", (context) => {
  const { commit, underWay } = open(context);
  const rows = [1, 2, 3, 4, 6, 7].map((position) => rowOf(1, position));
  const identifiers = [65_534, 65_535, 1, 3, 4, 5];
  commit(...sessions(1), ...queued(...rows));
  commit(...rows.map((row, index) => sent(row, identifiers[index])));
  assert.deepEqual(
    underWay(),
    rows.map((row, index) => ({ ...row, packetIdentifier: identifiers[index] })),
  );
});

test("a PUBREL and a message that follows it are removed, and message 1 with its row", (context) => {
  const { commit, underWay, waiting } = open(context);
  const pubrels = [pubrelOf(1, 1, 11), pubrelOf(1, 2, 12)];
  const rows = [rowOf(1, 3, { message: 1 }), rowOf(1, 4, { message: 2 })];
  commit(...sessions(1), ...queued(...pubrels, ...rows));
  commit(...[...pubrels, rows[0]].map(removed));
  assert.deepEqual([underWay(), waiting()], [[], [rows[1]]]);
  // Its number would be taken if it were still there.
  commit(...queued(rows[0]));
  assert.deepEqual(waiting(), rows);
});

test("of messages that are removed together, those that another queue holds stay", (context) => {
  const { commit, waiting } = open(context);
  const rows = [1, 2, 3, 4].map((position) => rowOf(2, position));
  const alone = [rows[0], rows[2]];
  const together = [rows[1], rows[3]].map((row) => ({ ...row, queue: 1 }));
  const content = contentOf({ topic: "t" });
  commit(...sessions(1, 2), ...queued(...alone));
  for (const row of together) commit(...queuedTogether(content, row, { ...row, queue: 2 }));
  commit(...rows.map(removed));
  assert.deepEqual(waiting(), together);
  commit(...queued(...alone));
  commit(...together.map(removed), ...alone.map(removed));
  commit(...queued(...rows));
});

test("rows are removed with their messages where only the messages follow each other", (context) => {
  const { commit, waiting } = open(context);
  const rows = [1, 3, 5].map((position, index) => rowOf(1, position, { message: index + 1 }));
  const between = rowOf(1, 2, { message: 9 });
  commit(...sessions(1), ...queued(...rows, between));
  commit(...rows.map(removed));
  assert.deepEqual(waiting(), [between]);
});

test("what a refused batch would have brought is not counted when its queue is trimmed", (context) => {
  const { commit, waiting } = open(context);
  const trim = {
    kind: "trimmed",
    queue: 1,
    now: 0,
    messagesMax: 3,
    bytesMax: 1e9,
    drop: "oldest",
  } as const;
  commit(...sessions(1), ...queued(rowOf(1, 1), rowOf(1, 2)), trim);
  const misfit = removed(rowOf(1, 77));
  assert.throws(() => commit(...queued(rowOf(1, 3), rowOf(1, 4), rowOf(1, 5)), misfit));
  commit(...queued(rowOf(1, 3)), trim);
  assert.deepEqual(
    waiting(),
    [1, 2, 3].map((position) => rowOf(1, position)),
  );
});

test("a change that does not fit is refused with its whole batch", (context) => {
  const { commit, waiting } = open(context);
  const rows = [rowOf(1, 1), rowOf(1, 2)];
  commit(...sessions(1), ...queued(...rows));
  const misfits: readonly StorageChange[] = [
    sent(rowOf(1, 3), 1),
    removed(rowOf(1, 3)),
    // Of a row and its message, one is there.
    { kind: "removed", queue: 1, position: 2, message: 9 },
    { kind: "removed", queue: 1, position: 3, message: 2 },
    { kind: "moved", queue: 1, position: 3, row: rowOf(1, 4) },
    { kind: "sessionEnded", queue: 2 },
  ];
  for (const misfit of misfits) {
    assert.throws(() => commit(removed(rows[0]), misfit), /^Error: assertion failed/);
    assert.deepEqual(waiting(), rows);
  }
});

test("the log is taken into the database before it becomes long", (context) => {
  const { commit, file, worker } = open(context);
  commit(...sessions(1));
  const logBytesMax = 8_388_608;
  for (let first = 1; first < 30_000; first += 500) {
    const positions = Array.from({ length: 500 }, (_, index) => first + index);
    commit(...queued(...positions.map((position) => rowOf(1, position, { bytes: 1000 }))));
    worker.checkpoint();
    assert.ok(statSync(`${file}-wal`).size < logBytesMax);
  }
  assert.ok(statSync(file).size > 3 * logBytesMax);
});
