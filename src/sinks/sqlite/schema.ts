/**
 * The file as people see it: the view `readings`, and below it one row for each series and one for each reading. A
 * series has one type, so that 1, true and "1" stay what they are. The key of `data` is the whole row: a batch that
 * comes again is there once, and two values of one time are both there.
 */
import type { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";

export type ValueType = "number" | "string" | "boolean";

/** "tStk": tells our files from those of other programs. */
const applicationId = 0x74_53_74_6b;
const formVersion = 1;

/** Times are seconds since 1970, as SQLite's own date functions take them; a double has their microseconds until 2242. */
const tables = `
create table series (
  id integer primary key,
  topic text not null,
  name text not null,
  field text not null,
  tags text not null,
  type text not null,
  unit text,
  unique (topic, name, field, tags, type)
);
create table data (
  series integer not null,
  time real not null,
  value not null,
  primary key (series, time, value)
) without rowid;
create index data_by_time on data (time);
create view readings as
  select
    data.time,
    strftime('%Y-%m-%d %H:%M:%f', data.time, 'unixepoch') as utc,
    series.topic, series.name, series.field, data.value, series.unit, series.tags
  from data join series on series.id = data.series;
pragma application_id = ${applicationId};
pragma user_version = ${formVersion};`;

/** Makes the tables in a file that holds nothing. Within a transaction. */
export function createForm(database: DatabaseSync, file: string): void {
  if (!hasForm(database, file)) database.exec(tables);
}

/**
 * Whether the file is one of ours; false where it is empty. Writes nothing.
 * @throws TstackError CONFIGURATION_INVALID it is another program's, or a newer tStack's
 */
export function hasForm(database: DatabaseSync, file: string): boolean {
  const [application, version, objects] = [
    "pragma application_id",
    "pragma user_version",
    "select count(*) from sqlite_schema",
  ].map((statement) => Number(Object.values(database.prepare(statement).get() ?? {})[0]));
  if (application === applicationId && version <= formVersion) return true;
  if (application === applicationId) {
    throw wrongFile(`${file} was written by a newer tStack: use that one, or another file`);
  }
  if (application === 0 && version === 0 && objects === 0) return false;
  throw wrongFile(`${file} is a database of another program: name another file with --sqlite-file`);
}

export function wrongFile(message: string, options?: ErrorOptions): TstackError {
  return new TstackError("CONFIGURATION_INVALID", message, options);
}

/** Microseconds since 1970 as the file has them. */
export function toSeconds(microseconds: number): number {
  return microseconds / 1e6;
}

export function toMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6);
}
