/** Rules and roles given and taken: from the list as it is to the list as it is to be. Changes nothing that it is given. */
import { isDeepStrictEqual } from "node:util";
import { TstackError } from "../base/index.ts";
import { checkRoleNames, checkRules, invalid, type Owner } from "./identity-checks.ts";
import type { Rule } from "./rule.ts";

export interface Granting {
  readonly rules?: readonly Rule[];
  readonly roles?: readonly string[];
  /** Where the rules go in the list: 0 is the first. Without it they go to the end, but for those that are there. */
  readonly at?: number;
}

export interface Revoking {
  readonly filters?: readonly string[];
  /** 0 is the first; as the list is before anything is taken away. */
  readonly places?: readonly number[];
  readonly roles?: readonly string[];
}

/** @throws TstackError USER_INVALID */
export function grantRules(
  rules: readonly Rule[],
  { rules: granted = [], at }: Granting,
  owner: Owner,
): readonly Rule[] {
  checkRules(granted, owner);
  if (at === undefined) {
    // A rule that stands there already decides before one at the end could.
    const fresh = granted.filter((rule) => !rules.some((known) => isDeepStrictEqual(known, rule)));
    return checkRules([...rules, ...fresh], owner);
  }
  if (!Number.isInteger(at) || at < 0 || at > rules.length) {
    throw invalid(`${owner} has ${rules.length} rules: new ones go to 0 to ${rules.length}`);
  }
  return checkRules(rules.toSpliced(at, 0, ...granted), owner);
}

/** @throws TstackError USER_INVALID */
export function grantRoles(
  roles: readonly string[],
  granted: readonly string[] = [],
  owner: Owner,
): readonly string[] {
  return checkRoleNames([...new Set([...roles, ...checkRoleNames(granted, owner)])], owner);
}

/** @throws TstackError RIGHT_UNKNOWN */
export function revokeRules(
  rules: readonly Rule[],
  { filters = [], places = [] }: Revoking,
  owner: Owner,
): readonly Rule[] {
  for (const filter of filters) {
    if (!rules.some((rule) => rule.filter === filter))
      throw unknownRight(`${owner} has no rule with the filter ${JSON.stringify(filter)}`);
  }
  for (const place of places) {
    if (!Number.isInteger(place) || place < 0 || place >= rules.length)
      throw unknownRight(`${owner} has ${rules.length} rules, and none at place ${place}`);
  }
  return rules.filter((rule, index) => !filters.includes(rule.filter) && !places.includes(index));
}

/** @throws TstackError RIGHT_UNKNOWN */
export function revokeRoles(
  roles: readonly string[],
  revoked: readonly string[] = [],
  owner: Owner,
): readonly string[] {
  for (const role of revoked) {
    if (!roles.includes(role))
      throw unknownRight(`${owner} does not have the role ${JSON.stringify(role)}`);
  }
  return roles.filter((role) => !revoked.includes(role));
}

function unknownRight(message: string): TstackError {
  return new TstackError("RIGHT_UNKNOWN", message);
}
