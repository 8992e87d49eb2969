/**
 * A broker's folder in the hands of a program that puts another database into it. The lock keeps brokers out meanwhile; what
 * was in the folder is set aside, never deleted, and at no moment is there half a database in its place.
 */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { settleStore } from "./backup.ts";
import { databaseFileName } from "./database.ts";
import { describeFailure, toError } from "./failure.ts";
import { giveToOwner, hasDatabase, makeFolder, setAside, syncFile } from "./folder-files.ts";
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
      makeFolder(folder);
      return new HeldFolder(folder, FolderLock.take(folder, holder));
    } catch (error) {
      throw toError(describeFailure(error, storeFileOf(folder)), error);
    }
  }

  /** Whether there is anything that a broker has kept. */
  get isUsed(): boolean {
    return hasDatabase(this.file);
  }

  /** The database keeps its content under another name, which is the answer; undefined where there is none. */
  setAside(name: string): string | undefined {
    if (!this.isUsed) return undefined;
    try {
      // All is in one file then, and stays in its place if this program ends before it has put something else there.
      settleStore(this.file);
    } catch (error) {
      // It is set aside as it is.
      if (describeFailure(error, this.file).code === undefined) throw error;
    }
    return setAside(this.file, name);
  }

  /** Moves a settled database of the same file system into its place. */
  adopt(file: string): void {
    giveToOwner(file, this.#folder);
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
