/**
 * The engine without its thread, which takes longer to start than all the rest: the suite of all engines, and hundreds of random
 * batches, pages and reopenings beside the plain model. The first reopening and every other one finds the files as a process
 * leaves them that is killed.
 */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { QueuePage, Storage, StorageChange } from "../../src/broker/ports.ts";
import { type StorageUnderTest, testStorage } from "../../src/storage/conformance/index.ts";
import { encodeBatch } from "../../src/storage/sqlite/batch-writer.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { decodePage } from "../../src/storage/sqlite/page-form.ts";
import { restoreState } from "../../src/storage/sqlite/restored-state.ts";
import { WorkerDatabase } from "../../src/storage/sqlite/worker-database.ts";
import { checkAgainstModel } from "./storage-model.ts";

function open(folder: string): Storage {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "tstack.db");
  const database = openDatabase(file, "os");
  migrate(database, file);
  const worker = new WorkerDatabase({
    file,
    durability: "os",
    lockFile: `${file}.none`,
    lockIdentity: "",
  });
  return {
    durability: "os",
    location: folder,
    restore: () => restoreState(database, () => database.close()),
    commit: (changes: readonly StorageChange[]) => ({
      trimmed: worker.commit(encodeBatch(changes, new ArrayBuffer(16))),
    }),
    readWaiting: (page: QueuePage) => decodePage(worker.readWaiting(page)),
    readUnderWay: (queue: number) => decodePage(worker.readUnderWay(queue)),
    async close() {
      if (database.isOpen) database.close();
      worker.close();
    },
  };
}

async function openEmpty(): Promise<StorageUnderTest> {
  const root = mkdtempSync(join(tmpdir(), "tstack-sqlite-"));
  let reopenings = 0;
  let storage = open(join(root, "0"));
  return {
    storage,
    async reopen() {
      const folder = join(root, `${++reopenings}`);
      const isKilled = reopenings % 2 === 1;
      if (!isKilled) await storage.close();
      copyFiles(storage.location, folder);
      if (isKilled) await storage.close();
      storage = open(folder);
      return storage;
    },
    async end() {
      await storage.close();
      rmSync(root, { recursive: true });
    },
  };
}

/** As they are: what a process leaves that is killed in that moment. */
function copyFiles(from: string, to: string): void {
  mkdirSync(to);
  for (const name of ["tstack.db", "tstack.db-wal"]) {
    if (existsSync(join(from, name))) copyFileSync(join(from, name), join(to, name));
  }
}

testStorage("sqlite, killed", openEmpty);

test("random batches, pages and reopenings: storage in SQLite answers as the plain model does", async () => {
  await checkAgainstModel(openEmpty, { runs: 300 });
});
