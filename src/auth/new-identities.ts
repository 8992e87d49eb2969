/**
 * Users and roles as people give them, made into what the store keeps: everything checked, passwords hashed and then
 * forgotten. Whether names are free and roles are there is for `UserAdministration` to say.
 */
import {
  checkBoolean,
  checkName,
  checkNote,
  checkPassword,
  checkPasswordHash,
  checkRoleNames,
  checkRules,
  checkScramKeys,
  invalid,
  nameOwner,
  type Owner,
} from "./identity-checks.ts";
import type { ScramKeys } from "./known-user.ts";
import type { Rule } from "./rule.ts";
import type { StoredRole, StoredUser } from "./stored-identities.ts";

export interface NewPassword {
  /** At most one of these. */
  readonly password?: string;
  readonly passwordHash?: string;
  /** Keeps what SCRAM-SHA-256 needs as well; only with `password`. */
  readonly scram?: boolean;
}

export interface NewUser extends NewPassword {
  readonly name: string;
  readonly roles?: readonly string[];
  readonly rules?: readonly Rule[];
  readonly isEnabled?: boolean;
  readonly note?: string;
}

/** A user of another broker, as that gave it. */
export interface ExportedUser extends NewUser {
  readonly createdAt?: number;
  readonly scramKeys?: unknown;
}

export interface NewRole {
  readonly name: string;
  readonly rules: readonly Rule[];
}

export interface ExportedIdentities {
  readonly users: readonly ExportedUser[];
  readonly roles: readonly NewRole[];
}

export interface Hashers {
  readonly hashPassword: (password: string) => Promise<string>;
  readonly makeScramKeys: (password: string) => Promise<ScramKeys>;
}

type Credentials = Pick<StoredUser, "passwordHash" | "scramKeys">;

/** @throws TstackError USER_INVALID, PASSWORD_HASH_INVALID */
export async function makeCredentials(
  { password, passwordHash, scram = false }: NewPassword,
  owner: Owner,
  { hashPassword, makeScramKeys }: Hashers,
): Promise<Credentials> {
  if (password !== undefined && passwordHash !== undefined)
    throw invalid(`${owner} is given a password and a hash of one: which counts?`);
  if (checkBoolean(scram, "scram") && password === undefined)
    throw invalid(`SCRAM needs the password of ${owner} itself, not a hash`);
  if (passwordHash !== undefined) return { passwordHash: checkPasswordHash(passwordHash, owner) };
  if (password === undefined) return {};
  checkPassword(password, owner);
  const made = { passwordHash: await hashPassword(password) };
  return scram ? { ...made, scramKeys: await makeScramKeys(password) } : made;
}

/** `createdAt` is for users that do not say when they were made. @throws TstackError USER_INVALID, PASSWORD_HASH_INVALID */
export async function makeUser(
  user: ExportedUser,
  createdAt: number,
  hashers: Hashers,
): Promise<StoredUser> {
  const name = checkName("user", user.name);
  const owner = nameOwner("user", name);
  const { scramKeys, note } = user;
  const checked = {
    name,
    roles: checkRoleNames(user.roles ?? [], owner),
    rules: checkRules(user.rules ?? [], owner),
    isEnabled: checkBoolean(user.isEnabled ?? true, `whether ${owner} is enabled`),
    createdAt: user.createdAt ?? createdAt,
    ...(note === undefined ? {} : { note: checkNote(note, owner) }),
    ...(scramKeys === undefined ? {} : { scramKeys: checkScramKeys(scramKeys, owner) }),
  };
  if (!Number.isSafeInteger(checked.createdAt))
    throw invalid(`when ${owner} was made is not a number of milliseconds`);
  if (scramKeys !== undefined && user.password !== undefined)
    throw invalid(`${owner} is given a password and SCRAM keys: which counts?`);
  return { ...checked, ...(await makeCredentials(user, owner, hashers)) };
}

/** @throws TstackError USER_INVALID */
export function makeRole({ name, rules }: NewRole): StoredRole {
  return { name: checkName("role", name), rules: checkRules(rules, nameOwner("role", name)) };
}

/** All of them by name. @throws TstackError USER_INVALID, PASSWORD_HASH_INVALID */
export async function makeIdentities(
  { users, roles }: ExportedIdentities,
  createdAt: number,
  hashers: Hashers,
): Promise<{ users: Map<string, StoredUser>; roles: Map<string, StoredRole> }> {
  const made = { users: new Map<string, StoredUser>(), roles: new Map<string, StoredRole>() };
  for (const role of roles.map(makeRole)) {
    if (made.roles.has(role.name)) throw invalid(`${nameOwner("role", role.name)} is given twice`);
    made.roles.set(role.name, role);
  }
  for (const given of users) {
    const user = await makeUser(given, createdAt, hashers);
    if (made.users.has(user.name)) throw invalid(`${nameOwner("user", user.name)} is given twice`);
    made.users.set(user.name, user);
  }
  return made;
}
