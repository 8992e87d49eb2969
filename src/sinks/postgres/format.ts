/**
 * From readings to rows: what stands in a row, what PostgreSQL cannot hold, and rows as arrays for `unnest`. Pure.
 * A row is known by its series, its field and its time; of two in one batch the later one counts.
 */

import { toVisible } from "../../base/index.ts";
import type { FieldValue, Series } from "../../readings/index.ts";
import type { MappedMessage } from "../sink.ts";

/** One value, of the series that the database knows by this identifier. */
export interface ValueRow {
  readonly seriesId: string;
  /** Microseconds since 1970. */
  readonly time: number;
  readonly value: FieldValue;
}

/** What a row of the series table says beside its identifier. */
export interface SeriesText {
  readonly topic: string;
  readonly name: string;
  /** As JSON. */
  readonly tags: string;
  readonly field: string;
  readonly unit: string | undefined;
}

/** PostgreSQL holds neither U+0000 nor half a surrogate pair: U+FFFD shows where one was. */
export function cleanText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

export function describeSeries(series: Series, field: string): SeriesText {
  const unit = series.units.get(field);
  const tags = Array.from(series.tags, ([name, value]) => [cleanText(name), cleanText(value)]);
  return {
    topic: cleanText(series.topic),
    name: cleanText(series.name),
    tags: JSON.stringify(Object.fromEntries(tags)),
    field: cleanText(field),
    unit: unit === undefined ? undefined : cleanText(unit),
  };
}

/** Without what a later row of the batch replaces: one statement may not write a row twice. */
export function withoutRepeats(rows: readonly ValueRow[]): readonly ValueRow[] {
  const latest = new Map<string, number>();
  // Times that rise within each series, as they nearly always do, need no closer look.
  const rising = rows.every(({ seriesId, time }) => {
    const before = latest.get(seriesId);
    latest.set(seriesId, time);
    return before === undefined || before < time;
  });
  if (rising) return rows;
  return [...new Map(rows.map((row) => [`${row.seriesId} ${row.time}`, row])).values()];
}

/** Literals of arrays for `unnest`: identifiers, times, numbers, texts, booleans. */
export function toColumns(rows: readonly ValueRow[]): string[] {
  let [ids, times, numbers, texts, booleans] = ["", "", "", "", ""];
  let comma = "";
  for (const { seriesId, time, value } of rows) {
    ids += comma + seriesId;
    times += comma + time;
    numbers += typeof value === "number" ? comma + value : `${comma}NULL`;
    texts += typeof value === "string" ? comma + quote(value) : `${comma}NULL`;
    booleans += typeof value === "boolean" ? comma + value : `${comma}NULL`;
    comma = ",";
  }
  return [ids, times, numbers, texts, booleans].map((column) => `{${column}}`);
}

/** The literal of an array of texts. */
export function toTextArray(texts: readonly (string | undefined)[]): string {
  return `{${texts.map((text) => (text === undefined ? "NULL" : quote(text))).join(",")}}`;
}

function quote(text: string): string {
  return `"${cleanText(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** The rows as whoever asks the view sees them. */
export function explainRows(table: string, { readings }: MappedMessage): string {
  const lines = readings.flatMap(({ series, time, fields }) =>
    Array.from(fields, ([field, value]) => {
      const { topic, name, tags, unit } = describeSeries(series, field);
      const columns: readonly (readonly [string, string | undefined])[] = [
        ["time", toLiteral(describeTime(time))],
        ["topic", toLiteral(topic)],
        ["name", toLiteral(name)],
        ["tags", toLiteral(tags)],
        ["field", toLiteral(cleanText(field))],
        [columnOf(value), typeof value === "string" ? toLiteral(cleanText(value)) : String(value)],
        ["unit", unit && toLiteral(unit)],
      ];
      const said = columns.filter(([, literal]) => literal !== undefined);
      return `${table}: ${said.map(([column, literal]) => `${column} = ${literal}`).join(", ")}`;
    }),
  );
  return lines.join("\n");
}

function columnOf(value: FieldValue): string {
  if (typeof value === "number") return "value";
  return typeof value === "string" ? "text" : "boolean";
}

/** As PostgreSQL reads it, and harmless on a terminal. */
function toLiteral(text: string): string {
  const doubled = text.replaceAll("'", "''");
  const visible = toVisible(doubled.replaceAll("\\", "\\\\"));
  return visible === doubled ? `'${doubled}'` : `E'${visible}'`;
}

function describeTime(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const rest = String(microseconds - milliseconds * 1000).padStart(3, "0");
  return new Date(milliseconds).toISOString().replace("Z", `${rest}Z`);
}
