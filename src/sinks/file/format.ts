/** Messages as records of a file: CSV with a row for each value, JSON lines with a line for each reading. */
import { stringify } from "csv-stringify/sync";
import { isoTime, toReadingJson } from "../reading-json.ts";
import type { MappedMessage } from "../sink.ts";

export const fileFormats = ["csv", "jsonl"] as const;
export type FileFormat = (typeof fileFormats)[number];

export interface FileRecords {
  readonly text: string;
  readonly count: number;
}

/** RFC 4180 has no types: a text is known by its quotes, also where it looks like a number. */
const valueColumn = 5;

/** The first line of a file, with its end; empty where there is none. */
export const headerOf: Readonly<Record<FileFormat, string>> = {
  csv: "time,topic,name,tags,field,value,unit\n",
  jsonl: "",
};

export const formatRecords: Readonly<
  Record<FileFormat, (batch: readonly MappedMessage[]) => FileRecords>
> = { csv: formatCsv, jsonl: formatJsonLines };

function formatCsv(batch: readonly MappedMessage[]): FileRecords {
  const rows = batch.flatMap(({ readings }) =>
    readings.flatMap(({ series, time, fields }) => {
      const { topic, name, tags, units } = series;
      const tagsText = tags.size === 0 ? "" : JSON.stringify(Object.fromEntries(tags));
      return Array.from(fields, ([field, value]) => [
        isoTime(time),
        topic,
        name,
        tagsText,
        field,
        value,
        units.get(field) ?? "",
      ]);
    }),
  );
  const text = stringify(rows, {
    record_delimiter: "\n",
    cast: {
      boolean: String,
      string: (value, { index }) => ({
        value,
        quoted: index === valueColumn || /\r/.test(value),
        quoted_empty: index === valueColumn,
      }),
    },
  });
  return { text, count: rows.length };
}

function formatJsonLines(batch: readonly MappedMessage[]): FileRecords {
  const readings = batch.flatMap((message) => message.readings);
  const text = readings.map((reading) => `${JSON.stringify(toReadingJson(reading))}\n`).join("");
  return { text, count: readings.length };
}
