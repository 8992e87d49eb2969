/**
 * The least rules that allow what users were seen to do, and nothing else of what their clients could ask for. A level that
 * is the user's name becomes `%u`. One that is the client identifier becomes `%c` only where every client of that user
 * did the same under its own name. Filters with wildcards stay as they were asked for.
 */
import type { QoS } from "../codec/index.ts";
import { isFilterInside } from "../topics/index.ts";
import type { Observation } from "./learning.ts";
import { findMistakeInRule, type Rule } from "./rule.ts";

export interface LeastRules {
  readonly rules: readonly Rule[];
  /** What was asked for and refused: no rule is made of it. */
  readonly refused: readonly Observation[];
  /** What no rule can say exactly: topics that hold `%u` or `%c` as they stand. */
  readonly inexpressible: readonly Observation[];
}

export interface LeastRulesOptions {
  /** The rules say with which QoS and RETAIN, too. Default: any. */
  readonly exact?: boolean;
}

/** By user; undefined for anonymous clients. */
export function leastRules(
  observations: Iterable<Observation>,
  { exact = false }: LeastRulesOptions = {},
): Map<string | undefined, LeastRules> {
  const byUser = Map.groupBy(observations, ({ user }) => user);
  return new Map([...byUser].map(([user, seen]) => [user, learnUser(seen, exact)]));
}

/** One filter, and with which QoS and RETAIN it was used. */
interface Use {
  readonly action: "publish" | "subscribe";
  readonly filter: string;
  /** Undefined: any. */
  readonly qos: QoS | undefined;
  readonly retain: boolean | undefined;
}

function learnUser(observations: readonly Observation[], exact: boolean): LeastRules {
  const refused = observations.filter(({ allowed }) => !allowed);
  const seen = observations.filter(({ allowed }) => allowed);
  const common = findCommonToClients(seen, exact);
  const inexpressible: Observation[] = [];
  const uses = new Map<string, Use>();
  for (const observation of seen) {
    const own = toUse(observation, nameLevels(observation, "%c"), exact);
    const use = common.has(keyOf(own))
      ? own
      : toUse(observation, nameLevels(observation, undefined), exact);
    if (isExpressible(use, observation)) uses.set(keyOf(use), use);
    else inexpressible.push(observation);
  }
  return { rules: toRules([...uses.values()]), refused, inexpressible };
}

function toUse(observation: Observation, filter: string, exact: boolean): Use {
  const { action, qos, retain } = observation;
  return {
    action,
    filter,
    qos: exact ? qos : undefined,
    retain: exact && action === "publish" ? retain : undefined,
  };
}

function keyOf(use: Use): string {
  return JSON.stringify([use.action, use.filter, use.qos, use.retain]);
}

/** Uses with `%c` that every client identifier of the user was seen with. */
function findCommonToClients(seen: readonly Observation[], exact: boolean): ReadonlySet<string> {
  const clients = new Set(seen.map(({ clientIdentifier }) => clientIdentifier));
  const clientsOf = new Map<string, Set<string>>();
  for (const observation of seen) {
    const filter = nameLevels(observation, "%c");
    if (!filter.split("/").includes("%c")) continue;
    const key = keyOf(toUse(observation, filter, exact));
    const using = clientsOf.get(key) ?? new Set();
    clientsOf.set(key, using.add(observation.clientIdentifier));
  }
  const common = [...clientsOf].filter(([, using]) => using.size === clients.size);
  return new Set(common.map(([key]) => key));
}

/** The topic with names for the levels that are one. A name that rights take for unusable stays as it stands. */
function nameLevels(observation: Observation, clientName: "%c" | undefined): string {
  const { topic, user, clientIdentifier } = observation;
  const levels = topic.split("/").map((level, index) => {
    if (level === "" || /^[+#]$/.test(level)) return level;
    if (index === 0 && level.startsWith("$")) return level;
    if (level === user && !/[+#]/.test(user)) return "%u";
    if (clientName !== undefined && level === clientIdentifier && !/[+#]/.test(level)) {
      return clientName;
    }
    return level;
  });
  return levels.join("/");
}

/** A topic may hold `%c` as it stands, which a rule would take for a name. */
function isExpressible({ action, filter }: Use, { topic }: Observation): boolean {
  const original = topic.split("/");
  const isTaken = filter
    .split("/")
    .some((level, index) => level === original[index] && /%[cu]/.test(level));
  return !isTaken && findMistakeInRule({ allow: action, filter }) === undefined;
}

function toRules(uses: readonly Use[]): Rule[] {
  const publishes = gather(uses.filter(({ action }) => action === "publish"));
  const subscribes = dropCovered(gather(uses.filter(({ action }) => action === "subscribe")));
  const subscribed = new Set(subscribes.map(({ filter }) => filter));
  const both = new Set<string>();
  const rules: Rule[] = [];
  for (const { filter, qos, retain } of publishes) {
    const isBoth = qos === undefined && subscribed.has(filter);
    if (isBoth) both.add(filter);
    const conditions = {
      ...(qos === undefined ? {} : { qos }),
      ...(retain === undefined ? {} : { retain }),
    };
    rules.push({ allow: isBoth ? "both" : "publish", filter, ...conditions });
  }
  for (const { filter, qos } of subscribes) {
    if (both.has(filter)) continue;
    rules.push({ allow: "subscribe", filter, ...(qos === undefined ? {} : { qos }) });
  }
  return rules.sort((a, b) => (a.filter < b.filter ? -1 : a.filter > b.filter ? 1 : 0));
}

/** All uses of one filter with the same QoS, told together. */
interface GatheredUse {
  readonly filter: string;
  readonly qos: readonly QoS[] | undefined;
  readonly retain: boolean | undefined;
}

function gather(uses: readonly Use[]): GatheredUse[] {
  const gathered: GatheredUse[] = [];
  for (const [filter, group] of Map.groupBy(uses, (use) => use.filter)) {
    const byRetain = [...Map.groupBy(group, ({ retain }) => retain)].map(([retain, same]) => {
      const qos = same.map((use) => use.qos).filter((value) => value !== undefined);
      return { filter, retain, qos: qos.length === 0 ? undefined : qos.sort() };
    });
    const [first, second] = byRetain;
    if (second !== undefined && String(first.qos) === String(second.qos)) {
      gathered.push({ ...first, retain: undefined });
    } else {
      gathered.push(...byRetain);
    }
  }
  return gathered;
}

/** A subscription inside another one needs no rule of its own; of two that are the same (`#`, `+/#`) the first stays. */
function dropCovered(uses: readonly GatheredUse[]): GatheredUse[] {
  const wide = [...uses.entries()].filter(([, { filter }]) => /[+#]/.test(filter));
  return uses.filter(
    (use, index) =>
      !wide.some(
        ([otherIndex, other]) =>
          other !== use && isCovered(use, other) && (otherIndex < index || !isCovered(other, use)),
      ),
  );
}

function isCovered(inner: GatheredUse, outer: GatheredUse): boolean {
  if (!isFilterInside(inner.filter, outer.filter)) return false;
  return outer.qos === undefined || inner.qos?.every((qos) => outer.qos?.includes(qos)) === true;
}
