/**
 * Readings as lines of InfluxDB's line protocol. Always holds: a name or a text, whatever it is, can neither end its
 * line nor become another part of it, also at servers that know no quotes when they look for the end of a line. What
 * the protocol cannot carry is carried as its picture (`␊`), so that names stay different unless they hold pictures.
 */
import type { FieldValue, Reading, Series } from "../../readings/index.ts";

/** Times are microseconds: the address of the question says so. */
export function writeLine({ series, time, fields }: Reading): string {
  let set = "";
  for (const [name, value] of fields) {
    set += `${set === "" ? "" : ","}${writeFieldName(name)}=${writeValue(value)}`;
  }
  return `${writePrefix(series)} ${set} ${time}`;
}

const prefixes = new WeakMap<Series, string>();

/** Measurement and tags. InfluxDB is fastest with tags in the order of their names, and so they come. */
function writePrefix(series: Series): string {
  const known = prefixes.get(series);
  if (known !== undefined) return known;
  let prefix = cleanMeasurement(series.name).replace(/[, ]/g, "\\$&");
  for (const [name, value] of series.tags) prefix += `,${escapeKey(name)}=${escapeTag(value)}`;
  prefixes.set(series, prefix);
  return prefix;
}

/**
 * The names that servers keep for themselves: InfluxDB 1 loses such a field without a word, 2 refuses the point. They
 * get a `_` at their end, and those that have one already another, so that they stay two.
 */
const reserved = /^(?:time|_field|_measurement)_*$/;

/** What a field is called in InfluxDB. */
export function cleanField(name: string): string {
  if (name === "") return "_";
  return reserved.test(name) ? `${name}_` : cleanText(name);
}

/** What a measurement is called in InfluxDB. A `#` at its begin would make the line a comment. */
export function cleanMeasurement(name: string): string {
  const clean = cleanText(name);
  return clean.startsWith("#") ? `＃${clean.slice(1)}` : clean;
}

const plainName = /^[\w./:-]+$/;

function writeFieldName(name: string): string {
  return plainName.test(name) && !reserved.test(name) ? name : escapeTag(cleanField(name));
}

function escapeKey(name: string): string {
  return escapeTag(reserved.test(name) ? `${name}_` : name);
}

function escapeTag(text: string): string {
  return cleanText(text).replace(/[, =]/g, "\\$&");
}

/**
 * Control characters have pictures. A backslash cannot be escaped: before a sign that is, and at the end, it would take
 * that sign, or the one that ends the name, for its own.
 */
function cleanText(text: string): string {
  return showControls(text).replace(/\\(?=[\\, ="]|$)/g, "＼");
}

const firstPicture = 0x2400;
const pictureOfDelete = "␡";

function showControls(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const code = control.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(firstPicture + code);
    return code === 0x7f ? pictureOfDelete : control;
  });
}

/** Always a float, also 5: a field has one type for ever, and the next value may be 5.5. */
function writeValue(value: FieldValue): string {
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  return `"${value.replace(/["\\]/g, "\\$&").replace(/\n/g, "␊")}"`;
}
