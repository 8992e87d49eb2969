/**
 * Decides what a client may publish and subscribe: the first right that applies decides, no right refuses.
 * Always holds: every message that a granted subscription can deliver is one that the rights grant by its topic, and
 * nothing that a client calls itself (`%c`, `%u`) makes it allowed more. Pure: no state, no I/O.
 */
import type {
  AuthorizationDecision,
  AuthorizationRequest,
  ClientIdentity,
} from "../broker/ports.ts";
import type { QoS } from "../codec/index.ts";
import {
  filtersOverlap,
  isFilterInside,
  matchesFilter,
  parseTopicFilter,
} from "../topics/index.ts";

export interface Right {
  readonly effect: "allow" | "deny";
  readonly action: "publish" | "subscribe" | "both";
  /** A topic filter in which `%c` stands for the client identifier and `%u` for the user name. */
  readonly filter: string;
  /** It applies to these QoS only: of a message, or as asked for with a subscription. */
  readonly qos?: readonly QoS[];
  /** It applies to messages with, or without, RETAIN only, and never to subscriptions. */
  readonly retain?: boolean;
  /** Where it stands, for people: `users[2].rights[1]`, `role "operator", rule 2`. */
  readonly source: string;
  /** The file and line of it: `tstack.yaml:14`. */
  readonly place?: string;
}

/** What is asked for, and by whom: as much of `AuthorizationRequest` as rights look at. */
export interface RightsRequest extends Omit<AuthorizationRequest, "client"> {
  readonly client: Pick<ClientIdentity, "clientIdentifier" | "userName">;
}

const placeholder = /%[cu]/g;

/** As many as a filter can have; how deep clients may go is a limit of the broker. */
const levelsMax = 65_536;

/** What is wrong with `right`, or undefined: a wrong right would silently never apply. */
export function findMistakeInRight(right: Pick<Right, "action" | "filter">): string | undefined {
  const { action, filter } = right;
  if (filter === "") return 'is empty; a filter that starts with # needs quotes: "#"';
  if (filter.startsWith("$share/"))
    return "names a shared subscription; give the filter behind $share/group/";
  if (action === "publish" && isSystemTopic(filter))
    return "is for subscribe only: nobody may publish to $SYS or $tstack";
  if (parseTopicFilter(filter.replace(placeholder, "x"), levelsMax) === undefined) {
    return "is not a topic filter: + stands for one whole level, # for all levels at the end";
  }
  return undefined;
}

/** `owner` names whose rights these are, for the refusal that no right decided: `users[2] ada (tstack.yaml:12)`. */
export function decide(
  rights: readonly Right[],
  owner: string,
  request: RightsRequest,
): AuthorizationDecision {
  const action = request.action === "subscribe" ? "subscribe" : "publish";
  if (action === "publish" && isSystemTopic(request.topic)) {
    return { allowed: false, rule: "nobody may publish to $SYS or $tstack: they are the broker's" };
  }
  const unusable: Right[] = [];
  for (const right of rights) {
    if (right.action !== "both" && right.action !== action) continue;
    if (!meetsConditions(right, request) || isApart(right, request.topic)) continue;
    const filter = fillIn(right.filter, request.client);
    if (filter === undefined && right.effect === "allow") {
      unusable.push(right);
    } else if (covers(right, filter ?? widen(right.filter), request)) {
      return { allowed: right.effect === "allow", rule: describeRight(right, filter) };
    }
  }
  return {
    allowed: false,
    rule: describeRefusal(
      `no right of ${owner} allows to ${action} this`,
      unusable,
      findNarrower(rights, request),
    ),
  };
}

function meetsConditions({ qos, retain }: Right, request: RightsRequest): boolean {
  if (qos !== undefined && !qos.includes(request.qos)) return false;
  if (retain === undefined) return true;
  return request.action !== "subscribe" && retain === request.retain;
}

/**
 * Whether a look at the letters already shows that the right does not apply: a level differs that holds neither wildcard nor
 * name. Of many rights most end here, so that a long list need not be prepared (bench/micro/rights.ts).
 */
