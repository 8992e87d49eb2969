/** The text of a CSV file of tconsume, read back for the suite of sinks: there a value is a text where it is quoted. */
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import { readMicroseconds } from "./json-values.ts";

interface Cell {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** A cell, quoted or not, and what ends it: RFC 4180 with line ends of one character. */
const cellPattern = /(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/gy;

export function readCsvRows(text: string): readonly (readonly Cell[])[] {
  const rows: Cell[][] = [[]];
  let end = 0;
  for (const { 0: all, 1: quoted, 2: plain, 3: separator, index } of text.matchAll(cellPattern)) {
    rows[rows.length - 1].push({
      text: quoted?.replaceAll('""', '"') ?? plain,
      isQuoted: quoted !== undefined,
    });
    if (separator === "\n") rows.push([]);
    end = index + all.length;
  }
  if (end !== text.length)
    throw new Error(`no CSV from ${JSON.stringify(text.slice(end, end + 40))}`);
  return rows.slice(0, -1);
}

export function readCsvValues(text: string): readonly StoredValue[] {
  return readCsvRows(text)
    .slice(1)
    .map(([time, topic, name, tags, field, value]) => ({
      series: JSON.stringify([topic.text, name.text, tags.text]),
      field: field.text,
      time: readMicroseconds(time.text),
      value: readValue(value),
    }));
}

function readValue({ text, isQuoted }: Cell): StoredValue["value"] {
  if (isQuoted) return text;
  return text === "true" || text === "false" ? text === "true" : Number(text);
}
