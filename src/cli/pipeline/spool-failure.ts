/** Why a spool cannot be read or written, for people: what happened, where, what to do. */
import { TstackError } from "../../base/index.ts";

/** Result codes of SQLite (https://www.sqlite.org/rescode.html), the lowest byte of `errcode`. */
const ResultCode = {
  readOnly: 8,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notDatabase: 26,
} as const;

/** What says so itself, and bugs, stay as they are. */
export function toSpoolError(error: unknown, file: string, destination: string): unknown {
  if (!(error instanceof Error) || !("errcode" in error || "syscall" in error)) return error;
  return new TstackError("SPOOL_FAILED", describe(error, file, destination), { cause: error });
}

function describe(error: Error, file: string, destination: string): string {
  const where = `the spool ${file} of what waits for ${destination}`;
  switch ("errcode" in error ? Number(error.errcode) & 0xff : 0) {
    case ResultCode.full:
      return `${where} cannot be written, the disk is full: free some space`;
    case ResultCode.readOnly:
    case ResultCode.cannotOpen:
      return `${where} cannot be written (${error.message}): give this user the right to`;
    case ResultCode.corrupt:
    case ResultCode.notDatabase:
      return `${where} is damaged (${error.message}). It holds messages that the broker has no more: "sqlite3 ${file} .recover" may save some. Move it away to go on without them`;
    default:
      return `${where} cannot be used: ${error.message}`;
  }
}
