/**
 * The file as the worker writes it: a batch is one transaction, committed with fsync. After any failure the file is
 * closed, and opened anew for the next batch: whatever was wrong with it may have been mended.
 */
import { statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type EncodedBatch, rowWidth } from "./batch.ts";
import type { SeriesRow } from "./format.ts";
import { createForm, hasForm, toSeconds, wrongFile } from "./schema.ts";
import type { SqliteSettings } from "./settings.ts";

/** How long another program may hold the file: meanwhile the batch waits. */
const busyMilliseconds = 1000;
const cacheKilobytes = 32_768;
/** Pages of the log when they are taken into the file: many batches change the same pages, which are written once then. */
const checkpointPages = 16_000;
/** What the log is cut to when it begins anew, after a reader has kept it from that. */
const logBytesMax = 67_108_864;
/** Old readings that go with a batch: more than come with it, and never so many that it is noticed. */
const removalRowsMin = 1000;
const falseAndTrue = [0n, 1n] as const;

interface OpenFile {
  readonly database: DatabaseSync;
  readonly statements: Statements;
  /** What must still be what it was before a commit: SQLite would write to files that nobody finds again. */
  readonly identities: readonly (readonly [file: string, identity: string])[];
}

export class ReadingsWriter {
  readonly #settings: SqliteSettings;
  readonly #now: () => number;
  /** By the number that the sink has given them. */
  #series: SeriesRow[] = [];
  /** In the file, by the same number; 0 where it has not been asked for. */
  #ids: number[] = [];
  /** Changes when another program has written: it may have deleted series. */
  #dataVersion = -1;
  #open: OpenFile | undefined;

  /** @param now milliseconds since 1970 */
  constructor(settings: SqliteSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  write(batch: EncodedBatch): void {
    if (batch.isFresh) {
      this.#series = [];
      this.#ids = [];
    }
    for (const row of batch.series) this.#series.push(row);
    for (const _ of batch.series) this.#ids.push(0);
    try {
      this.#open ??= openFile(this.#settings.file);
      this.#write(this.#open, batch);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The last to close takes the log into the file. */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    this.#ids.fill(0);
    this.#dataVersion = -1;
    open?.database.close();
  }

  #write({ statements, identities }: OpenFile, batch: EncodedBatch): void {
    statements.begin.run();
    const { data_version: dataVersion } = statements.dataVersion.get() as { data_version: number };
    if (dataVersion !== this.#dataVersion) this.#ids.fill(0);
    this.#dataVersion = dataVersion;
    this.#insert(statements, batch);
    this.#removeOld(statements, batch.rows.length / rowWidth);
    checkIdentities(identities);
    statements.commit.run();
  }

  #insert(statements: Statements, { rows, texts }: EncodedBatch): void {
    const { insert } = statements;
    for (let at = 0; at < rows.length; at += rowWidth) {
      const number = rows[at];
      const id = this.#ids[number] || this.#findSeries(statements, number);
      const value = rows[at + 2];
      const { type } = this.#series[number];
      if (type === "number") insert.run(id, rows[at + 1], value);
      else insert.run(id, rows[at + 1], type === "string" ? texts[value] : falseAndTrue[value]);
    }
  }

  #findSeries({ findSeries, addSeries, setUnit }: Statements, number: number): number {
    const { topic, name, field, tags, type, unit } = this.#series[number];
    const key = [topic, name, field, tags, type] as const;
    const found = findSeries.get(...key) as { id: number; unit: string | null } | undefined;
    const id = found?.id ?? Number(addSeries.run(...key, unit).lastInsertRowid);
    if (found !== undefined && found.unit !== unit) setUnit.run(unit, id);
    this.#ids[number] = id;
    return id;
  }

  /** A portion of what is too old, and the series of which nothing is left. */
  #removeOld({ removeOld, removeSeries }: Statements, rowCount: number): void {
    const { retentionSeconds } = this.#settings;
    if (retentionSeconds === undefined) return;
    const oldest = toSeconds(this.#now() * 1000) - retentionSeconds;
    const removed = removeOld.all(oldest, Math.max(2 * rowCount, removalRowsMin));
    let hasRemoved = false;
    for (const id of new Set(removed.map(({ series }) => series))) {
      if (removeSeries.run(id).changes > 0) hasRemoved = true;
    }
    if (hasRemoved) this.#ids.fill(0);
  }
}

interface Statements {
  readonly begin: StatementSync;
  readonly commit: StatementSync;
  readonly dataVersion: StatementSync;
  readonly insert: StatementSync;
  readonly findSeries: StatementSync;
  readonly addSeries: StatementSync;
  readonly setUnit: StatementSync;
  readonly removeOld: StatementSync;
  readonly removeSeries: StatementSync;
}

function openFile(file: string): OpenFile {
  const database = new DatabaseSync(file, { timeout: busyMilliseconds });
  try {
    // Before anything is written: it may be the file of another program.
    hasForm(database, file);
    database.exec(`
      pragma journal_mode = wal;
      pragma synchronous = full;
      pragma cache_size = -${cacheKilobytes};
      pragma wal_autocheckpoint = ${checkpointPages};
      pragma journal_size_limit = ${logBytesMax};
      begin immediate;`);
    createForm(database, file);
    database.exec("commit");
    const files = [file, `${file}-wal`];
    return {
      database,
      statements: prepareStatements(database),
      identities: files.map((each) => [each, identityOf(each)]),
    };
  } catch (cause) {
    database.close();
    throw cause;
  }
}

function prepareStatements(database: DatabaseSync): Statements {
  return {
    begin: database.prepare("begin immediate"),
    commit: database.prepare("commit"),
    dataVersion: database.prepare("pragma data_version"),
    insert: database.prepare("insert or ignore into data (series, time, value) values (?, ?, ?)"),
    findSeries: database.prepare(
      "select id, unit from series where topic = ? and name = ? and field = ? and tags = ? and type = ?",
    ),
    addSeries: database.prepare(
      "insert into series (topic, name, field, tags, type, unit) values (?, ?, ?, ?, ?, ?)",
    ),
    setUnit: database.prepare("update series set unit = ? where id = ?"),
    removeOld: database.prepare(`
      delete from data where (series, time, value) in (
        select series, time, value from data where time < ? order by time limit ?
      ) returning series`),
    removeSeries: database.prepare(`
      delete from series
      where id = ?1 and not exists (select 1 from data where series = ?1)`),
  };
}

function checkIdentities(identities: OpenFile["identities"]): void {
  for (const [file, identity] of identities) {
    if (identityOf(file) === identity) continue;
    throw wrongFile(`${file} has vanished or was replaced: what comes now goes into a new file`);
  }
}

/** Empty where there is no such file. */
function identityOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? "" : `${stats.dev}:${stats.ino}`;
}
