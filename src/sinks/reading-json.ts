/** A reading as a JSON object: lines of stdout and of files, and what a webhook gets. */
import type { FieldValue, Reading } from "../readings/index.ts";

const microsecondsPerMillisecond = 1000;

export interface ReadingJson {
  readonly time: string;
  readonly topic: string;
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly units?: Readonly<Record<string, string>>;
}

/** `tags` and `units` are there where there are some. */
export function toReadingJson({ series, time, fields }: Reading): ReadingJson {
  const { topic, name, tags, units } = series;
  return {
    time: isoTime(time),
    topic,
    name,
    ...(tags.size > 0 && { tags: Object.fromEntries(tags) }),
    fields: Object.fromEntries(fields),
    ...(units.size > 0 && { units: Object.fromEntries(units) }),
  };
}

/** `2026-11-23T12:59:50.123456Z` of microseconds since 1970. */
export function isoTime(time: number): string {
  const milliseconds = Math.floor(time / microsecondsPerMillisecond);
  const microseconds = time - milliseconds * microsecondsPerMillisecond;
  const text = new Date(milliseconds).toISOString();
  return `${text.slice(0, -1)}${String(microseconds).padStart(3, "0")}Z`;
}
