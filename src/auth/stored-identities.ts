/**
 * Users and roles as the store keeps them, one record of JSON for each. A record that cannot be read is never half
 * believed: who reads it gets USER_INVALID or PASSWORD_HASH_INVALID with what is wrong, in words without secrets.
 */
import type { RecordChange, StoredRecord } from "../broker/ports.ts";
import {
  checkBoolean,
  checkName,
  checkNote,
  checkPasswordHash,
  checkRoleNames,
  checkRules,
  checkScramKeys,
  invalid,
  nameOwner,
} from "./identity-checks.ts";
import type { ScramKeys } from "./known-user.ts";
import type { Rule } from "./rule.ts";

export interface StoredUser {
  readonly name: string;
  readonly passwordHash?: string;
  readonly scramKeys?: ScramKeys;
  /** Asked after the user's own rules, in this order. */
  readonly roles: readonly string[];
  readonly rules: readonly Rule[];
  readonly isEnabled: boolean;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly note?: string;
}

export interface StoredRole {
  readonly name: string;
  readonly rules: readonly Rule[];
}

/** Users and roles by name as they are to be; undefined takes one away. */
export interface IdentityChange {
  readonly users?: ReadonlyMap<string, StoredUser | undefined>;
  readonly roles?: ReadonlyMap<string, StoredRole | undefined>;
  /** The passwords are the same, only their hashes are of a newer kind. */
  readonly isRehash?: boolean;
}

export function readStoredUser({ name, value }: StoredRecord): StoredUser {
  checkName("user", name);
  const owner = nameOwner("user", name);
  const user = readObject(value);
  const { passwordHash, scramKeys, createdAt, note } = user;
  if (typeof createdAt !== "number") throw invalid(`nothing says when ${owner} was made`);
  return {
    name,
    ...(passwordHash === undefined ? {} : { passwordHash: checkPasswordHash(passwordHash, owner) }),
    ...(scramKeys === undefined ? {} : { scramKeys: checkScramKeys(scramKeys, owner) }),
    roles: checkRoleNames(user.roles, owner),
    rules: checkRules(user.rules, owner),
    isEnabled: checkBoolean(user.isEnabled, `whether ${owner} is enabled`),
    createdAt,
    ...(note === undefined ? {} : { note: checkNote(note, owner) }),
  };
}

export function readStoredRole({ name, value }: StoredRecord): StoredRole {
  checkName("role", name);
  return { name, rules: checkRules(readObject(value).rules, nameOwner("role", name)) };
}

export function writeIdentities({ users, roles }: IdentityChange): RecordChange[] {
  return [...toRecords("user", users), ...toRecords("role", roles)];
}

function toRecords(
  kind: "user" | "role",
  values: ReadonlyMap<string, object | undefined> = new Map(),
): RecordChange[] {
  return [...values].map(([name, value]) => {
    return { kind, name, value: value === undefined ? undefined : JSON.stringify(value) };
  });
}

function readObject(json: string): Record<string, unknown> {
  const value = parseJson(json);
  if (typeof value !== "object" || value === null) throw invalid("it is not an object of JSON");
  return value as Record<string, unknown>;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // Its message would quote what it read, which may be the hash of a password.
    return undefined;
  }
}
