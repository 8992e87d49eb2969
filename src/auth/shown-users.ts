/** Users and roles as they are shown to people: where they stand and what they may, and never a hash. */
import { unknownRole, unknownUser } from "./identity-errors.ts";
import { type Rule, toRule } from "./rule.ts";
import type { UserDirectory } from "./user-directory.ts";

export interface ShownUser {
  readonly name: string;
  readonly isEnabled: boolean;
  readonly hasPassword: boolean;
  readonly hasScram: boolean;
  readonly roles: readonly string[];
  readonly rules: readonly Rule[];
  readonly origin: "store" | "configuration";
  readonly createdAt?: number;
  readonly note?: string;
}

export interface ShownRole {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly users: number;
}

/** By name. */
export function showUsers(directory: UserDirectory): ShownUser[] {
  const { configured, storedUsers, brokenUsers } = directory;
  const names = new Set([...configured.keys(), ...storedUsers.keys(), ...brokenUsers.keys()]);
  return [...names].sort().map((name) => showUser(directory, name));
}

/** @throws TstackError USER_UNKNOWN */
export function showUser(directory: UserDirectory, name: string): ShownUser {
  const configured = directory.configured.get(name);
  const stored = directory.storedUsers.get(name);
  const known = directory.find(name);
  if (known === undefined) throw unknownUser(name);
  const shown = {
    name,
    isEnabled: known.isEnabled,
    hasPassword: known.credential !== undefined,
    hasScram: known.scram !== undefined,
  };
  if (configured !== undefined) {
    const rules = configured.rights.map(toRule);
    const note = stored && "a user of this name in the store is not used";
    const more = note === undefined ? {} : { note };
    return { ...shown, roles: [], rules, origin: "configuration", ...more };
  }
  if (stored === undefined) {
    const note = `broken in the store: ${directory.brokenUsers.get(name)}`;
    return { ...shown, roles: [], rules: [], origin: "store", note };
  }
  const { roles, rules, createdAt, note } = stored;
  const more = note === undefined ? {} : { note };
  return { ...shown, roles, rules, origin: "store", createdAt, ...more };
}

/** @throws TstackError ROLE_UNKNOWN */
export function showRole(directory: UserDirectory, name: string): ShownRole {
  const role = directory.roles.get(name);
  if (role === undefined && !directory.brokenRoles.has(name)) throw unknownRole(name);
  let users = 0;
  for (const { roles } of directory.storedUsers.values()) if (roles.includes(name)) users++;
  return { name, rules: role?.rules ?? [], users };
}
