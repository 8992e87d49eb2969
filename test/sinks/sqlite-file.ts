/** What the tests of SQLite as a sink share: the file as SQLite itself reads it, without anything of ours. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";

type StoredRow = [string, string, string, string, string, number, number | string];

/** Every reading in the file; none where there is no file or nothing in it. */
export function readRows(file: string): StoredValue[] {
  return query(
    file,
    `select topic, name, tags, type, field, time, value
     from data join series on series.id = data.series`,
  ).map((row) => {
    const [topic, name, tags, type, field, time, value] = row as StoredRow;
    const series = JSON.stringify([topic, name, tags]);
    const stored = type === "boolean" ? value === 1 : value;
    return { series, field, time: Math.round(time * 1e6), value: stored };
  });
}

/** Rows as lists; none where the file has no readings yet. */
export function query(file: string, statement: string): unknown[][] {
  if (!existsSync(file)) return [];
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    if (database.prepare("select 1 from sqlite_schema").get() === undefined) return [];
    const prepared = database.prepare(statement);
    prepared.setReturnArrays(true);
    return prepared.all() as unknown as unknown[][];
  } finally {
    database.close();
  }
}
