/**
 * Storage in SQLite: what a change costs the main thread, which encodes batches and decodes pages, and what a row costs the
 * worker, durability `os`: with `fsync` the disk decides. Batches and pages of 1,000 rows with 84 bytes each.
 * Measured 2026-11-23 on two shared, busy cores of an Intel Xeon, Node 24.21: 56, 2 and 86 ns a row on the main thread; 2.2, 2.8 and
 * 4.2 us a row in the worker.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageChange, StoredMessage, StoredRow } from "../../src/broker/ports.ts";
import { encodeBatch } from "../../src/storage/sqlite/batch-writer.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { decodePage } from "../../src/storage/sqlite/page-form.ts";
import { WorkerDatabase } from "../../src/storage/sqlite/worker-database.ts";
import { measureTasks } from "./stopwatch.ts";

const operations = 1000;
const folder = mkdtempSync(join(tmpdir(), "tstack-bench-"));
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

const content: StoredMessage = {
  bytes: Buffer.alloc(84, "x"),
  topicEnd: 20,
  propertiesEnd: 20,
  expiryOffset: -1,
  qos: 1,
  retain: false,
  publisher: "bench",
  expiresAt: Number.POSITIVE_INFINITY,
};

function rowAt(position: number): StoredRow {
  return {
    queue: 1,
    position,
    message: position,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: [],
    packetIdentifier: 0,
    bytes: content.bytes.length,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}

const positions = Array.from({ length: operations }, (_, index) => index + 1);
const kept = positions.flatMap((position): StorageChange[] => [
  { kind: "message", message: position, references: 1, content },
  { kind: "row", row: rowAt(position) },
]);
const sent = positions.map(
  (position): StorageChange => ({ kind: "sent", queue: 1, position, packetIdentifier: position }),
);
const removed = positions.map(
  (position): StorageChange => ({ kind: "removed", queue: 1, position, message: position }),
);
/** Positions that do not follow each other: nothing to be had in one step. */
const removedBackwards = [...removed].reverse();

const spare = new ArrayBuffer(1_048_576);
const encode = (changes: readonly StorageChange[]) => encodeBatch(changes, new ArrayBuffer(65_536));
const commit = (batch: ArrayBuffer) => {
  worker.commit(batch);
  worker.checkpoint();
};
const [keptBatch, sentBatch, removedBatch, backwardsBatch] = [
  kept,
  sent,
  removed,
  removedBackwards,
].map(encode);
const everything = { queue: 1, after: 0, messagesMax: operations, bytesMax: 1e9 };
commit(keptBatch);
const page = worker.readWaiting(everything);
commit(removedBatch);

try {
  await measureTasks(import.meta.filename, [
    {
      name: "a message and its row encoded",
      unit: "row",
      operations,
      run: () => encodeBatch(kept, spare),
    },
    {
      name: "a removed row encoded",
      unit: "row",
      operations,
      run: () => encodeBatch(removed, spare),
    },
    { name: "a row of a page decoded", unit: "row", operations, run: () => decodePage(page) },
    {
      name: "a row kept and removed, each in one commit of all",
      unit: "row",
      operations,
      run: () => {
        commit(keptBatch);
        commit(removedBatch);
      },
    },
    {
      name: "a row kept and removed, one by one",
      unit: "row",
      operations,
      run: () => {
        commit(keptBatch);
        commit(backwardsBatch);
      },
    },
    {
      name: "a row kept, read, sent and removed",
      unit: "row",
      operations,
      run: () => {
        commit(keptBatch);
        worker.readWaiting(everything);
        commit(sentBatch);
        commit(removedBatch);
      },
    },
  ]);
} finally {
  worker.close();
  rmSync(folder, { recursive: true });
}
