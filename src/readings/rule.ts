/** A rule of a mapping file, ready to be applied: what of a topic and of a payload becomes name, tags, fields and time. */
import { textLengthMax } from "./bounds.ts";
import { FieldCollector } from "./field-collector.ts";
import type { NameTemplate } from "./name-template.ts";
import type { DocumentFormat } from "./payload-format.ts";
import { type NumericTimeUnit, readTime, type TimeUnit } from "./payload-time.ts";
import type { FieldValue } from "./reading.ts";
import { unreadable } from "./refusals.ts";
import type { TopicPattern } from "./topic-pattern.ts";
import { findValue, type ValuePath } from "./value-path.ts";
import { readAs, type ValueType } from "./value-type.ts";

export interface Rule {
  /** `mapping.yaml:7`, for people. */
  readonly place: string;
  readonly pattern: TopicPattern;
  /** Undefined: as the pattern has it, or the measurement of a line. */
  readonly name: NameTemplate | undefined;
  readonly constants: ReadonlyMap<string, string>;
  readonly units: ReadonlyMap<string, string>;
  /** Undefined: messages are dropped. */
  readonly payload: DocumentRule | LinesRule | undefined;
}

export interface LinesRule {
  readonly format: "influx";
  readonly precision: NumericTimeUnit;
}

export interface DocumentRule {
  readonly format: DocumentFormat;
  /** Undefined: all that the payload has. */
  readonly fields: readonly FieldRule[] | undefined;
  /** Names of fields that are left out. */
  readonly omitted: ReadonlySet<string>;
  readonly tags: readonly { readonly name: string; readonly path: ValuePath }[];
  readonly time: { readonly path: ValuePath; readonly unit: TimeUnit } | undefined;
}

export interface FieldRule {
  readonly name: string;
  readonly path: ValuePath;
  readonly type: ValueType | undefined;
}

/** @throws TstackError PAYLOAD_UNREADABLE, as the next two do */
export function readFields(
  { fields, omitted }: DocumentRule,
  document: unknown,
): ReadonlyMap<string, FieldValue> {
  const collector = new FieldCollector(omitted);
  if (fields === undefined) collector.add(document);
  for (const { name, path, type } of fields ?? []) {
    const value = findValue(document, path);
    collector.add(type === undefined ? value : readAs(type, value), name);
  }
  return collector.fields;
}

/** Without those that the payload does not have. */
export function readTags({ tags }: DocumentRule, document: unknown): [string, string][] {
  return tags.flatMap(({ name, path }) => {
    const value = readAs("text", findValue(document, path));
    if (value === undefined) return [];
    const text = String(value).toWellFormed();
    if (text.length <= textLengthMax) return [[name, text]];
    throw unreadable(`the value of the tag ${name} has more than ${textLengthMax} characters`);
  });
}

/** Undefined where the rule takes the time of the arrival. */
export function readDocumentTime({ time }: DocumentRule, document: unknown): number | undefined {
  return time === undefined ? undefined : readTime(findValue(document, time.path), time.unit);
}
