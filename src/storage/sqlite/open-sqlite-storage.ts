/**
 * Opens the folder in which everything is kept: makes it if it is missing, locks it, brings the database to the version of
 * this tStack, and looks it through. A damaged database is put aside for people to look at, and a new one begun.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Log, TstackError } from "../../base/index.ts";
import type { Storage } from "../../broker/ports.ts";
import { checkDatabase, setAside } from "./damaged-database.ts";
import { databaseFileName, openDatabase, type SqliteDurability } from "./database.ts";
import { describeFailure, isDamage, toError } from "./failure.ts";
import { FolderLock } from "./folder-lock.ts";
import { migrate } from "./migrations.ts";
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

/** A folder that is made here is on disk, in the one that holds it, before anything is acknowledged. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  // Each by itself: told to make all of them, Node says "no such file" of a read-only disk.
  mkdirSync(folder, { mode: 0o700 });
  syncFolder(dirname(folder));
}

/** What was made or renamed in it stays so after a power cut. */
function syncFolder(folder: string): void {
  const descriptor = openSync(folder, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openOrBegin(file: string, { durability, log }: SqliteStorageOptions): DatabaseSync {
  try {
    return openChecked(file, durability);
  } catch (error) {
    const isDamaged =
      isDamage(error) || (error instanceof TstackError && error.code === "STORAGE_DAMAGED");
    if (!isDamaged) throw error;
    const aside = setAside(file, new Date());
    log.error(
      { file, aside, error },
      `${file} is damaged (${error instanceof Error ? error.message : error}): it is kept as ${aside}, and a new, empty one has been begun. If you have a backup, stop the broker and bring it back with "tstack restore FILE".`,
    );
    return openChecked(file, durability);
  }
}

function openChecked(file: string, durability: SqliteDurability): DatabaseSync {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) beginDatabase(file);
  if (found?.size === 0) throw new TstackError("STORAGE_DAMAGED", "the file is empty");
  const database = openDatabase(file, durability);
  try {
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
  syncFolder(dirname(file));
}
