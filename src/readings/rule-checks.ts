/** What in a rule of a mapping file is wrong because of something else in it. */
import { suggest } from "../base/index.ts";
import type { RuleShape } from "./mapping-shape.ts";
import { valueField } from "./reading.ts";
import { showName } from "./refusals.ts";
import type { Report } from "./rule-reader.ts";
import type { TopicPattern } from "./topic-pattern.ts";

const singleFormats: readonly string[] = ["number", "text", "boolean"];

export function checkKeys(shape: RuleShape, report: Report): void {
  const { payload, fields, omit, precision } = shape;
  if (shape.drop === true) {
    const isOther = (key: string) => key !== "topic" && key !== "drop" && key !== "payload";
    for (const key of Object.keys(shape).filter(isOther)) {
      report([key], "is not for a rule with drop: true, which has only a topic beside it");
    }
    return;
  }
  if (precision !== undefined && payload !== "influx") {
    report(
      ["precision"],
      "is only for payload: influx; other times are time: {path: ..., unit: ms}",
    );
  }
  if (payload === "influx") refusePaths(shape, "payload: influx: its lines say it", report);
  if (singleFormats.includes(payload)) {
    refusePaths(shape, `payload: ${payload}, which is a single value`, report);
  }
  if (fields !== undefined && Object.keys(fields).length === 0) {
    report(["fields"], "must not be empty: leave it away for all that the payload has");
  }
  if (fields !== undefined && omit !== undefined) {
    report(["omit"], "is for rules without fields, which take nothing but what they name");
  }
  checkUnits(shape, report);
}

/** What needs a document. */
function refusePaths({ payload, fields = {}, ...shape }: RuleShape, what: string, report: Report) {
  const message = `is not for ${what}`;
  if (shape.omit !== undefined) report(["omit"], message);
  if (typeof shape.time === "object") report(["time"], message);
  for (const [name, tag] of Object.entries(shape.tags ?? {})) {
    if (typeof tag === "object") report(["tags", name], message);
  }
  for (const [name, field] of Object.entries(fields)) {
    if (payload === "influx") report(["fields", name], message);
    else if (field !== valueField)
      report(["fields", name], `${message}; its path is ${valueField}`);
  }
}

function checkUnits({ fields, payload, units = {} }: RuleShape, report: Report): void {
  const known = singleFormats.includes(payload) ? [valueField] : undefined;
  const names = fields === undefined ? known : Object.keys(fields);
  if (names === undefined) return;
  for (const unit of Object.keys(units)) {
    if (names.some((name) => unit === name || unit.startsWith(`${name}.`))) continue;
    const meant = suggest(unit, names);
    const hint =
      meant === undefined
        ? `there are ${names.map(showName).join(", ")}`
        : `did you mean ${showName(meant)}?`;
    report(["units", unit], `is the unit of no field of this rule; ${hint}`);
  }
}

export function checkName({ name, payload }: RuleShape, pattern: TopicPattern, report: Report) {
  const hasPlain = pattern.levels.some(({ kind }) => kind === "literal");
  const hasRest = pattern.rest !== undefined && pattern.rest.name === undefined;
  if (name !== undefined || payload === "influx" || hasPlain || hasRest) return;
  const [first = "room"] = pattern.names;
  const message = `leaves nothing to call the readings by: add name: "{${first}}", or another text`;
  report(["topic"], message);
}
