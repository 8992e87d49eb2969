/** What may stand in a mapping file, with the words for what stands there wrongly: they follow the key's name. */
import { z } from "zod";
import { nameLengthMax } from "./bounds.ts";
import { payloadFormats } from "./payload-format.ts";
import { timeUnits } from "./payload-time.ts";
import { namePattern } from "./topic-pattern.ts";
import { valueTypes } from "./value-type.ts";

const rulesMax = 1_000;
const quotes = "what begins with { or # stands in quotes";

const text = z
  .string(`must be text; ${quotes}`)
  .min(1, "must not be empty")
  .max(nameLengthMax, `must have at most ${nameLengthMax} characters`);

const fieldName = z.string().min(1).max(nameLengthMax);
const fieldForm =
  "must be a path into the payload, or {path: sensors.0.temp, as: number|text|boolean}";
const field = z.union(
  [text, z.strictObject({ path: text, as: z.enum(valueTypes).optional() })],
  fieldForm,
);

const tagForm = "must be text that does not change, or {path: device.id} for what the payload says";
const tag = z.union([text, z.number(), z.boolean(), z.strictObject({ path: text })], tagForm);

const timeForm = `must be arrival, or {path: a.b, unit: ${timeUnits.join("|")}} for what the payload says`;
const time = z.union(
  [z.literal("arrival"), z.strictObject({ path: text, unit: z.enum(timeUnits) })],
  timeForm,
);

const fieldMap = "must have names of fields";
const ruleShape = z.strictObject(
  {
    topic: z
      .string(`must say which topics the rule is for, as site/+room/#metric; ${quotes}`)
      .min(1, "must not be empty"),
    drop: z.boolean("must be true or false").optional(),
    name: text.optional(),
    payload: z.enum(payloadFormats).default("auto"),
    precision: z.enum(["s", "ms", "us", "ns"]).optional(),
    fields: z.record(fieldName, field, `${fieldMap}, and for each its path`).optional(),
    omit: z.array(text, "must be a list of paths: [linkquality, update]").optional(),
    tags: z
      .record(z.string().regex(namePattern), tag, "must have names of tags with values")
      .optional(),
    time: time.optional(),
    units: z.record(fieldName, text, `${fieldMap}, and for each its unit in quotes`).optional(),
  },
  "must have keys: topic, and what becomes of its messages",
);

export const mappingShape = z.strictObject(
  {
    others: z.enum(["default", "drop"]).default("default"),
    rules: z
      .array(ruleShape, "must be a list: each rule begins with - topic:")
      .min(1, "must not be empty: without rules no mapping file is needed")
      .max(rulesMax, `must have at most ${rulesMax} rules`),
  },
  "must have the key rules, and under it a list",
);

export type RuleShape = z.infer<typeof ruleShape>;
export type MappingShape = z.infer<typeof mappingShape>;

/** The keys that there are at a place, for "did you mean". */
export function listKeys(path: readonly PropertyKey[]): readonly string[] {
  return Object.keys(path.length === 0 ? mappingShape.shape : ruleShape.shape);
}
