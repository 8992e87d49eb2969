/**
 * A right as people write it - in the configuration, in a token's claim, through the API, in the store - and as it is
 * checked. Rules are ordered: the first that applies decides, and where none does, it is refused. A rule in which no
 * mistake is found does what it says; one that says something unknown is a mistake, never ignored.
 */
import type { QoS } from "../codec/index.ts";
import { findMistakeInRight, type Right } from "./rights.ts";

export type RightAction = "publish" | "subscribe" | "both";

/** Exactly one of `allow` and `deny`. */
export interface Rule {
  readonly allow?: RightAction;
  readonly deny?: RightAction;
  /** A topic filter in which `%c` stands for the client identifier and `%u` for the user name. */
  readonly filter: string;
  /** The rule applies to these QoS only: of a message, or as asked for with a subscription. */
  readonly qos?: readonly QoS[];
  /** The rule applies to messages with, or without, RETAIN only. Such a rule says nothing of subscriptions. */
  readonly retain?: boolean;
}

const keys: ReadonlySet<string> = new Set(["allow", "deny", "filter", "qos", "retain"]);
const actions: ReadonlySet<unknown> = new Set(["publish", "subscribe", "both"]);

/** No topic is longer. */
const filterBytesMax = 65_535;

/**
 * What is wrong with what should be a rule, as the end of a sentence that begins with its place; undefined if it is one.
 *
 * @example
 * findMistakeInRule({ allow: "publish", filter: "a+" });
 * // its filter is not a topic filter: + stands for one whole level, # for all levels at the end
 */
export function findMistakeInRule(rule: unknown): string | undefined {
  if (typeof rule !== "object" || rule === null || Array.isArray(rule)) {
    return 'is not a rule such as { "allow": "publish", "filter": "home/#" }';
  }
  const unknownKey = Object.keys(rule).find((key) => !keys.has(key));
  if (unknownKey !== undefined) {
    return `has ${JSON.stringify(unknownKey)}, which is not one of ${[...keys].join(", ")}`;
  }
  const { allow, deny, filter, qos, retain } = rule as { [Key in keyof Rule]?: unknown };
  const action = allow ?? deny;
  if ((allow === undefined) === (deny === undefined) || !actions.has(action)) {
    return "needs either allow or deny, with publish, subscribe or both";
  }
  const filterMistake = findMistakeInFilter(action as RightAction, filter);
  if (filterMistake !== undefined) return `its filter ${filterMistake}`;
  return findMistakeInConditions(action as RightAction, qos, retain);
}

function findMistakeInFilter(action: RightAction, filter: unknown): string | undefined {
  if (typeof filter !== "string") return "is missing, or not text";
  if (!filter.isWellFormed()) return "is not valid Unicode";
  if (Buffer.byteLength(filter) > filterBytesMax) return `has more than ${filterBytesMax} bytes`;
  return findMistakeInRight({ action, filter });
}

function findMistakeInConditions(
  action: RightAction,
  qos: unknown,
  retain: unknown,
): string | undefined {
  if (qos !== undefined) {
    if (!Array.isArray(qos) || qos.length === 0 || !qos.every(isQoS))
      return "its qos is not a list of 0, 1 and 2";
    if (new Set(qos).size < qos.length) return "its qos has a number twice";
  }
  if (retain === undefined) return undefined;
  if (typeof retain !== "boolean") return "its retain is neither true nor false";
  return action === "subscribe" ? "its retain is for publish: subscriptions have none" : undefined;
}

function isQoS(value: unknown): value is QoS {
  return value === 0 || value === 1 || value === 2;
}

/** `source` and `place` say where it stands, for people: `role "operator", rule 2` and `tserve.yaml:14`. */
export function toRight(rule: Rule, source: string, place?: string): Right {
  const { allow, deny, filter, qos, retain } = rule;
  const effect = deny === undefined ? "allow" : "deny";
  return {
    effect,
    action: deny ?? allow ?? "both",
    filter,
    source,
    ...(qos === undefined ? {} : { qos }),
    ...(retain === undefined ? {} : { retain }),
    ...(place === undefined ? {} : { place }),
  };
}

export function toRule({ effect, action, filter, qos, retain }: Right): Rule {
  return {
    ...(effect === "allow" ? { allow: action } : { deny: action }),
    filter,
    ...(qos === undefined ? {} : { qos }),
    ...(retain === undefined ? {} : { retain }),
  };
}
