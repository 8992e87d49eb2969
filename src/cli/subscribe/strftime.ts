/**
 * The conversions of strftime(3) in the C locale, for `@H`, `@Y` and their like in `-F`, in local time.
 * `@N`, the nanoseconds of the second, is mosquitto's own; the clock here has milliseconds.
 */

const dayNames = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const monthNames = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const dayMilliseconds = 86_400_000;

const two = (value: number) => String(value).padStart(2, "0");
const twoBlank = (value: number) => String(value).padStart(2, " ");
const hour12 = (time: Date) => time.getHours() % 12 || 12;

type Conversion = (time: Date) => string;

const simpleConversions: Readonly<Record<string, Conversion>> = {
  a: (time) => dayNames[time.getDay()].slice(0, 3),
  A: (time) => dayNames[time.getDay()],
  b: (time) => monthNames[time.getMonth()].slice(0, 3),
  B: (time) => monthNames[time.getMonth()],
  C: (time) => two(Math.floor(time.getFullYear() / 100)),
  d: (time) => two(time.getDate()),
  e: (time) => twoBlank(time.getDate()),
  g: (time) => two(isoWeek(time).year % 100),
  G: (time) => String(isoWeek(time).year),
  H: (time) => two(time.getHours()),
  I: (time) => two(hour12(time)),
  j: (time) => String(dayOfYear(time) + 1).padStart(3, "0"),
  k: (time) => twoBlank(time.getHours()),
  l: (time) => twoBlank(hour12(time)),
  m: (time) => two(time.getMonth() + 1),
  M: (time) => two(time.getMinutes()),
  n: () => "\n",
  N: (time) => `${String(time.getMilliseconds()).padStart(3, "0")}000000`,
  p: (time) => (time.getHours() < 12 ? "AM" : "PM"),
  P: (time) => (time.getHours() < 12 ? "am" : "pm"),
  s: (time) => String(Math.floor(time.getTime() / 1000)),
  S: (time) => two(time.getSeconds()),
  t: () => "\t",
  u: (time) => String(time.getDay() || 7),
  U: (time) => two(Math.floor((dayOfYear(time) + 7 - time.getDay()) / 7)),
  V: (time) => two(isoWeek(time).week),
  w: (time) => String(time.getDay()),
  W: (time) => two(Math.floor((dayOfYear(time) + 7 - ((time.getDay() + 6) % 7)) / 7)),
  y: (time) => two(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  z: (time) => zoneOffset(time),
  Z: (time) => zoneName(time),
  "%": () => "%",
};

/** Conversions that stand for several. */
const composedConversions: Readonly<Record<string, string>> = {
  c: "a b e H:M:S Y",
  D: "m/d/y",
  F: "Y-m-d",
  h: "b",
  r: "I:M:S p",
  R: "H:M",
  T: "H:M:S",
  x: "m/d/y",
  X: "H:M:S",
};

/** The conversion that `letter` names, or undefined. */
export function findTimeConversion(letter: string): Conversion | undefined {
  const composed = composedConversions[letter];
  if (composed === undefined) return simpleConversions[letter];
  return (time) => composed.replace(/[A-Za-z]/g, (part) => simpleConversions[part](time));
}

/** Days since January 1st, which is 0. Counted in UTC, where every day has the same length. */
function dayOfYear(time: Date): number {
  const year = time.getFullYear();
  return (Date.UTC(year, time.getMonth(), time.getDate()) - Date.UTC(year, 0, 1)) / dayMilliseconds;
}

/** Week and year of ISO 8601: the week belongs to the year that its Thursday is in. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const day = time.getDay() || 7;
  const thursday = new Date(time.getFullYear(), time.getMonth(), time.getDate() + 4 - day);
  return { year: thursday.getFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

/** `+0100` */
export function zoneOffset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const sign = minutes < 0 ? "-" : "+";
  const absolute = Math.abs(minutes);
  return `${sign}${two(Math.floor(absolute / 60))}${two(absolute % 60)}`;
}

function zoneName(time: Date): string {
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(time);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}
