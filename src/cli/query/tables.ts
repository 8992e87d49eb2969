/** The three tables. Columns that would say nothing are left out: the name that is the topic, the field `value`. */
import { valueField } from "../../readings/index.ts";
import type { SeriesExtent, StoredSeries } from "../../sinks/sqlite/index.ts";
import { type Column, cut, formatColumns } from "./columns.ts";
import type { SeriesReading } from "./merge.ts";
import { describeDuration, localTime } from "./times.ts";

export interface SeriesSummary extends SeriesExtent {
  readonly series: StoredSeries;
}

interface OfSeries {
  readonly series: StoredSeries;
}

/** In microseconds: times of readings as they came, in milliseconds. */
const readingPrecision = 1000;
const lastPrecision = 1_000_000;
const extentPrecision = 60_000_000;
/** In the middle of a table a long text leaves room for what comes after it. */
const valueLengthMax = 40;

/** `every`: readings are means or the like of such intervals. */
export function readingTable(
  readings: readonly SeriesReading[],
  every: number | undefined,
  width: number,
): string[] {
  const columns: Column<SeriesReading>[] = [
    { head: "TIME", cell: ({ time }) => localTime(time, every ?? readingPrecision) },
    ...seriesColumns(readings),
    valueColumn(readings, every !== undefined),
  ];
  return formatColumns(columns, readings, width);
}

/** `now` in microseconds since 1970. */
export function lastTable(
  readings: readonly SeriesReading[],
  now: number,
  width: number,
): string[] {
  const value = valueColumn(readings, false);
  const columns: Column<SeriesReading>[] = [
    ...seriesColumns(readings),
    { head: value.head, cell: (reading) => cut(value.cell(reading), valueLengthMax) },
    { head: "AGE", alignsRight: true, cell: ({ time }) => describeAge(now - time) },
    { head: "TIME", cell: ({ time }) => localTime(time, lastPrecision) },
  ];
  return formatColumns(columns, readings, width);
}

export function listTable(summaries: readonly SeriesSummary[], width: number): string[] {
  const columns: Column<SeriesSummary>[] = [
    ...seriesColumns(summaries),
    { head: "TYPE", cell: ({ series }) => series.type },
    { head: "READINGS", alignsRight: true, cell: ({ count }) => String(count) },
    // What a narrow terminal cuts off is what is asked for less often.
    { head: "LAST", cell: ({ last }) => localTime(last, extentPrecision) },
    { head: "FIRST", cell: ({ first }) => localTime(first, extentPrecision) },
  ];
  return formatColumns(columns, summaries, width);
}

function seriesColumns<Row extends OfSeries>(rows: readonly Row[]): Column<Row>[] {
  const columns: (Column<Row> & { readonly says: (series: StoredSeries) => boolean })[] = [
    { head: "TOPIC", cell: ({ series }) => series.topic, says: () => true },
    {
      head: "NAME",
      cell: ({ series }) => series.name,
      says: ({ name, topic }) => name !== topic,
    },
    {
      head: "TAGS",
      cell: ({ series }) => describeTags(series),
      says: ({ tags }) => Object.keys(tags).length > 0,
    },
    {
      head: "FIELD",
      cell: ({ series }) => series.field,
      says: ({ field }) => field !== valueField,
    },
  ];
  return columns.filter(({ says }) => rows.some(({ series }) => says(series)));
}

export function describeTags({ tags }: StoredSeries): string {
  return Object.entries(tags)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

function valueColumn(
  readings: readonly SeriesReading[],
  isComputed: boolean,
): Column<SeriesReading> {
  const numbers = readings.filter(({ value }) => typeof value === "number");
  const values = new Map(numbers.map((reading) => [reading, numberText(reading, isComputed)]));
  const length = Math.max(0, ...Array.from(values.values(), (text) => text.length));
  return {
    head: "VALUE",
    cell(reading) {
      const { unit } = reading.series;
      const text = values.get(reading)?.padStart(length) ?? String(reading.value);
      return unit === undefined ? text : `${text} ${unit}`;
    },
  };
}

/** A mean of 21.5 and 21.6 has more digits than anybody wants. */
function numberText({ value }: SeriesReading, isComputed: boolean): string {
  if (!isComputed || typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1 ? value.toFixed(3) : value.toPrecision(3);
}

function describeAge(age: number): string {
  const second = 1_000_000;
  return age < second ? "0 s" : describeDuration(age - (age % second));
}
