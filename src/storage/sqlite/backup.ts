/**
 * The whole of a store as one moment knows it, read from beside a running broker or out of a backup, which is such a
 * database by itself. Reading holds up nobody: the broker goes on writing meanwhile.
 */
import { accessSync, constants } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { TstackError } from "../../base/index.ts";
import { busyMilliseconds } from "./database.ts";
import { describeFailure, isDamage, toError } from "./failure.ts";
import { readContent, type StoreContent } from "./lines.ts";
import { migrations, readVersion } from "./migrations.ts";

/** How much there is, for people. */
export interface StoreSize {
  readonly sessions: number;
  readonly subscriptions: number;
  /** Places in queues: a message that waits for two sessions counts twice. */
  readonly queued: number;
  readonly retained: number;
  /** Users, roles and their like. */
  readonly records: number;
}

/** More pages than any database has: all are copied in one step, which other writers cannot make begin anew. */
const allPages = 2_147_483_647;

export interface StoreReader {
  readonly file: string;
  /** Can be asked for once. Throws a TstackError STORAGE_VERSION_UNKNOWN for one of an older tStack. */
  readContent(): StoreContent;
  measure(): StoreSize;
  /** Writes a copy that is one file and nothing else, and checks it. `target` must be empty or not there. */
  copyTo(target: string): Promise<void>;
  close(): void;
}

/** @throws TstackError STORAGE_DAMAGED, STORAGE_VERSION_UNKNOWN: `file` is no store that this tStack knows */
export function openStoreReader(file: string): StoreReader {
  const database = openExisting(file);
  try {
    database.exec("pragma query_only = on; begin");
    checkForm(database, file);
  } catch (error) {
    database.close();
    throw explain(error, file);
  }
  return {
    file,
    readContent() {
      checkVersion(database, file);
      return readContent(database);
    },
    measure: () => measure(database),
    async copyTo(target) {
      await backup(database, target, { rate: allPages });
      settleStore(target, file);
    },
    close: () => database.close(),
  };
}

/**
 * Checks a database that nobody uses, and leaves it without the files that SQLite keeps beside one in use. Damage is that of
 * `name`, of which it is a copy.
 */
export function settleStore(file: string, name = file): void {
  const database = openExisting(file);
  try {
    database.exec("pragma journal_mode = delete");
    const [{ quick_check: verdict }] = database.prepare("pragma quick_check(1)").all();
    if (verdict !== "ok") throw damaged(name, String(verdict).replaceAll("\n", " "));
  } catch (error) {
    throw isDamage(error) ? explain(error, name) : error;
  } finally {
    database.close();
  }
}

/** SQLite would make one that is not there, and does not say why it cannot read one. */
function openExisting(file: string): DatabaseSync {
  try {
    accessSync(file, constants.R_OK);
  } catch (cause) {
    throw unreadable(file, cause as NodeJS.ErrnoException);
  }
  const url = pathToFileURL(file);
  url.search = "mode=rw";
  try {
    return new DatabaseSync(url, { timeout: busyMilliseconds });
  } catch (error) {
    throw explain(error, file);
  }
}

function checkForm(database: DatabaseSync, file: string): void {
  const version = readVersion(database);
  const [{ count }] = database
    .prepare(
      "select count(*) as count from sqlite_schema where name in ('session', 'message', 'row', 'retained')",
    )
    .all();
  if (version === 0 || count !== 4) throw damaged(file, "it is no store of tstack");
  if (version <= migrations.length) return;
  throw new TstackError(
    "STORAGE_VERSION_UNKNOWN",
    `${file} is of version ${version}: a newer tStack has written it, use that one`,
  );
}

/** An older form can be copied, and tserve brings it to its own when it starts; it is not read as if it were that. */
function checkVersion(database: DatabaseSync, file: string): void {
  if (readVersion(database) === migrations.length) return;
  throw new TstackError(
    "STORAGE_VERSION_UNKNOWN",
    `${file} was written by an older tStack: let tserve of this version start with it once`,
  );
}

function measure(database: DatabaseSync): StoreSize {
  const count = (table: string) => {
    const [row] = database.prepare(`select count(*) as count from ${table}`).all();
    return Number(row.count);
  };
  return {
    sessions: count("session"),
    subscriptions: count("subscription"),
    queued: count("row where message > 0"),
    retained: count("retained"),
    // What the broker keeps for itself is nobody's to look for.
    records: readVersion(database) === 1 ? 0 : count("record where kind <> 'secret'"),
  };
}

/** Not as the broker would say it, which puts a damaged database aside and begins a new one. */
function explain(error: unknown, file: string): Error {
  if (isDamage(error) && error instanceof Error) return damaged(file, error.message, error);
  return toError(describeFailure(error, file), error);
}

function unreadable(file: string, cause: NodeJS.ErrnoException): TstackError {
  const what = cause.code === "ENOENT" ? "no such file" : `it cannot be read (${cause.message})`;
  return new TstackError("STORAGE_OPEN_FAILED", `${file}: ${what}`, { cause });
}

function damaged(file: string, what: string, cause?: unknown): TstackError {
  return new TstackError("STORAGE_DAMAGED", `${file} cannot be used: ${what}`, { cause });
}
