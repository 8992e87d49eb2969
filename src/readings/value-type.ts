/** What a mapping file wants a value to be, and what counts as that. */

import { toFieldValue } from "./field-collector.ts";
import { readNumberText } from "./number-text.ts";
import { isNoValue } from "./payload-auto.ts";
import type { FieldValue } from "./reading.ts";
import { unreadable } from "./refusals.ts";

export const valueTypes = ["number", "text", "boolean"] as const;
export type ValueType = (typeof valueTypes)[number];

const truths: ReadonlyMap<string, boolean> = new Map([
  ...["true", "on", "yes", "1", "online", "open"].map((word) => [word, true] as const),
  ...["false", "off", "no", "0", "offline", "closed"].map((word) => [word, false] as const),
]);

/**
 * @param value of JSON or CBOR, or the text of a payload
 * @returns undefined where it is none: null, and "NaN" where a number is wanted
 * @throws TstackError PAYLOAD_UNREADABLE where it is something else
 */
export function readAs(type: ValueType, value: unknown): FieldValue | undefined {
  if (typeof value === "object" && value !== null) {
    throw unreadable(`there is an object or a list where the mapping says ${type}`);
  }
  const given = toFieldValue(value);
  if (given === undefined) return undefined;
  switch (type) {
    case "text":
      return String(given);
    case "number":
      return toNumber(given);
    case "boolean":
      return toBoolean(given);
  }
}

function toNumber(given: FieldValue): number | undefined {
  if (typeof given !== "string") return Number(given);
  const value = readNumberText(given);
  if (value !== undefined || isNoValue(given.trim())) return value;
  throw unreadable("there is no number where the mapping says number");
}

function toBoolean(given: FieldValue): boolean | undefined {
  const word = String(given).trim().toLowerCase();
  const value = truths.get(word);
  if (value !== undefined || isNoValue(word)) return value;
  throw unreadable(
    `there is none of ${[...truths.keys()].join(", ")} where the mapping says boolean`,
  );
}
