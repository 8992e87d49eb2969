/**
 * A broker's folder in the hands of a program that puts another database into it. The lock keeps brokers out meanwhile; what
 * was in the folder is set aside, never deleted, and at no moment is there half a database in its place.
 */
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { databaseFileName } from "./database.ts";
import { describeFailure, toError } from "./failure.ts";
import { FolderLock } from "./folder-lock.ts";

export class HeldFolder {
  /** The database of a broker with this folder. */
  readonly file: string;
  readonly #folder: string;
  readonly #lock: FolderLock;

  private constructor(folder: string, lock: FolderLock) {
    this.file = storeFileOf(folder);
    this.#folder = folder;
    this.#lock = lock;
  }

  /** Makes the folder where it is not there. Throws a TstackError: STORAGE_LOCKED while a broker runs with it. */
  static take(folder: string, holder: string): HeldFolder {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return new HeldFolder(folder, FolderLock.take(folder, holder));
    } catch (error) {
      throw toError(describeFailure(error, storeFileOf(folder)), error);
    }
  }

  /** The database keeps its content under another name, which is the answer; undefined where there is none. */
  setAside(name: string): string | undefined {
    if (!existsSync(this.file)) return undefined;
    const aside = `${this.file}.${name}`;
    for (const part of ["", "-wal"]) {
      if (existsSync(this.file + part)) keep(this.file + part, aside + part);
    }
    syncFile(this.#folder);
    // They belong to what was set aside: SQLite would apply them to what comes into its place.
    for (const part of ["-wal", "-shm"]) rmSync(this.file + part, { force: true });
    return aside;
  }

  /** Moves a settled database of the same file system into its place. */
  adopt(file: string): void {
    syncFile(file);
    renameSync(file, this.file);
    syncFile(this.#folder);
  }

  release(): void {
    this.#lock.release();
  }
}

export function storeFileOf(folder: string): string {
  return join(folder, databaseFileName);
}

/** A second name, so that the first is never without its file; a copy where the file system has no second names. */
function keep(file: string, aside: string): void {
  try {
    linkSync(file, aside);
  } catch {
    copyFileSync(file, aside, constants.COPYFILE_EXCL);
    syncFile(aside);
  }
}

/** Of a folder: the names in it. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
