/** Readings for programs: CSV and JSON lines, in UTC, as exact as they are. Written as they are read. */
import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isoTime } from "../../sinks/index.ts";
import type { SeriesReading } from "./merge.ts";

/** Gathered before they are written. */
const chunkReadings = 500;
const csvHead = ["time", "topic", "name", "field", "value", "unit", "tags"];

/** Answers how many there were. */
export async function exportReadings(
  readings: Iterable<SeriesReading>,
  format: "csv" | "json",
  stdout: Writable,
): Promise<number> {
  const formatChunk = format === "json" ? formatJson : await openCsvFormat();
  let count = 0;
  function* gather(): Generator<string> {
    let chunk: SeriesReading[] = [];
    for (const reading of readings) {
      count += 1;
      chunk.push(reading);
      if (chunk.length < chunkReadings) continue;
      yield formatChunk(chunk);
      chunk = [];
    }
    if (chunk.length > 0) yield formatChunk(chunk);
  }
  try {
    await pipeline(Readable.from(gather(), { objectMode: false }), stdout, { end: false });
  } catch (error) {
    // A reader that went away (`| head -1`) has what it wanted.
    if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
  }
  return count;
}

async function openCsvFormat(): Promise<(chunk: readonly SeriesReading[]) => string> {
  const { stringify } = await import("csv-stringify/sync");
  let head = [csvHead];
  return (chunk) => {
    const rows = [...head, ...chunk.map(csvRow)];
    head = [];
    return stringify(rows);
  };
}

function csvRow({ series, time, value }: SeriesReading): string[] {
  const { topic, name, field, unit = "", tags } = series;
  const hasTags = Object.keys(tags).length > 0;
  return [
    isoTime(time),
    topic,
    name,
    field,
    String(value),
    unit,
    hasTags ? JSON.stringify(tags) : "",
  ];
}

function formatJson(chunk: readonly SeriesReading[]): string {
  return chunk.map((reading) => `${JSON.stringify(toJson(reading))}\n`).join("");
}

function toJson({ series, time, value }: SeriesReading): object {
  const { topic, name, field, unit, tags } = series;
  const hasTags = Object.keys(tags).length > 0;
  return {
    ...{ time: isoTime(time), topic, name, field, value },
    ...(unit !== undefined && { unit }),
    ...(hasTags && { tags }),
  };
}
