/**
 * Reads a mapping file. Always holds: what is wrong is told with its line and what to write instead, many of it at
 * once; nothing that is wrong is passed over.
 */
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { suggest, type TstackError } from "../base/index.ts";
import { createDefaultMapping } from "./default-mapping.ts";
import type { Mapping } from "./mapping.ts";
import { listKeys, type MappingShape, mappingShape } from "./mapping-shape.ts";
import { misconfigured, showName } from "./refusals.ts";
import type { Rule } from "./rule.ts";
import { RuleMapping } from "./rule-mapping.ts";
import { readRule } from "./rule-reader.ts";
import { coversPattern } from "./topic-pattern.ts";

const fileLengthMax = 1_048_576;
const mistakesMax = 20;

type MistakePath = readonly (string | number)[];

interface Mistake {
  readonly path: MistakePath;
  /** Follows the name of what is at the path. */
  readonly message: string;
}

/** @throws TstackError CONFIGURATION_INVALID: one line for each mistake, `mapping.yaml:7: ...` */
export function readMappingFile(text: string, file: string): Mapping {
  if (text.length > fileLengthMax) {
    throw invalid([`${file}: has more than ${fileLengthMax} characters`]);
  }
  const { values, lineOf } = readYaml(text, file);
  const tell = (mistakes: readonly Mistake[]) => {
    const places = mistakes.map((mistake) => ({ line: lineOf(mistake.path), mistake }));
    places.sort((one, other) => one.line - other.line);
    return invalid(places.map(({ line, mistake }) => `${file}:${line}: ${describe(mistake)}`));
  };
  const parsed = mappingShape.safeParse(values, { reportInput: true });
  if (!parsed.success) throw tell(parsed.error.issues.flatMap(readIssue));
  const mistakes: Mistake[] = [];
  const rules = readRules(parsed.data, (path) => `${file}:${lineOf(path)}`, mistakes);
  if (mistakes.length > 0) throw tell(mistakes);
  const others = parsed.data.others === "drop" ? { map: () => [] } : createDefaultMapping();
  return new RuleMapping(rules, others);
}

function invalid(lines: readonly string[]): TstackError {
  const rest = lines.length - mistakesMax;
  const shown = rest > 0 ? [...lines.slice(0, mistakesMax), `and ${rest} more`] : lines;
  return misconfigured(shown.join("\n"));
}

function readYaml(text: string, file: string) {
  const lineCounter = new LineCounter();
  const document = parseYaml(text, file, lineCounter);
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(({ pos, message }) => {
        const [words] = message.split(/ at line \d|\n/, 1);
        return `${file}:${lineCounter.linePos(pos[0]).line}: this is no YAML: ${words}`;
      }),
    );
  }
  const lineOf = (path: MistakePath) => lineCounter.linePos(findOffset(document, path)).line || 1;
  return { values: toValues(document, file), lineOf };
}

function parseYaml(text: string, file: string, lineCounter: LineCounter): Document.Parsed {
  try {
    return parseDocument(text, { lineCounter, logLevel: "error" });
  } catch (error) {
    throw misconfigured(`${file}: this is no YAML that can be read`, { cause: error });
  }
}

function toValues(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const message = `${file}: its aliases grow beyond measure, or one stands for nothing`;
    throw misconfigured(message, { cause: error });
  }
}

/** Of the key at the path, or of what is nearest around it. */
function findOffset(document: Document.Parsed, path: MistakePath): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1));
    const key = path[length - 1];
    const node = isMap(parent)
      ? parent.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === key)?.key
      : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function readIssue(issue: z.core.$ZodIssue): Mistake[] {
  const path = issue.path.map((key) => (typeof key === "number" ? key : String(key)));
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: describeUnknown(key, listKeys(path)),
      }));
    case "invalid_value": {
      const words = issue.values.map(String);
      const meant = typeof issue.input === "string" ? suggest(issue.input, words) : undefined;
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      return [{ path, message: `must be one of ${words.join(", ")}${hint}` }];
    }
    case "invalid_key":
      return [{ path, message: "must be called by letters, digits, _ and -, and not too long" }];
    default:
      if (issue.input !== undefined) return [{ path, message: issue.message }];
      return [{ path, message: `is missing; it ${issue.message}` }];
  }
}

function describeUnknown(key: string, known: readonly string[]): string {
  const meant = suggest(key, known);
  return `is no key here; ${meant === undefined ? `there are ${known.join(", ")}` : `did you mean ${meant}?`}`;
}

function describe({ path, message }: Mistake): string {
  const [, rule, ...inRule] = path;
  if (inRule.length > 0) {
    const [key, ...inner] = inRule;
    const words = inner.map((part) =>
      typeof part === "number" ? `[${part}]` : `.${showName(part)}`,
    );
    return `${showName(String(key))}${words.join("")} ${message}`;
  }
  if (rule !== undefined) return `the rule ${message}`;
  return `${path.length === 0 ? "the file" : showName(String(path[0]))} ${message}`;
}

function readRules(
  { rules }: MappingShape,
  placeOf: (path: MistakePath) => string,
  mistakes: Mistake[],
): Rule[] {
  const read: Rule[] = [];
  for (const [index, shape] of rules.entries()) {
    const outer = ["rules", index];
    const rule = readRule(shape, placeOf(outer), (path, message) =>
      mistakes.push({ path: [...outer, ...path], message }),
    );
    if (rule === undefined) continue;
    const earlier = read.find(({ pattern }) => coversPattern(pattern, rule.pattern));
    read.push(rule);
    if (earlier === undefined) continue;
    const message = `is never reached: the rule of ${earlier.place} takes all that it is for`;
    mistakes.push({ path: [...outer, "topic"], message });
  }
  return read;
}
