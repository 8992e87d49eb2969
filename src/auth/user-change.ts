/** What a change of users and roles means for those who are connected: which users are concerned, and how. */
import { isDeepStrictEqual } from "node:util";
import type { IdentityChange, StoredUser } from "./stored-identities.ts";

export interface UserChange {
  /** `password`: another one, or none any more; a hash of another kind of the same password is no change. */
  readonly kind: "rights" | "password" | "disabled" | "removed" | "added";
  readonly userNames: ReadonlySet<string>;
}

interface Comparison {
  /** As they were. */
  readonly users: ReadonlyMap<string, StoredUser>;
  readonly change: IdentityChange;
  /** Whether the stored user of that name counts. */
  readonly isStored: (name: string) => boolean;
}

/** In the order in which they are to be told: who is to go, goes before rights are looked at. */
export function compareIdentities({ users, change, isStored }: Comparison): UserChange[] {
  const names: Record<UserChange["kind"], Set<string>> = {
    removed: new Set(),
    disabled: new Set(),
    password: new Set(),
    added: new Set(),
    rights: new Set(),
  };
  const roles = new Set(change.roles?.keys());
  const hasChangedRole = (user: StoredUser) => user.roles.some((role) => roles.has(role));
  for (const [name, after] of change.users ?? []) {
    if (!isStored(name)) continue;
    const before = users.get(name);
    if (after === undefined) names.removed.add(name);
    else if (before === undefined) {
      names.added.add(name);
      // It may be connected by a token or a service: whoever is disabled here stays out, whatever others say.
      if (!after.isEnabled) names.disabled.add(name);
    } else {
      if (before.isEnabled && !after.isEnabled) names.disabled.add(name);
      if (isAnotherPassword(before, after, change)) names.password.add(name);
      if (!haveSameRights(before, after) || hasChangedRole(after)) names.rights.add(name);
    }
  }
  for (const [name, user] of roles.size === 0 ? [] : users) {
    if (!isStored(name) || change.users?.has(name)) continue;
    if (hasChangedRole(user)) names.rights.add(name);
  }
  return (Object.keys(names) as UserChange["kind"][])
    .filter((kind) => names[kind].size > 0)
    .map((kind) => ({ kind, userNames: names[kind] }));
}

function isAnotherPassword(
  before: StoredUser,
  after: StoredUser,
  { isRehash }: IdentityChange,
): boolean {
  if (isRehash) return false;
  return (
    before.passwordHash !== after.passwordHash ||
    !isDeepStrictEqual(before.scramKeys, after.scramKeys)
  );
}

function haveSameRights(before: StoredUser, after: StoredUser): boolean {
  return (
    isDeepStrictEqual(before.roles, after.roles) && isDeepStrictEqual(before.rules, after.rules)
  );
}
