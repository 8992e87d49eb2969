/**
 * Opens the folder in which everything is kept: locks it, brings the database to the version of this tStack, and looks it
 * through. For a broker the folder is made if it is missing, and a damaged database is put aside, for somebody may get more
 * out of it than the broker can, and a new one begun.
 */
import { renameSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Log, silentLog, TstackError } from "../../base/index.ts";
import type { RecordStore, Storage } from "../../broker/ports.ts";
import { checkDatabase, checkRecords } from "./damaged-database.ts";
import { databaseFileName, openDatabase, type SqliteDurability } from "./database.ts";
import { describeFailure, isDamage, toError } from "./failure.ts";
import { giveToOwner, hasLog, makeFolder, setAside, stampOf, syncFile } from "./folder-files.ts";
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
export async function openSqliteStorage(
  options: SqliteStorageOptions,
): Promise<Storage & RecordStore> {
  return explained(options, () => {
    makeFolder(resolve(options.folder));
    return openLocked(options, (file) => openOrBegin(file, options));
  });
}

/**
 * The records of a stopped broker's folder, without anything else of it: no broker starts with the folder until they are closed.
 * A folder that is not there or a damaged database is refused; in an empty folder a database is begun.
 */
export async function openRecords(
  folder: string,
  holder: string,
): Promise<RecordStore & { close(): Promise<void> }> {
  const options = { folder, holder, durability: "fsync", log: silentLog } as const;
  return explained(options, () => {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      const message = `there is no folder ${resolve(folder)}: name that of a broker with --data (tserve says it when it starts)`;
      throw new TstackError("STORAGE_OPEN_FAILED", message);
    }
    return openLocked(options, (file) => {
      try {
        return openChecked(file, { durability: "fsync", check: checkRecords });
      } catch (cause) {
        if (!hasDamage(cause)) throw cause;
        throw damagedError(file, cause as Error);
      }
    });
  });
}

function explained<Opened>({ folder }: SqliteStorageOptions, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    if (error instanceof TstackError) throw error;
    const file = join(resolve(folder), databaseFileName);
    throw toError(describeFailure(error, file), error);
  }
}

function openLocked(
  { folder: path, holder, durability, log }: SqliteStorageOptions,
  open: (file: string) => DatabaseSync,
): SqliteStorage {
  const folder = resolve(path);
  const file = join(folder, databaseFileName);
  const lock = FolderLock.take(folder, holder);
  try {
    return new SqliteStorage({ folder, file, lock, database: open(file) }, durability, log);
  } catch (error) {
    lock.release();
    throw error;
  }
}

function openOrBegin(file: string, { durability, log }: SqliteStorageOptions): DatabaseSync {
  const whole = { durability, check: checkDatabase };
  try {
    return openChecked(file, whole);
  } catch (error) {
    if (!hasDamage(error)) throw error;
    const aside = setAside(file, `damaged-${stampOf(new Date())}`);
    log.error(
      { file, aside, error },
      `${file} is damaged (${error instanceof Error ? error.message : error}): it is kept as ${aside}, and a new, empty one has been begun. If you have a backup, stop the broker and bring it back with "tstack restore FILE".`,
    );
    beginDatabase(file);
    return openChecked(file, whole);
  }
}

function hasDamage(error: unknown): boolean {
  return isDamage(error) || (error instanceof TstackError && error.code === "STORAGE_DAMAGED");
}

function damagedError(file: string, cause: Error): TstackError {
  const message = `${file} is damaged (${cause.message}): start tserve with the folder, which puts the file aside if it must, and says so`;
  return new TstackError("STORAGE_DAMAGED", message, { cause });
}

interface Opening {
  readonly durability: SqliteDurability;
  /** Throws for a database that cannot be trusted. */
  readonly check: (database: DatabaseSync, file: string) => void;
}

function openChecked(file: string, { durability, check }: Opening): DatabaseSync {
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
    if (found !== undefined) check(database, file);
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
  giveToOwner(unfinished, dirname(file));
  renameSync(unfinished, file);
  syncFile(dirname(file));
}
