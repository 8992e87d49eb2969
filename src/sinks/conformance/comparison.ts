/** What a destination should hold, by its traits, against what it holds. Names are not compared: it may clean them. */
import type { MappedMessage } from "../sink.ts";
import type { SinkTraits, StoredValue } from "./sink-under-test.ts";

/** The values of messages as the destination can hold them. */
export function valuesOf(
  messages: readonly MappedMessage[],
  traits: SinkTraits,
): readonly StoredValue[] {
  const values = messages.flatMap(({ readings }) =>
    readings.flatMap(({ series, time, fields }) =>
      Array.from(fields, ([field, value]) => ({ series: series.name, field, time, value })),
    ),
  );
  return values
    .filter(({ value }) => traits.keepsText || typeof value !== "string")
    .map(({ value, ...rest }) => ({
      ...rest,
      value: typeof value === "boolean" && !traits.keepsBooleans ? Number(value) : value,
    }));
}

interface Comparison {
  /** By index of what was expected. */
  readonly matches: readonly (readonly StoredValue[])[];
  readonly unexpected: readonly StoredValue[];
}

/** Goes by time and value, so both together must differ within a trial. */
export function compare(
  expected: readonly StoredValue[],
  stored: readonly StoredValue[],
  traits: SinkTraits,
): Comparison {
  const matches = expected.map((): StoredValue[] => []);
  const unexpected: StoredValue[] = [];
  for (const value of stored) {
    const index = expected.findIndex((wanted) => isSame(wanted, value, traits));
    if (index < 0) unexpected.push(value);
    else matches[index].push(value);
  }
  return { matches, unexpected };
}

function isSame(
  wanted: StoredValue,
  stored: StoredValue,
  { timeStep, relativeError = 0 }: SinkTraits,
): boolean {
  if (timeStep !== Number.POSITIVE_INFINITY && Math.abs(wanted.time - stored.time) >= timeStep) {
    return false;
  }
  if (typeof wanted.value !== "number" || typeof stored.value !== "number") {
    return wanted.value === stored.value;
  }
  return Math.abs(wanted.value - stored.value) <= Math.abs(wanted.value) * relativeError;
}
