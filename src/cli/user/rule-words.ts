/**
 * Rules as words, in the command line and in what tuser prints: `FILTER` alone allows to publish and to subscribe, and
 * `deny subscribe FILTER qos 0,1 retain no` says all there is to say. What is written here is read back as the same rule. A
 * filter with blanks, or one that is a word of these, stands in quotes, as in JSON: otherwise a denial with a slip of the
 * pen would be a right.
 */
import type { QoS, Rule } from "../../admin/index.ts";
import { findMistakeInRule } from "../../auth/index.ts";
import { toVisible } from "../../base/index.ts";
import { UsageError } from "../client/index.ts";

const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const pattern = new RegExp(
  String.raw`^(?:(?<effect>allow|deny)\s+)?(?:(?<action>publish|subscribe|both)\s+)?(?<filter>${quoted}|.+?)(?:\s+qos\s+(?<qos>[0-2](?:\s*,\s*[0-2])*))?(?:\s+retain\s+(?<retain>yes|no))?$`,
  "s",
);
const keywords: ReadonlySet<string> = new Set([
  "allow",
  "deny",
  "publish",
  "subscribe",
  "both",
  "qos",
  "retain",
]);

/** @throws UsageError that says what is wrong */
export function parseRule(words: string, effectBefore?: "allow" | "deny"): Rule {
  const {
    effect = effectBefore ?? "allow",
    action = "both",
    filter = "",
    qos,
    retain,
  } = pattern.exec(words)?.groups ?? {};
  if (effectBefore !== undefined && effect !== effectBefore) {
    throw new UsageError(`--${effectBefore} ${JSON.stringify(words)} contradicts itself`);
  }
  const rule = {
    [effect]: action,
    filter: unquote(filter, words),
    ...(qos === undefined ? {} : { qos: qos.split(",").map((digit) => Number(digit) as QoS) }),
    ...(retain === undefined ? {} : { retain: retain === "yes" }),
  } as Rule;
  const mistake = findMistakeInRule(rule);
  if (mistake === undefined) return rule;
  throw new UsageError(`the rule ${JSON.stringify(words)}: ${mistake}`);
}

function unquote(filter: string, words: string): string {
  if (!filter.startsWith('"')) {
    if (!/\s/.test(filter) && !keywords.has(filter)) return filter;
    throw new UsageError(
      `the rule ${JSON.stringify(words)}: ${JSON.stringify(filter)} is no filter. A rule is one argument, 'deny publish a/b'; a filter with blanks stands in double quotes in it, '"living room/#"'`,
    );
  }
  try {
    return JSON.parse(filter) as string;
  } catch (cause) {
    const message = `the rule ${JSON.stringify(words)}: a filter in quotes is written as in JSON`;
    throw new UsageError(message, { cause });
  }
}

/** In the form that `parseRule` reads. */
export function formatRule(rule: Rule): string {
  const plain = formatWith(rule, rule.filter);
  if (isReadAs(plain, rule)) return plain;
  return formatWith(rule, toVisible(JSON.stringify(rule.filter)));
}

function formatWith({ allow, deny, qos, retain }: Rule, filter: string): string {
  if (allow === "both" && qos === undefined && retain === undefined) return filter;
  const effect = deny === undefined ? `allow ${allow}` : `deny ${deny}`;
  const ofQos = qos === undefined ? "" : ` qos ${qos.join(",")}`;
  const ofRetain = retain === undefined ? "" : ` retain ${retain ? "yes" : "no"}`;
  return `${effect} ${filter}${ofQos}${ofRetain}`;
}

function isReadAs(words: string, rule: Rule): boolean {
  // A terminal must not see them as they are.
  if (toVisible(words) !== words) return false;
  try {
    return isSameRule(parseRule(words), rule);
  } catch {
    return false; // a filter that must stand in quotes
  }
}

export function isSameRule(one: Rule, other: Rule): boolean {
  return keyOf(one) === keyOf(other);
}

function keyOf({ allow, deny, filter, qos, retain }: Rule): string {
  return JSON.stringify([allow, deny, filter, qos?.toSorted(), retain]);
}
