/** The files of a broker's folder: made, put aside and put in place so that a crash in between loses none of them. */
import {
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { TstackError } from "../../base/index.ts";

/** A folder that is made here is on disk, in the one that holds it, before anything is acknowledged. */
export function makeFolder(folder: string): void {
  const found = statSync(folder, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) {
    throw new TstackError("STORAGE_OPEN_FAILED", `${folder} is no folder: name one with --data`);
  }
  makeFolder(dirname(folder));
  // Each by itself: told to make all of them, Node says "no such file" of a read-only disk, and below /proc never comes back.
  mkdirSync(folder, { mode: 0o700 });
  syncFile(dirname(folder));
}

/** What is in it is on disk; of a folder, the names in it. */
export function syncFile(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What root makes in the folder of somebody else's broker is that broker's to open. */
export function giveToOwner(file: string, folder: string): void {
  const { uid, gid } = statSync(folder);
  if (statSync(file).uid === 0 && uid !== 0) chownSync(file, uid, gid);
}

/** Is there anything of a database? Its log alone may hold what was acknowledged. */
export function hasDatabase(file: string): boolean {
  return existsSync(file) || hasLog(file);
}

export function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/**
 * Gives a database that nobody uses, and its log, another name as well, which is the answer, so that something else can be
 * moved into its place: until then the name is never without its file.
 */
export function setAside(file: string, name: string): string {
  const aside = `${file}.${name}`;
  for (const part of ["", "-wal"]) {
    if (existsSync(file + part)) keep(file + part, aside + part);
  }
  syncFile(dirname(file));
  // They belong to what was set aside: SQLite would apply them to what comes into its place.
  for (const part of ["-wal", "-shm"]) rmSync(file + part, { force: true });
  return aside;
}

/** A second name; a copy where the file system has no second names. */
function keep(file: string, aside: string): void {
  try {
    linkSync(file, aside);
  } catch {
    copyFileSync(file, aside, constants.COPYFILE_EXCL);
    syncFile(aside);
  }
}

/** Which file it is, whatever it is called; of one that is not there: empty. */
export function identityOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.dev}:${found.ino}`;
}

/** `20261123T101530.123Z`, for names of files. */
export function stampOf(time: Date): string {
  return time.toISOString().replaceAll(/[-:]/g, "");
}
