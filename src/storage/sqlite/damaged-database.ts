/** Finds out whether a database can be trusted: each check throws STORAGE_DAMAGED, or what SQLite says, when it cannot. */
import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";

/** Beyond, messages are not looked at when the broker starts, only when they are read: it would take many seconds. */
const wholeCheckBytesMax = 1_073_741_824;
const tablesWithoutMessages = [
  "session",
  "subscription",
  "received",
  "shared",
  "row",
  "retained",
  "record",
];

/** What a broker needs. */
export function checkDatabase(database: DatabaseSync, file: string): void {
  const isSmall = statSync(file).size <= wholeCheckBytesMax;
  for (const argument of isSmall ? ["1"] : tablesWithoutMessages) check(database, argument);
}

/** What somebody needs who is after the records alone. */
export function checkRecords(database: DatabaseSync): void {
  check(database, "record");
}

/** `argument`: a table, or "1" for all of them. */
function check(database: DatabaseSync, argument: string): void {
  const row = database.prepare(`pragma quick_check(${argument})`).get();
  const found = String(row?.quick_check);
  if (found !== "ok") throw new TstackError("STORAGE_DAMAGED", found);
}
