/**
 * Opens `tstack.db` as both threads use it: a write-ahead log, and a commit as safe as the durability says. The page cache
 * is bounded and nothing is mapped into memory: a file that somebody cuts off must not end the process.
 */
import { chmodSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

export const databaseFileName = "tstack.db";

/** `fsync` survives a power cut, `os` the end of the process. */
export type SqliteDurability = "fsync" | "os";

const cacheKilobytes = 32_768;
/** How long another program, sqlite3 for example, may hold the file. */
export const busyMilliseconds = 5000;
/** What the log is cut to when it begins anew. */
const logBytesMax = 67_108_864;

/** Makes the file if it is not there. What SQLite puts beside it gets the same mode. */
export function openDatabase(file: string, durability: SqliteDurability): DatabaseSync {
  const database = new DatabaseSync(file, { timeout: busyMilliseconds });
  try {
    chmodSync(file, 0o600);
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = ${durability === "fsync" ? "full" : "normal"};
      pragma cache_size = -${cacheKilobytes};
      pragma mmap_size = 0;
      pragma journal_size_limit = ${logBytesMax};
      pragma wal_autocheckpoint = 0;`);
  } catch (cause) {
    database.close();
    throw cause;
  }
  return database;
}
