/**
 * From a value to fields: an object's and a list's values get the names and numbers on the way to them, with a point
 * between: `sensors.0.temperature`. Always holds: numbers are finite, text is well-formed Unicode, no name is empty.
 */
import { depthMax, fieldsMax, nameLengthMax, textLengthMax } from "./bounds.ts";
import { type FieldValue, valueField } from "./reading.ts";
import { unreadable } from "./refusals.ts";

const nothing: ReadonlySet<string> = new Set();

export class FieldCollector {
  readonly fields = new Map<string, FieldValue>();
  readonly #omitted: ReadonlySet<string>;

  /** @param omitted names that are left out, with all that lies below them */
  constructor(omitted: ReadonlySet<string> = nothing) {
    this.#omitted = omitted;
  }

  /** @param value of JSON or CBOR; null, what is no number, and undefined are no field */
  add(value: unknown, name = "", depth = 0): void {
    if (typeof value === "object" && value !== null) {
      if (depth >= depthMax) throw unreadable(`the payload is deeper than ${depthMax} levels`);
      for (const [key, inner] of listEntries(value)) this.#addInner(inner, key, name, depth);
      return;
    }
    const field = toFieldValue(value);
    if (field !== undefined) this.set(name || valueField, field);
  }

  set(name: string, value: FieldValue): void {
    if (name.length > nameLengthMax) {
      throw unreadable(`the name of a field has more than ${nameLengthMax} characters`);
    }
    if (typeof value === "string" && value.length > textLengthMax) {
      throw unreadable(`a text has more than ${textLengthMax} characters`);
    }
    this.fields.set(name, typeof value === "string" ? value.toWellFormed() : value);
    if (this.fields.size > fieldsMax) {
      throw unreadable(`the payload has more than ${fieldsMax} fields`);
    }
  }

  #addInner(value: unknown, key: string, outer: string, depth: number): void {
    const own = key === "" ? "_" : key.toWellFormed();
    const name = outer === "" ? own : `${outer}.${own}`;
    if (this.#omitted.size > 0 && this.#omitted.has(name)) return;
    this.add(value, name, depth + 1);
  }
}

/** Undefined where the value is none: null, NaN, or something that is not a single value. */
export function toFieldValue(value: unknown): FieldValue | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : undefined;
    case "bigint":
      return toFieldValue(Number(value));
    default:
      return undefined;
  }
}

function* listEntries(container: object): Generator<[key: string, value: unknown]> {
  if (!(container instanceof Map)) {
    for (const key of Object.keys(container)) {
      yield [key, (container as Record<string, unknown>)[key]];
    }
    return;
  }
  for (const [key, value] of container) yield [String(key), value];
}
