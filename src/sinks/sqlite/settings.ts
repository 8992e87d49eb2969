/** The options of SQLite as a sink. */
import { readSeconds, readText, settingMistake } from "../setting-values.ts";
import type { SinkOption, SinkValues } from "../sink.ts";

export const sqliteFileDefault = "readings.db";

export interface SqliteSettings {
  readonly file: string;
  /** How old a reading becomes, by its own time. Undefined: it is kept. */
  readonly retentionSeconds: number | undefined;
}

export const sqliteOptions: readonly SinkOption[] = [
  {
    flags: "--sqlite-file <file>",
    description: `where readings are (default: ${sqliteFileDefault})`,
  },
  {
    flags: "--sqlite-retention <time>",
    description: "delete readings older than that, as in 90d (default: keep all)",
  },
];

export function readSqliteSettings(values: SinkValues): SqliteSettings {
  const retentionSeconds = readSeconds(values, "sqlite-retention", undefined);
  if (retentionSeconds === 0) {
    throw settingMistake("sqlite-retention", "more than nothing: a time such as 90d", "0");
  }
  const file = readText(values, "sqlite-file", sqliteFileDefault);
  // To SQLite these are in memory, or may be, and what was acknowledged would be lost.
  if (file === ":memory:" || file.startsWith("file:")) {
    throw settingMistake("sqlite-file", "the path of a file", file);
  }
  return { file, retentionSeconds };
}
