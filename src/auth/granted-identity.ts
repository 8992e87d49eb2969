/**
 * What a token or a service says of a client, read with suspicion: a user name and rules. What is not understood in full is
 * a mistake, never left out: a deny that is not understood would allow.
 */
import { type Clock, type Log, silentLog, systemClock } from "../base/index.ts";
import type { UserSource } from "./known-user.ts";
import type { Right } from "./rights.ts";
import { findMistakeInRule, type Rule, toRight } from "./rule.ts";

const rulesMax = 1000;

/**
 * Rights out of a list of filters (to publish and to subscribe) and rules; or in words what is wrong with it, as the end
 * of a sentence that begins with `source`, which says where the list stands.
 *
 * @example
 * readGrantedRights(["home/#", { deny: "publish", filter: "alarm/#" }], "the claim rights");
 */
export function readGrantedRights(value: unknown, source: string): readonly Right[] | string {
  if (!Array.isArray(value)) return "is not a list of filters and rules";
  if (value.length > rulesMax) return `has more than ${rulesMax} rules`;
  const rights: Right[] = [];
  for (const [index, entry] of value.entries()) {
    const rule: unknown = typeof entry === "string" ? { allow: "both", filter: entry } : entry;
    const mistake = findMistakeInRule(rule);
    if (mistake !== undefined) return `has a mistake at [${index}]: ${mistake}`;
    rights.push(toRight(rule as Rule, `${source}[${index}]`));
  }
  return rights;
}

/** No user name of MQTT is longer. */
const userNameBytesMax = 65_535;

/** What is wrong with a user name that comes from elsewhere, as the end of a sentence; undefined if it is one. */
export function findMistakeInGrantedName(value: unknown): string | undefined {
  if (typeof value !== "string") return "is missing, or not text";
  if (value === "") return "is empty";
  if (!value.isWellFormed() || /\p{Cc}/u.test(value)) return "holds what no user name may";
  return Buffer.byteLength(value) > userNameBytesMax ? "is too long" : undefined;
}

/** What links that trust somebody else need of the world. */
export interface GrantingWorld {
  /** The broker's. */
  readonly clock: Clock;
  readonly log: Log;
  /** Whoever is disabled here stays out, whatever others say. Default: nobody is. */
  readonly users?: Pick<UserSource, "find">;
  /**
   * Milliseconds since 1970 as others see it. Unlike the broker's clock it is set when the machine's is: what was signed
   * elsewhere expires by it. Default: `Date.now`.
   */
  readonly timeOfDay?: () => number;
}

/** With the clock of this machine, and silence, where nothing else is given. */
export function completeWorld(world: Partial<GrantingWorld>): GrantingWorld {
  return { clock: systemClock, log: silentLog, ...world };
}

export function isDisabled({ users }: GrantingWorld, userName: string | undefined): boolean {
  return userName !== undefined && users?.find(userName)?.isEnabled === false;
}

/** A time of day as a time of the broker's clock: it is as far away. */
export function toBrokerTime({ clock, timeOfDay = Date.now }: GrantingWorld, at: number): number {
  // What is further away than a Date can be is as good as never.
  return clock.now() + Math.min(at, 8.64e15) - timeOfDay();
}
