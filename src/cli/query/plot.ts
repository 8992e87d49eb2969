/** `--plot`: from readings to lines of a chart, each with at most as many points as the chart has columns. */

import { toVisible } from "../../base/index.ts";
import { valueField } from "../../readings/index.ts";
import type { ReadingsFile, StoredSeries } from "../../sinks/sqlite/index.ts";
import { ProgramFailure } from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { type ChartLine, drawCharts, linesMax } from "./chart.ts";
import { cut, screenOf } from "./columns.ts";
import type { QueryOptions } from "./options.ts";
import { roundInterval } from "./scale.ts";
import { toIntervals } from "./selection.ts";
import { describeTags } from "./tables.ts";
import { describeDuration, localClock, localDay, localTime } from "./times.ts";

export interface PlotRequest {
  readonly file: ReadingsFile;
  readonly options: QueryOptions;
  readonly series: readonly StoredSeries[];
}

/** Where stdout is no terminal. */
const widthDefault = 80;
const heightDefault = 20;
/** A taller chart says nothing more. */
const heightMax = 30;
/** Below the chart the terminal asks for the next command. */
const promptLines = 2;
/** Of a line; no terminal has so many columns. */
const pointsMax = 10_000;
/** What stands before a name. */
const legendWidth = 3;
/** Of the chart's width, what its axis takes at most. */
const axisWidth = 10;

/** Answers what was drawn, or nothing where there are no numbers; `say` gets what was left out. */
export async function plotReadings(
  { file, options, series }: PlotRequest,
  io: ProgramIo,
  say: (line: string) => void,
): Promise<string[]> {
  const screen = screenOf(io.stdout);
  const width = options.width ?? screen.width ?? widthDefault;
  const heightOfScreen = Math.min(heightMax, (screen.height ?? heightDefault) - promptLines);
  const height = options.height ?? Math.max(heightOfScreen, 8);
  const measured = series
    .filter(({ type }) => type !== "string")
    .map((each) => ({ series: each, extent: file.measure(each, options) }))
    .filter(({ extent }) => extent !== undefined);
  if (measured.length === 0) return [];
  const drawn = measured.slice(0, linesMax);
  if (measured.length > linesMax) {
    say(
      `${measured.length} series match: the first ${linesMax} are drawn. Narrow the filter, or add --field`,
    );
  }
  const first = Math.min(...drawn.map(({ extent }) => extent?.first ?? 0));
  const last = Math.max(...drawn.map(({ extent }) => extent?.last ?? 0));
  const every = options.every ?? roundInterval((last - first) / (width - axisWidth));
  if ((last - first) / every > pointsMax) {
    throw new ProgramFailure(
      `--every ${describeDuration(every)} is too short for a chart of ${describeDuration(last - first)}: choose a longer one, or narrow it with --since`,
    );
  }
  const lines = drawn.map(({ series: each }) =>
    readLine({ file, options, series: each, every, width }),
  );
  const title = `${describeSpan(first, last, every)}, ${options.aggregate} of each ${describeDuration(every)}`;
  const hasColors = screen.width !== undefined && !io.environment.NO_COLOR;
  return drawCharts({ title: cut(title, width), lines }, { width, height }, hasColors);
}

/** `2026-11-23 10:00 to 18:30`, as exact as the intervals need it. */
function describeSpan(first: number, last: number, every: number): string {
  const precision = [60_000_000, 1_000_000, 1000].find((each) => every % each === 0) ?? 1000;
  const end = localDay(first) === localDay(last) ? localClock : localTime;
  return `${localTime(first, precision)} to ${end(last, precision)}`;
}

interface LineRequest {
  readonly file: ReadingsFile;
  readonly options: QueryOptions;
  readonly series: StoredSeries;
  readonly every: number;
  readonly width: number;
}

function readLine({ file, options, series, every, width }: LineRequest): ChartLine {
  const intervals = { ...toIntervals(options, every), isDescending: false };
  const readings = Array.from(file.readIntervals(series, options, intervals));
  return {
    label: cut(labelOf(series), width - legendWidth),
    points: readings.map(({ time, value }) => [time, Number(value)]),
  };
}

function labelOf(series: StoredSeries): string {
  const { topic, name, field, unit } = series;
  const parts = [
    topic,
    name === topic ? "" : name,
    describeTags(series),
    field === valueField ? "" : field,
    unit ?? "",
  ];
  return toVisible(parts.filter((part) => part !== "").join(" "));
}
