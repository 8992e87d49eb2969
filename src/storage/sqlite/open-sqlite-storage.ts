/**
 * Opens the folder in which everything is kept: makes it if it is missing, locks it, brings the database to the version of
 * this tStack, and looks it through. A damaged database is put aside, for somebody may get more out of it than the broker can,
 * and a new one begun.
 */
import { renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Log, TstackError } from "../../base/index.ts";
import type { Storage } from "../../broker/ports.ts";
import { checkDatabase } from "./damaged-database.ts";
import { databaseFileName, openDatabase, type SqliteDurability } from "./database.ts";
import { describeFailure, isDamage, toError } from "./failure.ts";
import { hasLog, makeFolder, setAside, stampOf, syncFile } from "./folder-files.ts";
import { FolderLock } from "./folder-lock.ts";
import { migrate, readVersion } from "./migrations.ts";
import { SqliteStorage } from "./sqlite-storage.ts";

export interface SqliteStorageOptions {
  readonly folder: string;
  readonly durability: SqliteDurability;
  readonly log: Log;
  /** Who else is told when the folder is in use: "tserve, process 1234 on host x". */
  readonly holder: string;
}

/** Throws a `TstackError` that says why not: STORAGE_LOCKED, STORAGE_VERSION_UNKNOWN, STORAGE_READ_ONLY and others. */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<Storage> {
  const folder = resolve(options.folder);
  const file = join(folder, databaseFileName);
  try {
    makeFolder(folder);
    const lock = FolderLock.take(folder, options.holder);
    try {
      const database = openOrBegin(file, options);
      return new SqliteStorage({ folder, file, lock, database }, options.durability, options.log);
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (error) {
    if (error instanceof TstackError) throw error;
    throw toError(describeFailure(error, file), error);
  }
}

function openOrBegin(file: string, { durability, log }: SqliteStorageOptions): DatabaseSync {
  try {
    return openChecked(file, durability);
  } catch (error) {
    const isDamaged =
      isDamage(error) || (error instanceof TstackError && error.code === "STORAGE_DAMAGED");
    if (!isDamaged) throw error;
    const aside = setAside(file, `damaged-${stampOf(new Date())}`);
    log.error(
      { file, aside, error },
      `${file} is damaged (${error instanceof Error ? error.message : error}): it is kept as ${aside}, and a new, empty one has been begun. If you have a backup, stop the broker and bring it back with "tstack restore FILE".`,
    );
    beginDatabase(file);
    return openChecked(file, durability);
  }
}

function openChecked(file: string, durability: SqliteDurability): DatabaseSync {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found?.size === 0) throw new TstackError("STORAGE_DAMAGED", "the file is empty");
  if (found === undefined) {
    if (hasLog(file)) throw new TstackError("STORAGE_DAMAGED", "only its log is there");
    beginDatabase(file);
  }
  const database = openDatabase(file, durability);
  try {
    if (found !== undefined && readVersion(database) === 0) {
      throw new TstackError("STORAGE_DAMAGED", "nothing of a tStack is in it");
    }
    migrate(database, file);
    if (found !== undefined) checkDatabase(database, file);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Under another name until it is complete: a database that is empty or has no tables is a damaged one. */
function beginDatabase(file: string): void {
  const unfinished = `${file}.new`;
  for (const end of ["", "-wal", "-shm"]) rmSync(`${unfinished}${end}`, { force: true });
  const database = openDatabase(unfinished, "fsync");
  try {
    migrate(database, unfinished);
  } finally {
    database.close();
  }
  renameSync(unfinished, file);
  syncFile(dirname(file));
}
