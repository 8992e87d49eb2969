/**
 * The file as it is read: by `tconsume query`, while a consumer writes to it. It is read in pages, so that a reader
 * that takes its time does not keep SQLite's log from being cut; readings that come meanwhile may be among them.
 */
import { existsSync } from "node:fs";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import { type FieldValue, valueField } from "../../readings/index.ts";
import { describeFailure, isNoDatabase } from "./failure.ts";
import { hasForm, toMicroseconds, toSeconds, type ValueType, wrongFile } from "./schema.ts";

export interface StoredSeries {
  readonly id: number;
  readonly topic: string;
  readonly name: string;
  readonly field: string;
  /** Names and values, in the order of the names. */
  readonly tags: Readonly<Record<string, string>>;
  readonly type: ValueType;
  readonly unit: string | undefined;
}

export interface StoredReading {
  /** Microseconds since 1970. */
  readonly time: number;
  readonly value: FieldValue;
}

/** Microseconds since 1970: from `since` on, and before `until`. */
export interface TimeRange {
  readonly since: number;
  readonly until: number;
}

export interface SeriesExtent {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

export const aggregates = ["mean", "min", "max", "last", "sum", "count"] as const;
export type Aggregate = (typeof aggregates)[number];

/** Intervals in microseconds: they begin at whole multiples of `every`, less `offset`. */
export interface Intervals {
  readonly every: number;
  readonly offset: number;
  readonly aggregate: Aggregate;
}

/** A row of `data`, as SQLite has it. */
type Row = readonly [time: number, value: number | string];

/** How readings are read one after the other. */
export interface ReadingOrder {
  readonly isDescending: boolean;
  /** Rows that are read at once: as many are in memory. */
  readonly pageRows: number;
}

const busyMilliseconds = 5000;

const aggregateFunctions = {
  mean: "avg(value)",
  min: "min(value)",
  max: "max(value)",
  sum: "sum(value)",
  count: "count(*)",
} as const;

export class ReadingsFile {
  readonly #database: DatabaseSync;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(database: DatabaseSync, file: string) {
    this.#database = database;
    this.#file = file;
  }

  /** @throws TstackError CONFIGURATION_INVALID where there is none, or it is not one of ours */
  static open(file: string): ReadingsFile {
    if (!existsSync(file)) {
      throw wrongFile(`there is no file ${file}: name the one of tconsume with --sqlite-file`);
    }
    let database: DatabaseSync | undefined;
    try {
      database = openReadOnly(file);
      if (hasForm(database, file)) return new ReadingsFile(database, file);
      throw wrongFile(`${file} is empty: no tconsume has written to it yet`);
    } catch (error) {
      database?.close();
      throw explainError(error, file);
    }
  }

