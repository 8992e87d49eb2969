/** Messages as records of a file: CSV with a row for each value, JSON lines with a line for each reading. */
import type { FieldValue } from "../../readings/index.ts";
import { isoTime, toReadingJson } from "../reading-json.ts";
import type { MappedMessage } from "../sink.ts";

export const fileFormats = ["csv", "jsonl"] as const;
export type FileFormat = (typeof fileFormats)[number];

export interface FileRecords {
  readonly text: string;
  readonly count: number;
}

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
      const begin = `${isoTime(time)},${[topic, name, tagsText].map(toCell).join(",")}`;
      return Array.from(
        fields,
        ([field, value]) =>
          `${begin},${toCell(field)},${toValueCell(value)},${toCell(units.get(field) ?? "")}\n`,
      );
    }),
  );
  return { text: rows.join(""), count: rows.length };
}

/** RFC 4180; a library would take ten times as long where it has to know what is a text. */
function toCell(text: string): string {
  return /[",\r\n]/.test(text) ? quote(text) : text;
}

/** CSV has no types: a text is known by its quotes, also where it looks like a number. */
function toValueCell(value: FieldValue): string {
  return typeof value === "string" ? quote(value) : String(value);
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function formatJsonLines(batch: readonly MappedMessage[]): FileRecords {
  const readings = batch.flatMap((message) => message.readings);
  const text = readings.map((reading) => `${JSON.stringify(toReadingJson(reading))}\n`).join("");
  return { text, count: readings.length };
}
