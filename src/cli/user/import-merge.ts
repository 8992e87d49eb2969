/**
 * Joins what files say with what the broker has: a user that is there keeps what the files do not speak of. What is there
 * already is replaced only where that was asked for.
 */
import type { ExportedIdentities, NewRole } from "../../admin/index.ts";
import type { ImportPlan, PlannedUser } from "./import-plan.ts";
import { isSameRule } from "./rule-words.ts";

type ExportedUser = ExportedIdentities["users"][number];

/** The role of mosquitto's `pattern` lines, which all users have. */
export const patternsRole = "mosquitto-patterns";

export interface Merged {
  /** Complete users and roles, to be imported with `replace`. */
  readonly identities: ExportedIdentities;
  /** What is there already and would be another. */
  readonly conflicts: readonly string[];
  /** Those that cannot log in with a password. */
  readonly withoutPassword: readonly string[];
}

export function mergePlan(plan: ImportPlan, current: ExportedIdentities): Merged {
  const conflicts: string[] = [];
  const users = new Map<string, ExportedUser>();
  const existing = new Map(current.users.map((user) => [user.name, user]));
  for (const planned of plan.users.values()) {
    const before = existing.get(planned.name);
    if (before !== undefined) conflicts.push(...findConflicts(planned, before));
    users.set(planned.name, mergeUser(planned, before));
  }
  const roles = mergePatterns(plan, current, conflicts);
  if (roles.length > 0) {
    for (const user of [...current.users, ...users.values()]) {
      const merged = users.get(user.name) ?? user;
      users.set(user.name, addRole(merged));
    }
  }
  const withoutPassword = [...users.values()].filter((user) => user.passwordHash === undefined);
  return {
    identities: { users: [...users.values()], roles },
    conflicts,
    withoutPassword: withoutPassword.map(({ name }) => name),
  };
}

function findConflicts({ passwordHash, rules }: PlannedUser, before: ExportedUser): string[] {
  const owner = `user ${JSON.stringify(before.name)}`;
  const conflicts: string[] = [];
  const isOtherPassword =
    passwordHash !== undefined &&
    before.passwordHash !== undefined &&
    before.passwordHash !== passwordHash;
  if (isOtherPassword) conflicts.push(`${owner} has a password`);
  const kept = before.rules ?? [];
  const isOtherList =
    rules !== undefined && kept.length > 0 && !isSameList({ rules }, { rules: kept });
  if (isOtherList) conflicts.push(`${owner} has rules`);
  return conflicts;
}

function mergeUser(
  { name, passwordHash, rules }: PlannedUser,
  before?: ExportedUser,
): ExportedUser {
  const { scramKeys, ...rest } = before ?? { name };
  return {
    ...rest,
    // They let the old password in.
    ...(passwordHash === undefined && scramKeys !== undefined ? { scramKeys } : {}),
    ...(passwordHash === undefined ? {} : { passwordHash }),
    ...(rules === undefined ? {} : { rules }),
  };
}

function mergePatterns(
  { patterns }: ImportPlan,
  current: ExportedIdentities,
  conflicts: string[],
): readonly NewRole[] {
  if (patterns.length === 0) return [];
  const role = { name: patternsRole, rules: patterns };
  const before = current.roles.find(({ name }) => name === patternsRole);
  if (before !== undefined && !isSameList(before, role)) {
    conflicts.push(`role ${JSON.stringify(patternsRole)} has other rules`);
  }
  return [role];
}

function isSameList(one: Pick<NewRole, "rules">, other: Pick<NewRole, "rules">): boolean {
  return (
    one.rules.length === other.rules.length &&
    one.rules.every((rule, index) => isSameRule(rule, other.rules[index]))
  );
}

function addRole(user: ExportedUser): ExportedUser {
  const { roles = [] } = user;
  return roles.includes(patternsRole) ? user : { ...user, roles: [...roles, patternsRole] };
}
