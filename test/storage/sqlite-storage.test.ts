/** The engine beside the plain model, with random batches, and after ends of which it was not told. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLog } from "../../src/base/index.ts";
import type { Storage } from "../../src/broker/ports.ts";
import { type StorageUnderTest, testStorage } from "../../src/storage/conformance/index.ts";
import { openSqliteStorage } from "../../src/storage/index.ts";
import { checkAgainstModel } from "./storage-model.ts";

function open(folder: string): Promise<Storage> {
  return openSqliteStorage({ folder, durability: "os", log: silentLog, holder: "a test" });
}

/** Opens what stands in the files when all is answered, as after SIGKILL, while the engine before still runs. */
async function openCrashing(): Promise<StorageUnderTest> {
  const root = mkdtempSync(join(tmpdir(), "tstack-sqlite-"));
  const opened: Storage[] = [];
  const openNext = async (folder: string) => {
    const storage = await open(folder);
    opened.push(storage);
    return storage;
  };
  const folderOf = (count: number) => join(root, `${count}`);
  return {
    storage: await openNext(folderOf(0)),
    async reopen() {
      // Answers come in order: then it has nothing under way.
      await opened[opened.length - 1].readUnderWay(1);
      const [before, next] = [folderOf(opened.length - 1), folderOf(opened.length)];
      mkdirSync(next);
      for (const end of ["", "-wal"]) {
        const file = join(before, `tstack.db${end}`);
        if (existsSync(file)) copyFileSync(file, join(next, `tstack.db${end}`));
      }
      return openNext(next);
    },
    async end() {
      for (const storage of opened) await storage.close();
      rmSync(root, { recursive: true });
    },
  };
}

testStorage("sqlite, whose process was killed", openCrashing);

test("random batches, pages and reopenings: storage in SQLite answers as the plain model does", async () => {
  await checkAgainstModel(openCrashing, { runs: 25 });
});
