/** A line of JSON as stdout, files and webhooks have it, read back for the suite of sinks. */
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import type { ReadingJson } from "../../src/sinks/reading-json.ts";

export function readJsonValues(line: string): readonly StoredValue[] {
  const { time, topic, name, tags, fields }: ReadingJson = JSON.parse(line);
  const series = JSON.stringify([topic, name, tags]);
  return Object.entries(fields).map(([field, value]) => ({
    series,
    field,
    time: readMicroseconds(time),
    value,
  }));
}

/** `2026-11-23T12:59:50.123456Z` as microseconds since 1970. */
export function readMicroseconds(text: string): number {
  const [, micro] = /\.\d{3}(\d{3})Z$/.exec(text) ?? [];
  return Date.parse(text.replace(/\d{3}Z$/, "Z")) * 1000 + Number(micro);
}
