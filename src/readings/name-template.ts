/** How a reading is called after levels of its topic: `{room} {metric}`. */
import { suggest } from "../base/index.ts";
import { misconfigured, showName } from "./refusals.ts";

/** Text and names of levels in turn: the first is text, and so is the last. */
export type NameTemplate = readonly string[];

/**
 * @param names that the topic's pattern has
 * @throws TstackError CONFIGURATION_INVALID
 */
export function parseNameTemplate(text: string, names: readonly string[]): NameTemplate {
  const parts = text.split(/\{([^{}]*)\}/);
  if (parts.some((part, index) => index % 2 === 0 && /[{}]/.test(part))) {
    throw misconfigured(
      "has a { or } alone: {metric} stands for the level that topic calls +metric",
    );
  }
  const unknown = parts.find((part, index) => index % 2 === 1 && !names.includes(part));
  if (unknown === undefined) return parts;
  const meant = suggest(unknown, names);
  const hint =
    meant !== undefined
      ? `did you mean {${meant}}?`
      : names.length > 0
        ? `there are ${names.map((name) => `{${name}}`).join(", ")}`
        : "give one a name, as +room or #metric";
  throw misconfigured(`has {${showName(unknown)}}, which no level of topic is called; ${hint}`);
}

export function namesInTemplate(template: NameTemplate): readonly string[] {
  return template.filter((_, index) => index % 2 === 1);
}

export function fillTemplate(template: NameTemplate, named: ReadonlyMap<string, string>): string {
  return template.map((part, index) => (index % 2 === 0 ? part : named.get(part))).join("");
}
