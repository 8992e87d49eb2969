/**
 * A chart in the terminal. With colours all lines share it; without, each has a chart of its own, for nobody could tell
 * them apart. Where readings are missing, so is the line.
 */
import type { Settings } from "simple-ascii-chart";
import { numberTicks, timeTicks } from "./scale.ts";
import { localClock, localDay } from "./times.ts";

export interface ChartLine {
  readonly label: string;
  /** In the order of time. */
  readonly points: readonly ChartPoint[];
}

type ChartPoint = readonly [time: number, value: number];

export interface ChartSize {
  /** In all, in characters and lines. */
  readonly width: number;
  readonly height: number;
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly ChartLine[];
}

const colors = ["Green", "Yellow", "Blue", "Magenta", "Cyan", "Red"] as const;
const ansiCodes = [32, 33, 34, 35, 36, 31];
export const linesMax = colors.length;

/** Beside the plot there are its axis; above and below it an arrow, the axis and its labels. */
const axisWidth = 4;
const axisHeight = 3;
const plotHeightMin = 3;
const betweenLabels = 4;
const shortLabel = "23:59".length;
const dayLength = 86_400_000_000;
/** Of the label of the first time, what is below the plot. */
const labelBelowPlot = 2;
/** Nothing came for so many times as long as nine of ten readings took to come: a device that tells changes has no gaps. */
const gapFactor = 3;
const usualQuantile = 0.9;

/** Lines without their ends. */
export async function drawCharts(
  { title, lines }: Chart,
  size: ChartSize,
  hasColors: boolean,
): Promise<string[]> {
  if (hasColors || lines.length === 1) return drawChart({ title, lines }, size, hasColors);
  const charts = await Promise.all(
    lines.map((line) => drawChart({ title, lines: [line] }, size, false)),
  );
  return charts.flatMap((chart, index) => (index === 0 ? chart : ["", ...chart]));
}

async function drawChart(
  { title, lines }: Chart,
  { width, height }: ChartSize,
  hasColors: boolean,
): Promise<string[]> {
  const { plot } = await import("simple-ascii-chart");
  const heads = hasColors
    ? [title, ...lines.map(({ label }, index) => `${paint("━━", index)} ${label}`)]
    : headsOf(lines[0].label, title, width);
  const axes = layOut(lines, { width, height: height - heads.length });
  const pieces = lines.flatMap(({ points }, line) =>
    divideAtGaps(points).map((piece) => ({ line, piece })),
  );
  const drawing = plot(
    pieces.map(({ piece }) => piece.map(([time, value]) => axes.place(time, value))),
    {
      ...axes.settings,
      ...(hasColors && { color: (index: number) => `ansi${colors[pieces[index].line]}` as const }),
    },
  );
  const rows = drawing.split("\n").map((row) => row.trimEnd());
  return [...heads, ...rows.filter((row) => row !== "")];
}

/** On one line where there is room. */
function headsOf(label: string, title: string, width: number): string[] {
  const line = `${label}  ${title}`;
  return line.length <= width ? [line] : [label, title];
}

interface Axes {
  readonly settings: Settings;
  /** Values become 0 to 1: the squares of some numbers are no numbers any more. */
  place(time: number, value: number): [x: number, y: number];
}

function layOut(lines: readonly ChartLine[], { width, height }: ChartSize): Axes {
  const points = lines.flatMap((line) => line.points);
  const times = points.map(([time]) => time);
  const values = points.map(([, value]) => value);
  const plotHeight = Math.max(plotHeightMin, height - axisHeight);
  const yTicks = numberTicks(least(values), greatest(values), Math.floor(plotHeight / 2));
  const { low, high } = yTicks;
  const toUnit = (value: number) =>
    Math.min(1, Math.max(0, (value / 2 - low / 2) / (high / 2 - low / 2)));
  const yLabels = new Map(yTicks.values.map((value) => [toUnit(value), yTicks.label(value)]));
  const yLabelLength = yTicks.label(low).length;
  const [first, last] = [least(times), greatest(times)];
  const spacious = timeTicks(first, last, Math.floor(width / (shortLabel + betweenLabels)));
  const xLabelLength = timeLabel(first, spacious.step).length;
  const plotWidth = width - Math.max(yLabelLength, xLabelLength - labelBelowPlot) - axisWidth;
  const xCountMax = Math.max(1, Math.floor(plotWidth / (xLabelLength + betweenLabels)));
  const xTicks = timeTicks(first, last, xCountMax);
  const settings: Settings = {
    width: plotWidth,
    height: plotHeight,
    yRange: [0, 1],
    customYAxisTicks: [...yLabels.keys()],
    customXAxisTicks: [...xTicks.times],
    formatter: (value, { axis }) =>
      axis === "x"
        ? timeLabel(value, xTicks.step)
        : (yLabels.get(value) ?? " ".repeat(yLabelLength)),
  };
  return { settings, place: (time, value) => [time, toUnit(value)] };
}

/** Of a day or more the day. */
function timeLabel(time: number, step: number): string {
  return step < dayLength ? localClock(time, step) : localDay(time).slice("2026-".length);
}

function divideAtGaps(points: readonly ChartPoint[]): (readonly ChartPoint[])[] {
  const distances = points.slice(1).map(([time], index) => time - points[index][0]);
  const usual = distances.toSorted((one, other) => one - other)[
    Math.floor(distances.length * usualQuantile)
  ];
  const pieces: ChartPoint[][] = [];
  for (const [index, point] of points.entries()) {
    if (index === 0 || distances[index - 1] > gapFactor * usual) pieces.push([point]);
    else pieces[pieces.length - 1].push(point);
  }
  return pieces;
}

function paint(text: string, index: number): string {
  return `\u001b[${ansiCodes[index]}m${text}\u001b[0m`;
}

function least(values: readonly number[]): number {
  return values.reduce((one, other) => Math.min(one, other));
}

function greatest(values: readonly number[]): number {
  return values.reduce((one, other) => Math.max(one, other));
}
