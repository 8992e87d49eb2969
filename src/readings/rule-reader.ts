/** From a rule as people write it to one that can be applied, with all that is only wrong together. */
import { TstackError } from "../base/index.ts";
import type { RuleShape } from "./mapping-shape.ts";
import { parseNameTemplate } from "./name-template.ts";
import type { DocumentRule, FieldRule, LinesRule, Rule } from "./rule.ts";
import { checkKeys, checkName } from "./rule-checks.ts";
import { parseTopicPattern } from "./topic-pattern.ts";
import { parseValuePath, type ValuePath } from "./value-path.ts";

export type RulePath = readonly (string | number)[];

/** Is told what is wrong, and where in the rule. */
export type Report = (path: RulePath, message: string) => void;

/** Undefined where there is no rule to speak of; `report` has heard why. */
export function readRule(shape: RuleShape, place: string, report: Report): Rule | undefined {
  const attempt = <T>(path: RulePath, read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof TstackError)) throw error;
      report(path, error.message);
      return undefined;
    }
  };
  const pattern = attempt(["topic"], () => parseTopicPattern(shape.topic));
  if (pattern === undefined) return undefined;
  checkKeys(shape, report);
  const { name, tags = {}, units = {} } = shape;
  const template =
    name === undefined
      ? undefined
      : attempt(["name"], () => parseNameTemplate(name, pattern.names));
  if (shape.drop !== true) checkName(shape, pattern, report);
  for (const tag of Object.keys(tags)) {
    if (!pattern.names.includes(tag)) continue;
    report(["tags", tag], `has the name of a level of topic: leave one of them away`);
  }
  const constants = Object.entries(tags).filter(([, value]) => typeof value !== "object");
  const pathOf = (text: string, path: RulePath) => attempt(path, () => parseValuePath(text)) ?? [];
  return {
    place,
    pattern,
    name: template,
    constants: new Map(constants.map(([key, value]) => [key, String(value)])),
    units: new Map(Object.entries(units)),
    payload: shape.drop === true ? undefined : readPayloadRule(shape, pathOf),
  };
}

function readPayloadRule(
  { payload, precision = "ns", fields, omit = [], tags = {}, time }: RuleShape,
  pathOf: (text: string, path: RulePath) => ValuePath,
): DocumentRule | LinesRule {
  if (payload === "influx") return { format: payload, precision };
  const tagRules = Object.entries(tags).flatMap(([name, value]) =>
    typeof value === "object" ? [{ name, path: pathOf(value.path, ["tags", name]) }] : [],
  );
  const timeRule =
    time === undefined || time === "arrival"
      ? undefined
      : { path: pathOf(time.path, ["time"]), unit: time.unit };
  const omitted = omit.map((text, index) => pathOf(text, ["omit", index]));
  if (timeRule !== undefined) omitted.push(timeRule.path);
  omitted.push(...tagRules.map(({ path }) => path));
  const fieldRules =
    fields &&
    Object.entries(fields).map(([name, value]): FieldRule => {
      const { path, as } = typeof value === "string" ? { path: value, as: undefined } : value;
      return { name, path: pathOf(path, ["fields", name]), type: as };
    });
  return {
    format: payload,
    fields: fieldRules,
    // What is asked for by name is not left out.
    omitted: new Set(fields === undefined ? omitted.map((path) => path.join(".")) : []),
    tags: tagRules,
    time: timeRule,
  };
}
