/**
 * Which topics a rule is for, and what their levels are: `site/+building/+room/#metric`. `+` and `+name` stand for one
 * level, `#` and `#name` at the end for all that follow, also none. A level that begins with `$` is an attribute, as in
 * Homie, and not meant by `+`.
 */
import { misconfigured } from "./refusals.ts";

type Level =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "any"; readonly name: string | undefined };

export interface TopicPattern {
  readonly text: string;
  readonly levels: readonly Level[];
  readonly rest: { readonly name: string | undefined } | undefined;
  /** Of levels and of the rest, in their order. */
  readonly names: readonly string[];
}

/** What a topic has for a pattern that it matches. */
export interface MatchedTopic {
  /** By the names in the pattern; may be empty text. */
  readonly named: ReadonlyMap<string, string>;
  /** The levels that the pattern says, and the rest without a name; may be empty. */
  readonly plain: string;
}

/** Of levels and tags. */
export const namePattern = /^[\p{L}\p{N}_-]{1,64}$/u;
const levelsMax = 128;

/** @throws TstackError CONFIGURATION_INVALID */
export function parseTopicPattern(text: string): TopicPattern {
  const parts = text.split("/");
  if (parts.length > levelsMax) throw misconfigured(`has more than ${levelsMax} levels`);
  const last = parts[parts.length - 1];
  const rest = last.startsWith("#") ? { name: readName(last) } : undefined;
  if (rest !== undefined) parts.pop();
  const levels = parts.map(parseLevel);
  const nameOf = (level: Level) => (level.kind === "any" ? level.name : undefined);
  const names = [...levels.map(nameOf), rest?.name].filter((name) => name !== undefined);
  const double = names.find((name, index) => names.indexOf(name) !== index);
  if (double !== undefined) throw misconfigured(`names two levels ${double}`);
  return { text, levels, rest, names };
}

function parseLevel(text: string): Level {
  if (text.startsWith("+")) return { kind: "any", name: readName(text) };
  if (text.startsWith("#"))
    throw misconfigured(
      `has ${JSON.stringify(text)} before its end: the rest of a topic comes last`,
    );
  if (/[+#\0]/.test(text))
    throw misconfigured(`has + or # inside a level: ${JSON.stringify(text)}`);
  return { kind: "literal", text };
}

function readName(level: string): string | undefined {
  const name = level.slice(1);
  if (name === "") return undefined;
  if (namePattern.test(name)) return name;
  throw misconfigured(`has ${JSON.stringify(level)}: names have letters, digits, _ and -`);
}

/** Undefined where the pattern is not for this topic. */
export function matchTopic(
  { levels, rest }: TopicPattern,
  topic: readonly string[],
): MatchedTopic | undefined {
  if (rest === undefined ? topic.length !== levels.length : topic.length < levels.length) {
    return undefined;
  }
  if (!levels.every((level, index) => isLevelOf(level, topic[index]))) return undefined;
  const named = new Map<string, string>();
  const plain: string[] = [];
  for (const [index, level] of levels.entries()) {
    if (level.kind === "literal") plain.push(level.text);
    else if (level.name !== undefined) named.set(level.name, topic[index]);
  }
  const following = topic.slice(levels.length);
  if (rest?.name === undefined) plain.push(...following);
  else named.set(rest.name, following.join("/"));
  return { named, plain: plain.join("/") };
}

function isLevelOf(level: Level, text: string): boolean {
  return level.kind === "literal" ? level.text === text : !text.startsWith("$");
}

/** Whether every topic that `inner` is for is one of `outer` as well. */
export function coversPattern(outer: TopicPattern, inner: TopicPattern): boolean {
  const isLonger = inner.levels.length > outer.levels.length || inner.rest !== undefined;
  if (outer.levels.length > inner.levels.length || (isLonger && !outer.rest)) return false;
  return outer.levels.every((level, index) => {
    const other = inner.levels[index];
    return other.kind === "literal" ? isLevelOf(level, other.text) : level.kind === "any";
  });
}
