/** The time that a payload says, in microseconds. Always holds: whole, from 1970 on, and exact as an integer. */

import { toFieldValue } from "./field-collector.ts";
import { readNumberText } from "./number-text.ts";
import { unreadable } from "./refusals.ts";

export const timeUnits = ["s", "ms", "us", "ns", "iso"] as const;
export type TimeUnit = (typeof timeUnits)[number];
export type NumericTimeUnit = Exclude<TimeUnit, "iso">;

const microsecondsOf: Readonly<Record<NumericTimeUnit, number>> = {
  s: 1e6,
  ms: 1e3,
  us: 1,
  ns: 1e-3,
};

/** @throws TstackError PAYLOAD_UNREADABLE */
export function readTime(value: unknown, unit: TimeUnit): number {
  const given = toFieldValue(value);
  if (given === undefined) throw unreadable("the payload has no time where the mapping says it is");
  return unit === "iso" ? readIso(given) : checkTime(readNumber(given), unit);
}

function readNumber(given: string | number | boolean): number {
  const number = typeof given === "string" ? readNumberText(given) : given;
  if (typeof number === "number") return number;
  throw unreadable("the time of the payload is no number");
}

function checkTime(number: number, unit: NumericTimeUnit): number {
  // 1e-3 is no exact double, 1e3 is.
  const microseconds = Math.round(unit === "ns" ? number / 1e3 : number * microsecondsOf[unit]);
  if (microseconds >= 0 && Number.isSafeInteger(microseconds)) return microseconds + 0;
  throw unreadable(
    `the time of the payload is not from 1970 to 2255: is its unit ${unit}, as the mapping says?`,
  );
}

const isoPattern =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?([Zz]|[+-]\d{2}:?\d{2})?$/;

/** ISO 8601, in UTC where it says no other: so that the same payload is the same time on every machine. */
function readIso(given: string | number | boolean): number {
  const match = typeof given === "string" ? isoPattern.exec(given.trim()) : null;
  if (match === null) throw unreadable("the time of the payload is no date and time of ISO 8601");
  const [, date, time, fraction = "", zone = "Z"] = match;
  const offset = zone.toUpperCase().replace(/^([+-]\d{2})(\d{2})$/, "$1:$2");
  const milliseconds = Date.parse(`${date}T${time}${offset}`);
  if (Number.isNaN(milliseconds)) throw unreadable("the time of the payload is no day and hour");
  return checkTime(milliseconds * 1e3 + Number(fraction.slice(0, 6).padEnd(6, "0")), "us");
}

/** @param digits of a whole number, at most 20 of them */
export function readWholeTime(digits: string, unit: NumericTimeUnit): number {
  // Nanoseconds have more digits than a double holds.
  return unit === "ns"
    ? checkTime(Number(digits.slice(0, -3) || "0"), "us")
    : checkTime(Number(digits), unit);
}
