/** What the operating system or SQLite refused, in words. */
import { describeSystemError } from "../client/index.ts";

/** SQLITE_FULL */
const sqliteFull = 13;

/** Undefined for what is neither: a failure that says it itself, or a bug. */
export function describeCause(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error) {
    return error.errcode === sqliteFull ? "no space left on the disk" : error.message;
  }
  return "syscall" in error ? describeSystemError(error) : undefined;
}
