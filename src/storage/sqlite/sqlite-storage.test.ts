/** The engine against the suite of all engines. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../base/index.ts";
import { testRecordStore, testStorage } from "../conformance/index.ts";
import { openSqliteStorage, type SqliteDurability } from "./index.ts";

async function openEmpty(durability: SqliteDurability) {
  const folder = await mkdtemp(join(tmpdir(), "tstack-sqlite-"));
  const open = () => openSqliteStorage({ folder, durability, log: silentLog, holder: "a test" });
  let storage = await open();
  return {
    storage,
    async reopen() {
      await storage.close();
      storage = await open();
      return storage;
    },
    async end() {
      await storage.close();
      await rm(folder, { recursive: true });
    },
  };
}

testStorage("sqlite", () => openEmpty("fsync"));

testRecordStore("sqlite", async () => {
  const { storage, ...rest } = await openEmpty("fsync");
  return { records: storage, ...rest };
});