function isApart({ filter, effect }: Right, topic: string): boolean {
  const end = Math.min(filter.length, topic.length);
  for (let index = 0; index < end; index++) {
    const letter = filter.charCodeAt(index);
    if (letter === percent) return false;
    const other = topic.charCodeAt(index);
    if (letter === other) continue;
    // A wildcard that is asked for lies inside no word, but overlaps with it.
    if (isWildcard(letter) || (effect === "deny" && isWildcard(other))) return false;
    const name = filter.indexOf("%", index);
    return name === -1 || filter.slice(index, name).includes("/");
  }
  return false;
}

const percent = 0x25;

/** `+` or `#`. */
function isWildcard(letter: number): boolean {
  return letter === 0x2b || letter === 0x23;
}

function covers(right: Right, filter: string, request: RightsRequest): boolean {
  if (filter === everything) return true;
  if (request.action !== "subscribe") return matchesFilter(filter, request.topic);
  return right.effect === "allow"
    ? isFilterInside(request.topic, filter)
    : filtersOverlap(request.topic, filter);
}

/** Stands for all topics, those with a leading `$` too, which no single filter covers. */
const everything = "";

/**
 * The filter of a right for this client; undefined if a name in it would reach further than one level, or to the
 * topics with a leading `$`.
 */
function fillIn(filter: string, client: RightsRequest["client"]): string | undefined {
  if (!filter.includes("%")) return filter;
  let usable = true;
  const filled = filter.replace(placeholder, (letter, offset: number) => {
    const name = (letter === "%c" ? client.clientIdentifier : client.userName) ?? "";
    if (name === "" || /[+#/]/.test(name) || (offset === 0 && name.startsWith("$"))) usable = false;
    return name;
  });
  return usable ? filled : undefined;
}

/** What a deny right refuses when a name in it is unusable: all below the level of that name, so never less. */
function widen(filter: string): string {
  const levels = filter.split("/");
  const firstNamed = levels.findIndex((level) => /%[cu]/.test(level));
  return firstNamed === 0 ? everything : [...levels.slice(0, firstNamed), "#"].join("/");
}

function isSystemTopic(topic: string): boolean {
  return /^\$(?:SYS|tstack)(?:\/|$)/.test(topic);
}

/** `role "operator", rule 2: allow publish a/# with QoS 0 or 1, without RETAIN (tserve.yaml:14)` */
function describeRight(right: Right, filter: string | undefined): string {
  const place = right.place === undefined ? "" : ` (${right.place})`;
  const widened =
    filter === undefined
      ? "; the name for %c or %u is empty or holds + # / $, so it denies all of that level"
      : "";
  const words = `${right.effect} ${right.action} ${right.filter}${describeConditions(right)}`;
  return `${right.source}: ${words}${place}${widened}`;
}

function describeConditions({ qos, retain }: Right): string {
  const conditions: string[] = [];
  if (qos !== undefined) conditions.push(`with QoS ${qos.join(" or ")}`);
  if (retain !== undefined) conditions.push(retain ? "with RETAIN" : "without RETAIN");
  return conditions.length === 0 ? "" : ` ${conditions.join(", ")}`;
}

/** The first right that would allow it with another QoS or RETAIN: what people overlook. */
function findNarrower(rights: readonly Right[], request: RightsRequest): Right | undefined {
  const action = request.action === "subscribe" ? "subscribe" : "publish";
  return rights.find((right) => {
    if (right.effect === "deny" || meetsConditions(right, request)) return false;
    if (right.action !== "both" && right.action !== action) return false;
    const filter = fillIn(right.filter, request.client);
    return filter !== undefined && covers(right, filter, request);
  });
}

function describeRefusal(
  words: string,
  unusable: readonly Right[],
  narrower: Right | undefined,
): string {
  let refusal = words;
  if (narrower !== undefined) {
    refusal += `; ${narrower.source} is only for what is${describeConditions(narrower)}`;
  }
  if (unusable.length === 0) return refusal;
  const sources = unusable.slice(0, 3).map(({ source }) => source);
  if (unusable.length > sources.length) sources.push("and more");
  return `${refusal}; ${sources.join(", ")} not usable: the name for %c or %u is empty or holds + # / $`;
}
