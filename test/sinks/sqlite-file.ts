/** What the tests of SQLite as a sink share: the file as SQLite itself reads it, without anything of ours. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import type { Sink } from "../../src/sinks/index.ts";
import { sqliteSink } from "../../src/sinks/sqlite/index.ts";

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

/** A folder that goes with the test. */
export function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tstack-sqlite-sink-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Closed when the test ends, unless it was before. */
export async function openSink(
  context: TestContext,
  file: string,
  values: Readonly<Record<string, string>> = {},
): Promise<Sink> {
  const configured = await sqliteSink.configure({ "sqlite-file": file, ...values });
  const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
  context.after(() => sink.close());
  return sink;
}
