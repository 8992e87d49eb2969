/**
 * Times as people write and read them: a while ago (`1h`) or a date and time, by the clock on their wall. Inside, times
 * are microseconds since 1970.
 */
import { UsageError } from "../client/index.ts";

const second = 1_000_000;
const unitsOf: Readonly<Record<string, number>> = {
  s: second,
  m: 60 * second,
  h: 3600 * second,
  d: 86_400 * second,
  w: 604_800 * second,
};
const durationMax = 100 * 366 * unitsOf.d;

/** Microseconds of `90s`, `5m`, `1h`, `7d`, `2w`; undefined for other texts. */
function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const duration = Number(digits) * unitsOf[unit];
  return duration > 0 && duration <= durationMax ? duration : undefined;
}

/** For an option that is called `flag`. */
export function readDuration(flag: string) {
  return (text: string): number => {
    const duration = parseDuration(text);
    if (duration !== undefined) return duration;
    throw new UsageError(`${flag} takes a time like 30s, 5m, 1h, 7d or 2w, not "${text}"`);
  };
}

const date = /^\d{4}-\d\d-\d\d$/;
const dateAndTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?$/;

/** For an option that is called `flag`; `now` in milliseconds. Without a time zone the local one is meant. */
export function readTime(flag: string, now: number) {
  return (text: string): number => {
    const ago = parseDuration(text);
    if (ago !== undefined) return now * 1000 - ago;
    // A date alone JavaScript takes for UTC.
    const whole = date.test(text) ? `${text}T00:00` : text;
    const milliseconds = dateAndTime.test(whole) ? Date.parse(whole.replace(" ", "T")) : Number.NaN;
    if (!Number.isNaN(milliseconds)) return milliseconds * 1000;
    throw new UsageError(
      `${flag} takes a time like 1h (ago), 2026-11-23, 2026-11-23T18:30 or 2026-11-23T17:30Z, not "${text}"`,
    );
  };
}

/** What must be added to UTC, by the time zone of this machine as it is at `time`. */
export function localOffset(time: number): number {
  return -new Date(time / 1000).getTimezoneOffset() * unitsOf.m;
}

const two = (value: number) => String(value).padStart(2, "0");

/** `2026-11-23` */
export function localDay(time: number): string {
  const day = new Date(time / 1000);
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** `18:30`, `18:30:05` or `18:30:05.123`: as exact as a step of `precision` microseconds needs it. */
export function localClock(time: number, precision: number): string {
  const clock = new Date(time / 1000);
  const minutes = `${two(clock.getHours())}:${two(clock.getMinutes())}`;
  if (precision % unitsOf.m === 0) return minutes;
  const seconds = `${minutes}:${two(clock.getSeconds())}`;
  if (precision % second === 0) return seconds;
  return `${seconds}.${String(clock.getMilliseconds()).padStart(3, "0")}`;
}

/** `2026-11-23 18:30:05.123`, as exact as `precision`. */
export function localTime(time: number, precision: number): string {
  return `${localDay(time)} ${localClock(time, precision)}`;
}

/** How long something is, in its largest unit: `45 s`, `3 min`, `2 h`, `5 d`. */
export function describeDuration(duration: number): string {
  const names = { d: "d", h: "h", m: "min", s: "s" } as const;
  for (const [unit, name] of Object.entries(names)) {
    // Shorter than twice a unit the next smaller one says more: 90 s.
    if (duration % unitsOf[unit] === 0 || duration >= 2 * unitsOf[unit]) {
      return duration === 0 ? "0 s" : `${Math.floor(duration / unitsOf[unit])} ${name}`;
    }
  }
  return `${Math.max(0, Math.round(duration / 1000))} ms`;
}
