/**
 * Answers people's questions about rights with the same `decide` that the broker asks: which rule decides for one user, and
 * who may do one thing at all.
 */
import type { QoS } from "../codec/index.ts";
import { isValidTopicName, parseTopicFilter } from "../topics/index.ts";
import type { Grant } from "./grant.ts";
import { invalid, nameOwner } from "./identity-checks.ts";
import { unknownUser } from "./identity-errors.ts";
import { decide, type Right, type RightsRequest } from "./rights.ts";
import type { OwnedRights, UserDirectory } from "./user-directory.ts";

export interface RightsQuestion {
  readonly action: "publish" | "subscribe";
  /** A topic name to publish; a topic filter, with or without `$share/group/`, to subscribe. */
  readonly topic: string;
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
}

export interface ExplainQuestion extends RightsQuestion {
  /** Undefined asks for anonymous clients. */
  readonly user?: string;
  /** Default: the user's name. */
  readonly clientIdentifier?: string;
}

export interface Explanation {
  readonly allowed: boolean;
  readonly rule: string;
  readonly warning?: string;
}

export interface WhoCan {
  readonly user?: string;
  readonly rule: string;
  readonly condition?: string;
}

/** Who is asked about: the users, and what anonymous clients get, undefined where they are refused. */
export interface Asked {
  readonly directory: UserDirectory;
  readonly anonymous: () => Grant | undefined;
}

const levelsMax = 65_536;
const topicBytesMax = 65_535;
/** Client identifiers that are told for one user. */
const identifiersToldMax = 5;

/** @throws TstackError USER_UNKNOWN, USER_INVALID for what is no topic */
export function explain(question: ExplainQuestion, { directory, anonymous }: Asked): Explanation {
  const request = toRequest(question);
  const { user } = question;
  if (user === undefined) {
    const grant = anonymous();
    if (grant === undefined) return { allowed: false, rule: "anonymous clients are not accepted" };
    const client = { clientIdentifier: question.clientIdentifier ?? "", userName: undefined };
    return decide(grant.rights, grant.owner, { ...request, client });
  }
  const owned = directory.rightsOf(user);
  if (owned === undefined) throw unknownUser(user);
  const client = { clientIdentifier: question.clientIdentifier ?? user, userName: user };
  const { allowed, rule } = decide(owned.rights, owned.owner, { ...request, client });
  const hindrance = findHindrance(directory, user);
  if (hindrance === undefined) return { allowed, rule };
  return { allowed, rule, warning: `${nameOwner("user", user)} ${hindrance}` };
}

/** By name, anonymous clients first. @throws TstackError USER_INVALID for what is no topic */
export function listWhoCan(question: RightsQuestion, { directory, anonymous }: Asked): WhoCan[] {
  const request = toRequest(question);
  const found: WhoCan[] = [];
  const grant = anonymous();
  if (grant !== undefined) {
    const way = findWay(grant, request, undefined);
    if (way !== undefined) found.push(way);
  }
  const names = new Set([...directory.configured.keys(), ...directory.storedUsers.keys()]);
  for (const user of [...names].sort()) {
    const owned = directory.rightsOf(user);
    const way = owned && findWay(owned, request, user);
    if (way === undefined) continue;
    const hindrance = findHindrance(directory, user);
    const conditions = [hindrance && `it ${hindrance}`, way.condition].filter(Boolean);
    const { rule } = way;
    found.push({ user, rule, ...(conditions[0] && { condition: conditions.join("; ") }) });
  }
  return found;
}

type Request = Omit<RightsRequest, "client">;

function toRequest({ action, topic, qos = 0, retain = false }: RightsQuestion): Request {
  const what = action === "publish" ? "topic" : "topic filter";
  if (!topic.isWellFormed() || Buffer.byteLength(topic) > topicBytesMax)
    throw invalid(`the ${what} is longer than ${topicBytesMax} bytes, or not valid Unicode`);
  if (action === "publish") {
    if (!isValidTopicName(topic, levelsMax))
      throw invalid(
        `${JSON.stringify(topic)} is no topic to publish to: it is empty or has + or #`,
      );
    return { action, topic, qos, retain };
  }
  const parsed = parseTopicFilter(topic, levelsMax);
  if (parsed === undefined) {
    const reason = "+ stands for one whole level, # for all levels at the end";
    throw invalid(`${JSON.stringify(topic)} is not a topic filter: ${reason}`);
  }
  return { action, topic: parsed.filter, qos, retain };
}

function findHindrance(directory: UserDirectory, name: string): string | undefined {
  if (directory.find(name)?.isEnabled !== false) return undefined;
  return directory.storedUsers.has(name)
    ? "is disabled and cannot connect"
    : "is broken in the store and cannot connect";
}

/** How `user` may do it: under any client identifier, or only under some. */
function findWay(
  { rights, owner }: OwnedRights,
  request: Request,
  user: string | undefined,
): WhoCan | undefined {
  const ask = (clientIdentifier: string) =>
    decide(rights, owner, { ...request, client: { clientIdentifier, userName: user } });
  // Longer than each level of the topic: no right with %c applies to it.
  const { allowed, rule } = ask("x".repeat(request.topic.length + 1));
  if (allowed) return { rule, ...(user === undefined ? {} : { user }) };
  const ways = findIdentifiers(rights, request.topic, user)
    .map((clientIdentifier) => ({ clientIdentifier, decision: ask(clientIdentifier) }))
    .filter(({ decision }) => decision.allowed);
  if (ways.length === 0) return undefined;
  const told = ways.slice(0, identifiersToldMax).map((way) => JSON.stringify(way.clientIdentifier));
  if (ways.length > told.length) told.push("others");
  const condition = `only with the client identifier ${told.join(" or ")}`;
  return { rule: ways[0].decision.rule, condition, ...(user === undefined ? {} : { user }) };
}

/** The client identifiers with which rights with `%c` could apply to `topic`: each fills its level. */
function findIdentifiers(
  rights: readonly Right[],
  topic: string,
  user: string | undefined,
): string[] {
  const levels = topic.split("/");
  const found = new Set<string>();
  for (const { filter, effect } of rights) {
    if (effect === "deny" || !filter.includes("%c")) continue;
    const patterns = filter.split("/");
    const index = patterns.findIndex((level) => level.includes("%c"));
    const identifier = solve(patterns[index].replaceAll("%u", user ?? ""), levels[index]);
    if (identifier !== undefined) found.add(identifier);
  }
  return [...found];
}

/** The name that makes `pattern`, such as `lamp-%c`, into `level`. */
function solve(pattern: string, level: string | undefined): string | undefined {
  if (level === undefined) return undefined;
  const parts = pattern.split("%c");
  const length = (level.length - parts.join("").length) / (parts.length - 1);
  const identifier = level.slice(parts[0].length, parts[0].length + length);
  return Number.isInteger(length) && length > 0 ? identifier : undefined;
}