  /** In the order of their topics. */
  listSeries(): readonly StoredSeries[] {
    const rows = this.#all(
      "select id, topic, name, field, tags, type, unit from series order by topic, name, field = ? desc, field, tags, type",
      [valueField],
    );
    return (rows as [number, string, string, string, string, ValueType, string | null][]).map(
      ([id, topic, name, field, tags, type, unit]) => ({
        id,
        topic,
        name,
        field,
        tags: JSON.parse(tags) as Record<string, string>,
        type,
        unit: unit ?? undefined,
      }),
    );
  }

  /** Undefined where nothing is in the range. */
  measure({ id }: StoredSeries, { since, until }: TimeRange): SeriesExtent | undefined {
    const [count, first, last] = this.#all(
      "select count(*), min(time), max(time) from data where series = ? and time >= ? and time < ?",
      [id, toSeconds(since), toSeconds(until)],
    )[0] as [number, number, number];
    if (count === 0) return undefined;
    return { count, first: toMicroseconds(first), last: toMicroseconds(last) };
  }

  /** One after the other, in the order of time or against it. */
  *read(
    series: StoredSeries,
    { since, until }: TimeRange,
    { isDescending, pageRows }: ReadingOrder,
  ): Generator<StoredReading> {
    // Less than every value: what has the time of `since` comes, what has that of `until` does not.
    let from: Row = [toSeconds(since), Number.NEGATIVE_INFINITY];
    let to: Row = [toSeconds(until), Number.NEGATIVE_INFINITY];
    const order = isDescending ? "desc" : "asc";
    const statement = `
      select time, value from data
      where series = ? and (time, value) > (?, ?) and (time, value) < (?, ?)
      order by time ${order}, value ${order} limit ?`;
    for (;;) {
      const rows = this.#all(statement, [series.id, ...from, ...to, pageRows]) as Row[];
      for (const [time, value] of rows) {
        yield { time: toMicroseconds(time), value: toValue(series, value) };
      }
      if (rows.length < pageRows) return;
      if (isDescending) to = rows[pageRows - 1];
      else from = rows[pageRows - 1];
    }
  }

  /** One value for each interval that has readings, with the time at which the interval begins. */
  *readIntervals(
    series: StoredSeries,
    { since, until }: TimeRange,
    { every, offset, aggregate, isDescending }: Intervals & { readonly isDescending: boolean },
  ): Generator<StoredReading> {
    let [from, to] = [since, until];
    for (;;) {
      const nearest = this.#nearest(series, { since: from, until: to }, isDescending);
      if (nearest === undefined) return;
      const begin = Math.floor((nearest + offset) / every) * every - offset;
      const interval = { since: Math.max(begin, since), until: Math.min(begin + every, until) };
      yield { time: begin, value: this.#aggregate(series, interval, aggregate) };
      if (isDescending) to = interval.since;
      else from = interval.until;
    }
  }

  close(): void {
    this.#database.close();
  }

  #nearest({ id }: StoredSeries, range: TimeRange, isDescending: boolean): number | undefined {
    const [row] = this.#all(
      `select time from data where series = ? and time >= ? and time < ? order by time ${isDescending ? "desc" : "asc"} limit 1`,
      [id, toSeconds(range.since), toSeconds(range.until)],
    ) as [number][];
    return row === undefined ? undefined : toMicroseconds(row[0]);
  }

  #aggregate(series: StoredSeries, { since, until }: TimeRange, aggregate: Aggregate): FieldValue {
    const where = "from data where series = ? and time >= ? and time < ?";
    const statement =
      aggregate === "last"
        ? `select value ${where} order by time desc, value desc limit 1`
        : `select ${aggregateFunctions[aggregate]} ${where}`;
    const parameters = [series.id, toSeconds(since), toSeconds(until)];
    const [value] = this.#all(statement, parameters)[0] as [number | string];
    return aggregate === "last" ? toValue(series, value) : value;
  }

  #all(text: string, parameters: readonly SQLInputValue[]): unknown[] {
    try {
      let statement = this.#statements.get(text);
      if (statement === undefined) {
        statement = this.#database.prepare(text);
        statement.setReturnArrays(true);
        this.#statements.set(text, statement);
      }
      return statement.all(...parameters);
    } catch (error) {
      throw explainError(error, this.#file);
    }
  }
}

/**
 * For who is about to write: what is wrong with the file that will not change by itself. It waits for nobody; whatever
 * else the world does is told by the first write.
 * @throws TstackError CONFIGURATION_INVALID it is another program's, a newer tStack's, or no database
 */
export function checkFile(file: string): void {
  if (!existsSync(file)) return;
  try {
    const database = openReadOnly(file, 0);
    try {
      hasForm(database, file);
    } finally {
      database.close();
    }
  } catch (error) {
    const explained = explainError(error, file);
    const isOfWorld = explained instanceof TstackError;
    if (!isOfWorld || explained.code === "CONFIGURATION_INVALID") throw explained;
  }
}

function openReadOnly(file: string, timeout = busyMilliseconds): DatabaseSync {
  return new DatabaseSync(file, { readOnly: true, timeout });
}

function explainError(error: unknown, file: string): unknown {
  if (error instanceof TstackError) return error;
  if (isNoDatabase(error)) {
    return wrongFile(`${file} is no database of SQLite: name another file with --sqlite-file`, {
      cause: error,
    });
  }
  const { message, isOfWorld } = describeFailure(error, file);
  return isOfWorld ? new TstackError("STORAGE_FAILED", message, { cause: error }) : error;
}

function toValue({ type }: StoredSeries, value: number | string): FieldValue {
  return type === "boolean" ? value !== 0 : value;
}
