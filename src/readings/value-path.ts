/**
 * Where a value lies in a document: keys and numbers of list items with a point between, `sensors.0.temperature`. A
 * point that belongs to a key has a backslash before it. A payload that is one value has it at `value`.
 */
import { valueField } from "./reading.ts";
import { misconfigured } from "./refusals.ts";

export type ValuePath = readonly string[];

/** @throws TstackError CONFIGURATION_INVALID */
export function parseValuePath(text: string): ValuePath {
  const keys = text.split(/(?<!\\)\./).map((key) => key.replaceAll("\\.", "."));
  if (!keys.includes("")) return keys;
  const message = `${JSON.stringify(text)} is no path: keys with a point between, as sensors.0.temp`;
  throw misconfigured(message);
}

/** @param document of JSON or CBOR. Undefined where there is nothing. */
export function findValue(document: unknown, path: ValuePath): unknown {
  if (typeof document !== "object" || document === null) {
    return path.length === 1 && path[0] === valueField ? document : undefined;
  }
  return path.reduce(findInner, document);
}

/** Keys and items only: neither `length` nor `constructor`. */
function findInner(value: unknown, key: string): unknown {
  if (value instanceof Map) return value.get(key);
  if (typeof value !== "object" || value === null) return undefined;
  return Object.prototype.propertyIsEnumerable.call(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
