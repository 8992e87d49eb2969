/**
 * What a message says: values of one thing at one time. A reading is known by its series and its time; the same
 * reading written twice is one reading, wherever the destination can have it so.
 */

/** Finite numbers only. */
export type FieldValue = number | string | boolean;

/**
 * The thing that is measured. Readings of the same topic share the object for as long as the mapping remembers it, so
 * that sinks may keep in a WeakMap what they made of it; two objects with the same content are the same series.
 */
export interface Series {
  readonly topic: string;
  /** The topic, or what the mapping made of it. Never empty. */
  readonly name: string;
  /** In the order of their names. No empty name and no empty value. */
  readonly tags: ReadonlyMap<string, string>;
  /** Of fields, where the mapping says one: `°C`. */
  readonly units: ReadonlyMap<string, string>;
}

export interface Reading {
  readonly series: Series;
  /** Microseconds since 1970, whole: of the payload where the mapping says so, otherwise `arrivedAt` of the message. */
  readonly time: number;
  /** At least one. A payload that is one value is the field `value`. */
  readonly fields: ReadonlyMap<string, FieldValue>;
}

/** The name of the field of a payload that is one value. */
export const valueField = "value";
