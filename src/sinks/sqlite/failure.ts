/** What went wrong with the file, in words that say what to do. */
import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { TstackError } from "../../base/index.ts";

/** Plain data: it comes from the worker. */
export interface Failure {
  readonly message: string;
  /** The world, and no bug: trying again may help. */
  readonly isOfWorld: boolean;
}

/** Result codes of SQLite (https://www.sqlite.org/rescode.html), the lowest byte of `errcode`. */
const ResultCode = {
  permission: 3,
  busy: 5,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
} as const;

export function describeFailure(error: unknown, file: string): Failure {
  if (error instanceof TstackError) return { message: error.message, isOfWorld: true };
  if (!(error instanceof Error)) return { message: String(error), isOfWorld: false };
  if ("errcode" in error) {
    return { message: describeDatabaseError(error, Number(error.errcode), file), isOfWorld: true };
  }
  return { message: `${file}: ${error.message}`, isOfWorld: "syscall" in error };
}

export function isNoDatabase(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === ResultCode.notDatabase;
}

function describeDatabaseError(error: Error, errcode: number, file: string): string {
  switch (errcode & 0xff) {
    case ResultCode.full:
      return describeFull(file);
    case ResultCode.readOnly:
    case ResultCode.permission:
      return `${file} may not be written (${error.message}): give this user the right to, or name another file with --sqlite-file`;
    case ResultCode.corrupt:
    case ResultCode.notDatabase:
      return `${file} is damaged or no database (${error.message}): put it aside, and a new one is made; "sqlite3 FILE .recover" saves what can be read. The disk may be failing`;
    case ResultCode.busy:
      return `${file} is held by another program (${error.message}): end what writes to it, sqlite3 for example`;
    case ResultCode.cannotOpen:
    case ResultCode.inputOutput:
      return describeAccess(error, file);
    default:
      return `${file}: ${error.message}`;
  }
}

/** SQLite says only that the operating system refused: why is found out here. */
function describeAccess(error: Error, file: string): string {
  const folder = dirname(file);
  try {
    if (existsSync(file)) accessSync(file, constants.R_OK | constants.W_OK);
  } catch (cause) {
    return `${file} may not be read and written (${reasonOf(cause)}): give this user the right to, or name another file with --sqlite-file`;
  }
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { blocks, bavail } = statfsSync(folder);
    // What is no disk, as /proc, has no blocks at all.
    if (blocks > 0 && bavail === 0) return describeFull(file);
  } catch (cause) {
    return `the folder of ${file} cannot be used: ${reasonOf(cause)}`;
  }
  return `the operating system refused ${file} (${error.message}): see whether the disk works and who may use the file`;
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function describeFull(file: string): string {
  return `the disk that holds ${file} is full: free some space; then it goes on by itself`;
}
