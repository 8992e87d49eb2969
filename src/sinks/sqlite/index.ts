/** SQLite as a sink: one file that people can query. */
import type { SinkKind } from "../sink.ts";
import { explainRows } from "./format.ts";
import { checkFile } from "./readings-file.ts";
import { readSqliteSettings, sqliteOptions } from "./settings.ts";
import { SqliteSink } from "./sink.ts";

export {
  type Aggregate,
  aggregates,
  type Intervals,
  type ReadingOrder,
  ReadingsFile,
  type SeriesExtent,
  type StoredReading,
  type StoredSeries,
  type TimeRange,
} from "./readings-file.ts";
export { sqliteFileDefault } from "./settings.ts";

export const sqliteSink: SinkKind = {
  name: "sqlite",
  summary: "a file of SQLite that sqlite3 and tconsume query read",
  options: sqliteOptions,
  async configure(values) {
    const settings = readSqliteSettings(values);
    return {
      destination: `SQLite in ${settings.file}`,
      explain: explainRows,
      async open() {
        checkFile(settings.file);
        return new SqliteSink(settings);
      },
    };
  },
};
