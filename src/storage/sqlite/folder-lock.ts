/**
 * Keeps two brokers, or two consumers, from one folder. `tstack.lock` is a small SQLite file: its row says who holds it, and a transaction that
 * is never committed is the lock, which the operating system takes back when the process ends, however it ends. Others may
 * still read the row.
 */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import { describeFailure, isBusy, isDamage, toError } from "./failure.ts";
import { giveToOwner, identityOf } from "./folder-files.ts";

const lockFileName = "tstack.lock";
const attemptsMax = 10;

export class FolderLock {
  readonly file: string;
  /** While the file is another one, or gone, others may have the folder too. */
  readonly identity: string;
  readonly #database: DatabaseSync;

  private constructor(file: string, database: DatabaseSync) {
    this.file = file;
    this.identity = identityOf(file);
    this.#database = database;
  }

  /**
   * Throws STORAGE_LOCKED when somebody else holds it.
   * @param user what kind of program works with the folder, for people
   */
  static take(folder: string, holder: string, user = "broker"): FolderLock {
    const file = join(folder, lockFileName);
    const database = open(file);
    try {
      chmodSync(file, 0o600);
      giveToOwner(file, folder);
      hold(database, holder);
    } catch (cause) {
      const who = isBusy(cause) ? readHolder(database, user) : `another ${user}`;
      database.close();
      if (isDamage(cause)) throw damagedError(file, user, cause);
      if (isBusy(cause)) throw lockedError({ folder, who, user }, cause);
      throw toError(describeFailure(cause, file), cause);
    }
    return new FolderLock(file, database);
  }

  release(): void {
    this.#database.close();
  }
}

function open(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (cause) {
    throw toError(describeFailure(cause, file), cause);
  }
}

/** Between the row's commit and the transaction that is the lock another may come: then its row stands there. */
function hold(database: DatabaseSync, holder: string): void {
  const since = new Date().toISOString();
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    database.exec("begin immediate");
    const row = database.prepare("select count(*) as tables from sqlite_schema").get();
    if (row?.tables === 0) database.exec("create table holder (name text, since text)");
    database.exec("delete from holder");
    database.prepare("insert into holder values (?, ?)").run(holder, since);
    database.exec("commit");
    database.exec("begin immediate");
    const written = database.prepare("select name, since from holder").get();
    if (written?.name === holder && written.since === since) return;
    database.exec("rollback");
  }
  throw new Error("assertion failed: the lock comes to rest (this is a bug in tStack)");
}

function readHolder(database: DatabaseSync, user: string): string {
  try {
    const row = database.prepare("select name, since from holder").get();
    return row === undefined ? `another ${user}` : `${row.name} since ${row.since}`;
  } catch (error) {
    // In the moment in which the other writes its row.
    if (!isBusy(error)) throw error;
    return `another ${user}`;
  }
}

function lockedError(
  { folder, who, user }: { readonly folder: string; readonly who: string; readonly user: string },
  cause: unknown,
): TstackError {
  return new TstackError(
    "STORAGE_LOCKED",
    `the folder ${folder} is in use by ${who}: stop it, or give this ${user} a folder of its own with --data`,
    { cause },
  );
}

function damagedError(file: string, user: string, cause: unknown): TstackError {
  return new TstackError(
    "STORAGE_DAMAGED",
    `${file} is not what tStack wrote: delete it when no ${user} uses the folder. It only says who does.`,
    { cause },
  );
}
