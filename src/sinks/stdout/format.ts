/** Messages as lines: for people, as the original tStack's CSV, or as JSON. */

import { toVisible } from "../../base/index.ts";
import { type Reading, valueField } from "../../readings/index.ts";
import { toReadingJson } from "../reading-json.ts";
import type { MappedMessage } from "../sink.ts";

export const stdoutFormats = ["text", "csv", "json"] as const;
export type StdoutFormat = (typeof stdoutFormats)[number];

/** The lines of a message, without their ends. */
export const formatLines: Readonly<
  Record<StdoutFormat, (message: MappedMessage) => readonly string[]>
> = {
  text: ({ readings }) => readings.map(textLine),
  csv: (message) => [csvLine(message)],
  json: ({ readings }) =>
    readings.map((reading) => toVisible(JSON.stringify(toReadingJson(reading)))),
};

/** `2026-11-23 12:59:50.123 site/hall/temp 21.5`; fields other than `value` and tags with their names. */
function textLine({ series, time, fields }: Reading): string {
  const date = new Date(Math.floor(time / 1000));
  const tags = Array.from(series.tags, ([name, value]) => ` ${name}=${value}`).join("");
  const values = Array.from(fields, ([name, value]) => {
    const unit = series.units.get(name);
    return `${name === valueField ? "" : `${name}=`}${value}${unit === undefined ? "" : ` ${unit}`}`;
  });
  const fraction = String(date.getMilliseconds()).padStart(3, "0");
  const clock = `${localDay(date, "-")} ${localClock(date)}.${fraction}`;
  return toVisible(`${clock} ${series.name}${tags} ${values.join(" ")}`);
}

/**
 * What `tconsume -ctype stdout` of the original printed: `"23/11/2026 12:59:50","site/hall/temp","21.5"`, when it came
 * by the local clock, topic and payload. The original left quotes in a payload as they are; here they are doubled.
 */
function csvLine({ message }: MappedMessage): string {
  const date = new Date(Math.floor(message.arrivedAt / 1000));
  const cells = [`${localDay(date, "/")} ${localClock(date)}`, message.topic, `${message.payload}`];
  return cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(",");
}

/** Year first with `-`, day first with `/`. */
function localDay(date: Date, separator: "-" | "/"): string {
  const parts = [String(date.getFullYear()), two(date.getMonth() + 1), two(date.getDate())];
  return (separator === "-" ? parts : parts.reverse()).join(separator);
}

function localClock(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
}

function two(value: number): string {
  return String(value).padStart(2, "0");
}
