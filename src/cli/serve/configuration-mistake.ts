/**
 * What is wrong with a configuration, as people can mend it: where it stands, which key it is, what is expected there.
 * Never repeats a value, since a value may be a password.
 */
import type { z } from "zod";
import { suggest, TstackError } from "../../base/index.ts";
import { type ConfigurationPath, describePath } from "./configuration-path.ts";

export interface Mistake {
  readonly path: ConfigurationPath;
  readonly message: string;
  /** The key itself is the mistake, not its value. */
  readonly isKey?: boolean;
}

/** Gathers what is found while a configuration whose shape is right is read further. */
export interface Findings {
  readonly mistakes: Mistake[];
  /** What works but is probably not meant, each one line for people. */
  readonly warnings: string[];
  /** `tserve.yaml:14` or the variable that said it. */
  locateLine(path: ConfigurationPath): string;
}

/** Thrown with every mistake that was found, each one line for people. */
export class ConfigurationError extends TstackError {
  readonly lines: readonly string[];

  constructor(lines: readonly string[], options?: ErrorOptions) {
    super("CONFIGURATION_INVALID", lines.join("\n"), options);
    this.name = "ConfigurationError";
    this.lines = lines;
  }
}

/** `tserve.yaml:7:5 users[0].name: expected text, not a number` */
export function describeMistake(place: string, { path, message }: Mistake): string {
  return path.length === 0 ? `${place}: ${message}` : `${place} ${describePath(path)}: ${message}`;
}

/** `findKeys` knows which keys there may be at a path, for "did you mean". */
export function readIssues(
  issues: readonly z.core.$ZodIssue[],
  findKeys: (path: ConfigurationPath) => readonly string[],
): Mistake[] {
  return issues.flatMap((issue) => readIssue(issue, [], findKeys));
}

function readIssue(
  issue: z.core.$ZodIssue,
  outer: ConfigurationPath,
  findKeys: (path: ConfigurationPath) => readonly string[],
): Mistake[] {
  const path = [...outer, ...(issue.path as (string | number)[])];
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => describeUnknownKey([...path, key], findKeys(path)));
    case "invalid_union": {
      const meant = issue.errors.find((errors) => !errors.some(isOfAnotherType));
      if (meant !== undefined) return meant.flatMap((inner) => readIssue(inner, path, findKeys));
      const expected = issue.errors.flat().map((inner) => describeExpected(inner));
      return [{ path, message: describeUnexpected(expected.join(" or "), issue.input) }];
    }
    case "invalid_value":
      return [{ path, message: describeWrongWord(issue.values.map(String), issue.input) }];
    case "too_small":
      if (issue.origin === "string" || issue.origin === "array")
        return [{ path, message: "must not be empty" }];
      return [{ path, message: `must be at least ${issue.minimum}` }];
    case "too_big":
      return [{ path, message: `must be at most ${issue.maximum}` }];
    default:
      return [{ path, message: describeUnexpected(describeExpected(issue), issue.input) }];
  }
}

/** The alternative of a union that was not meant: the value is not even of its type. */
function isOfAnotherType(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_type" && issue.path.length === 0;
}

function describeWrongWord(words: readonly string[], value: unknown): string {
  const expected = `one of ${words.join(", ")}`;
  if (typeof value !== "string") return describeUnexpected(expected, value);
  const suggestion = suggest(value, words);
  return `expected ${expected}${suggestion === undefined ? "" : `; did you mean ${suggestion}?`}`;
}

function describeUnexpected(expected: string, value: unknown): string {
  if (value === undefined) return `is missing; expected ${expected}`;
  if (value === null)
    return `is empty; expected ${expected}; a value that starts with # needs quotes`;
  if (Array.isArray(value)) return `expected ${expected}, not a list`;
  const found = Number.isInteger(value) ? "int" : typeof value;
  return `expected ${expected}, not ${typeNames[found]}`;
}

const typeNames: Record<string, string> = {
  string: "text",
  number: "a number with a fraction",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "keys with values",
};

function describeExpected(issue: z.core.$ZodIssue): string {
  if (issue.code !== "invalid_type") return issue.message;
  // All numbers of this configuration are whole ones.
  return typeNames[issue.expected === "number" ? "int" : issue.expected] ?? issue.expected;
}

function describeUnknownKey(path: ConfigurationPath, known: readonly string[]): Mistake {
  const suggestion = suggest(String(path.at(-1)), known);
  const hint =
    suggestion === undefined ? `known are ${known.join(", ")}` : `did you mean ${suggestion}?`;
  return { path, message: `unknown key; ${hint}`, isKey: true };
}
