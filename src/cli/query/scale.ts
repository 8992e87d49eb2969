/** Round steps for axes: of numbers 1, 2, 5, 10 and so on, of time what clocks and calendars have. */

const millisecond = 1000;
const second = 1000 * millisecond;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

const axisSteps = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((count) => count * millisecond),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 60, 90, 180, 365].map((count) => count * day),
];

/** Nobody reads these on an axis, but they lie closer. */
const intervalSteps = [
  ...axisSteps,
  ...[3, 4, 6, 12, 20].flatMap((count) => [count * second, count * minute]),
  ...[4, 8].map((count) => count * hour),
].toSorted((one, other) => one - other);

/** The shortest round interval that is not shorter than `least` microseconds. */
export function roundInterval(least: number): number {
  return roundTimeStep(intervalSteps, least);
}

/** Beyond a year whole years. */
function roundTimeStep(steps: readonly number[], least: number): number {
  const year = 365 * day;
  return steps.find((step) => step >= least) ?? Math.ceil(least / year) * year;
}

/** Round times by the clock on the wall, from `first` to `last`. Microseconds since 1970. */
export function timeTicks(first: number, last: number, countMax: number): TimeTicks {
  const step = roundTimeStep(axisSteps, (last - first) / countMax);
  const begin = new Date(first / 1000);
  begin.setHours(0, 0, 0, 0);
  const times: number[] = [];
  for (let count = firstCount(begin, step, first); ; count++) {
    const time =
      step < day ? begin.getTime() * 1000 + count * step : daysAfter(begin, count * (step / day));
    if (time > last) break;
    if (time >= first) times.push(time);
  }
  return { step, times };
}

export interface TimeTicks {
  readonly step: number;
  readonly times: readonly number[];
}

/** Steps of less than a day begin at midnight. */
function firstCount(begin: Date, step: number, first: number): number {
  return step < day ? Math.floor((first - begin.getTime() * 1000) / step) : 0;
}

/** The clock is changed twice a year: a day is not always 24 hours. */
function daysAfter(begin: Date, days: number): number {
  const date = new Date(begin);
  date.setDate(date.getDate() + days);
  return date.getTime() * 1000;
}

export interface NumberTicks {
  /** What the axis reaches: all values, and some more where they are all the same. */
  readonly low: number;
  readonly high: number;
  /** Round numbers within. */
  readonly values: readonly number[];
  /** All of one length. */
  label(value: number): string;
}

export function numberTicks(lowest: number, highest: number, countMax: number): NumberTicks {
  const isFlat = highest - lowest <= Math.max(Math.abs(lowest), Math.abs(highest)) * roundingError;
  const margin = isFlat ? Math.abs(lowest) * 0.1 || 1 : 0;
  const [low, high] = [lowest - margin, highest + margin];
  const step = roundStep(high / countMax - low / countMax);
  const first = Math.ceil(low / step - roundingError);
  const count = Math.floor(high / step + roundingError) - first + 1;
  const values = Array.from({ length: count }, (_, index) => (first + index) * step);
  const labels = labelOf(Math.max(Math.abs(low), Math.abs(high)), step);
  const length = Math.max(...values.map((value) => labels(value).length));
  return { low, high, values, label: (value) => labels(value).padStart(length) };
}

/** 20.4 / 0.1 is a little less than 204. */
const roundingError = 1e-9;

function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  const factor = [1, 2, 5, 10].find((each) => each * power >= least * (1 - roundingError)) ?? 10;
  return factor * power;
}

const magnitudes = [
  { from: 1e12, divisor: 1e12, suffix: "T" },
  { from: 1e9, divisor: 1e9, suffix: "G" },
  { from: 1e6, divisor: 1e6, suffix: "M" },
  { from: 1e-3, divisor: 1, suffix: "" },
] as const;

/** As many digits as tell two steps apart. */
function labelOf(greatest: number, step: number): (value: number) => string {
  const magnitude = magnitudes.find(({ from }) => greatest >= from);
  if (magnitude === undefined || greatest >= 1e15) return (value) => value.toExponential(1);
  const { divisor, suffix } = magnitude;
  const decimals = Math.min(
    12,
    Math.max(0, -Math.floor(Math.log10(step / divisor) + roundingError)),
  );
  return (value) => `${(value / divisor).toFixed(decimals)}${suffix}`;
}
