/**
 * What InfluxDB says of a body that it did not want, or not all of. Messages are only named where that is certain:
 * nobody can call a measurement so that the answer about it looks like one about the measurement of another.
 */
import type { FieldValue } from "../../readings/index.ts";
import type { HttpAnswer } from "../http-post.ts";
import type { Body } from "./body.ts";
import { cleanField, cleanMeasurement } from "./format.ts";

/** What went wrong, in the words of any version; the whole answer where it has another form. Empty: nothing did. */
export function readError({ text }: HttpAnswer): string {
  const json = readJson(text);
  if (json === undefined) return text;
  const { error, message, results } = json;
  const said = message ?? error ?? (Array.isArray(results) ? results[0]?.error : undefined);
  return typeof said === "string" ? said : "";
}

/** Reasons by the index of the message, of those that surely are among the refused. */
export function findRefused(answer: HttpAnswer, body: Body): ReadonlyMap<number, string> {
  const said = readError(answer);
  const conflict = said.indexOf(conflictBegin);
  if (conflict >= 0) return findConflicting(said.slice(conflict), body);
  return findNamedLines(answer, body);
}

const conflictBegin = "partial write: field type conflict: ";
const conflictEnd = /^, already exists as type \w+ dropped=(\d+)$/;

/**
 * InfluxDB 1 and 2 tell of one field only, and how many points were dropped in all. Each point with that field of that
 * type is among them, unless there are fewer: then the field has another type in another shard.
 */
function findConflicting(said: string, body: Body): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  let points = 0;
  let dropped = 0;
  for (const { index, reading } of body) {
    for (const [name, value] of reading.fields) {
      const begin = `${conflictBegin}${describeField(cleanMeasurement(reading.series.name), name, value)}`;
      if (!said.startsWith(begin)) continue;
      const end = conflictEnd.exec(said.slice(begin.length));
      if (end === null) continue;
      dropped = Number(end[1]);
      points += 1;
      found.set(index, said);
      break;
    }
  }
  return points <= dropped ? found : new Map();
}

function describeField(measurement: string, name: string, value: FieldValue): string {
  const type = typeof value === "number" ? "float" : typeof value;
  return `input field "${cleanField(name)}" on measurement "${measurement}" is type ${type}`;
}

/** InfluxDB 3 says which lines it did not take, counted from 1. */
function findNamedLines({ text }: HttpAnswer, body: Body): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  const named = readJson(text)?.data;
  if (!Array.isArray(named)) return found;
  for (const entry of named) {
    const { line_number: number, error_message: reason } = entry ?? {};
    const line = Number.isInteger(number) ? body[number - 1] : undefined;
    if (line === undefined) return new Map();
    found.set(line.index, typeof reason === "string" ? reason : "refused without a reason");
  }
  return found;
}

interface AnswerFields {
  readonly error?: unknown;
  readonly message?: unknown;
  readonly results?: unknown;
  readonly data?: unknown;
}

function readJson(text: string): AnswerFields | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    // Of a proxy, or cut off: it is shown as it is.
    return undefined;
  }
}
