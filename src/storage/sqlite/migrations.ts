/**
 * Brings a database to the version that this tStack works with: `pragma user_version` says which one it is, and each step
 * leads from one version to the next, all of it or nothing. There is no way back.
 */
import type { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import { firstSchema, userSchema } from "./schema.ts";

/** The step at index n leads from version n to n + 1. What is released is never changed: a change is one more step. */
export const migrations: readonly string[] = [firstSchema, userSchema];

export function migrate(database: DatabaseSync, file: string, steps = migrations): void {
  const version = readVersion(database);
  if (version > steps.length) {
    throw new TstackError(
      "STORAGE_VERSION_UNKNOWN",
      `${file} is of version ${version}, and this tStack knows versions up to ${steps.length}: a newer tStack has written it. Use that one, or another folder.`,
    );
  }
  for (let next = version; next < steps.length; next++) {
    database.exec("begin immediate");
    try {
      database.exec(steps[next]);
      database.exec(`pragma user_version = ${next + 1}`);
      database.exec("commit");
    } catch (cause) {
      if (database.isTransaction) database.exec("rollback");
      throw cause;
    }
  }
}

export function readVersion(database: DatabaseSync): number {
  const row = database.prepare("pragma user_version").get();
  return Number(row?.user_version);
}
