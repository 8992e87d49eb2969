/** What went wrong with the database, said so that whoever reads it knows what happened, where, and what to do. */
import { accessSync, constants, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { type ErrorCode, TstackError } from "../../base/index.ts";

/** Plain data: it comes from the worker as well. Without a code it is a bug. */
export interface Failure {
  readonly code: ErrorCode | undefined;
  readonly message: string;
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

/** The extended code of a file that was moved or deleted. */
const databaseMoved = 1032;

export function toError({ code, message }: Failure, cause?: unknown): Error {
  return code === undefined
    ? new Error(message, { cause })
    : new TstackError(code, message, { cause });
}

/** The file has what no SQLite file has: another one may stand in its place. */
export function isDamage(error: unknown): boolean {
  const code = resultCodeOf(error);
  return code === ResultCode.corrupt || code === ResultCode.notDatabase;
}

export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === ResultCode.busy;
}

export function describeFailure(error: unknown, file: string): Failure {
  if (error instanceof TstackError) return { code: error.code, message: error.message };
  if (!(error instanceof Error)) return { code: undefined, message: String(error) };
  if ("errcode" in error) return describeDatabaseError(error, file);
  if (isSystemError(error)) return describeSystemError(error, file);
  return { code: undefined, message: error.message };
}

function describeDatabaseError(error: Error, file: string): Failure {
  const folder = dirname(file);
  if (extendedCodeOf(error) === databaseMoved) return goneFailure(file);
  switch (resultCodeOf(error)) {
    case ResultCode.full:
      return fullFailure(folder);
    case ResultCode.readOnly:
    case ResultCode.permission:
      return readOnlyFailure(file, error.message);
    case ResultCode.corrupt:
    case ResultCode.notDatabase:
      return {
        code: "STORAGE_DAMAGED",
        message: `${file} is damaged (${error.message}). Start the broker again: it looks the file through, puts it aside if it must, and says so. The disk may be failing.`,
      };
    case ResultCode.busy:
      return {
        code: "STORAGE_FAILED",
        message: `${file} is held by another program (${error.message}): end what writes to it, sqlite3 for example.`,
      };
    case ResultCode.cannotOpen:
    case ResultCode.inputOutput:
      return describeAccess(error, file);
    default:
      return { code: "STORAGE_FAILED", message: `${file}: ${error.message}` };
  }
}

/** SQLite says only that the operating system refused: why is found out here. */
function describeAccess(error: Error, file: string): Failure {
  const folder = dirname(file);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    const { blocks, bavail } = statfsSync(folder);
    // What is no disk, as /proc, has no blocks at all.
    if (blocks > 0 && bavail === 0) return fullFailure(folder);
  } catch (cause) {
    return describeFailure(cause, file);
  }
  const code =
    resultCodeOf(error) === ResultCode.cannotOpen ? "STORAGE_OPEN_FAILED" : "STORAGE_FAILED";
  return {
    code,
    message: `the operating system refused ${file} (${error.message}): see whether the disk works and who may use the file.`,
  };
}

function isSystemError(error: Error): error is NodeJS.ErrnoException {
  return "syscall" in error;
}

function describeSystemError(error: NodeJS.ErrnoException, file: string): Failure {
  const folder = dirname(file);
  switch (error.code) {
    case "ENOSPC":
    case "EDQUOT":
      return fullFailure(folder);
    case "EROFS":
    case "EACCES":
    case "EPERM":
      return readOnlyFailure(error.path ?? folder, error.message);
    default:
      // A folder that cannot be made has never been there.
      if (error.code === "ENOENT" && error.syscall !== "mkdir") return goneFailure(file);
      return {
        code: "STORAGE_OPEN_FAILED",
        message: `${folder} cannot be used (${error.message}): choose another folder with --data.`,
      };
  }
}

function fullFailure(folder: string): Failure {
  return {
    code: "STORAGE_FULL",
    message: `the disk that holds ${folder} is full: free some space. Until then nothing new is kept, and nothing acknowledged is lost.`,
  };
}

function readOnlyFailure(path: string, why: string): Failure {
  return {
    code: "STORAGE_READ_ONLY",
    message: `${path} may not be written (${why}): give the broker's user the right to, or another folder with --data.`,
  };
}

export function goneFailure(file: string): Failure {
  return {
    code: "STORAGE_GONE",
    message: `${file} has vanished or was replaced while the broker was running: put it back, or start the broker again.`,
  };
}

function resultCodeOf(error: unknown): number {
  return extendedCodeOf(error) & 0xff;
}

/** 0 for what does not come from SQLite. */
function extendedCodeOf(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error)) return 0;
  return Number(error.errcode);
}
