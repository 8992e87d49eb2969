/** The rights of a configuration as `auth/` takes them; each knows its entry and its line. */
import { findMistakeInRight, findMistakeInRule, type Right, toRight } from "../../auth/index.ts";
import type { Findings } from "./configuration-mistake.ts";
import { type ConfigurationPath, describePath } from "./configuration-path.ts";
import type { RightsShape } from "./configuration-schema-rights.ts";

export function readRights(
  shape: RightsShape,
  path: ConfigurationPath,
  findings: Findings,
): Right[] {
  if (typeof shape === "string") return [readRight(shape, path, findings)];
  return shape.map((right, index) => readRight(right, [...path, index], findings));
}

function readRight(
  shape: Exclude<RightsShape, string>[number],
  path: ConfigurationPath,
  { mistakes, locateLine }: Findings,
): Right {
  const isFilter = typeof shape === "string";
  const rule = isFilter ? { allow: "both" as const, filter: shape } : shape;
  const right = toRight(rule, describePath(path), locateLine(path));
  const filterMistake = findMistakeInRight(right);
  const mistake = filterMistake ?? findMistakeInRule(rule);
  if (mistake !== undefined) {
    const isFilterOfRule = filterMistake !== undefined && !isFilter;
    mistakes.push({ path: isFilterOfRule ? [...path, "filter"] : path, message: mistake });
  }
  return right;
}
