/**
 * All users there are: those of the configuration, which never change, and those of the store. A name in both is the
 * configuration's. What cannot be read in the store keeps nobody from starting and lets nobody in: such a user cannot log
 * in, and a role that is missing ends the list of its users' rights, so that it never allows more than it did.
 * Always holds: what `find` and `rightsOf` say is on disk.
 */
import { type Log, silentLog } from "../base/index.ts";
import type { StoredRecord } from "../broker/ports.ts";
import { nameOwner } from "./identity-checks.ts";
import type { KnownUser, UserSource } from "./known-user.ts";
import { PasswordCosts } from "./password-costs.ts";
import { parsePasswordHash } from "./password-hash.ts";
import type { Credential } from "./password-verifier.ts";
import type { Right } from "./rights.ts";
import { type Rule, toRight } from "./rule.ts";
import {
  type IdentityChange,
  readStoredRole,
  readStoredUser,
  type StoredRole,
  type StoredUser,
} from "./stored-identities.ts";
import { compareIdentities, type UserChange } from "./user-change.ts";

export interface ConfiguredUser {
  readonly name: string;
  /** Undefined: it has no password, and comes in with a certificate or not at all. */
  readonly credential: Credential | undefined;
  readonly rights: readonly Right[];
  /** Where it stands, for people: `users[2] (tserve.yaml:12)`. */
  readonly source: string;
}

/** Rights, and whose they are for people: `user "ada"`. */
export interface OwnedRights {
  readonly owner: string;
  readonly rights: readonly Right[];
}

export interface UserDirectoryOptions {
  /** Names are unique. Default: nobody. */
  readonly configured?: readonly ConfiguredUser[];
  /** Those of other kinds than `user` and `role` are left alone. Default: none. */
  readonly records?: readonly StoredRecord[];
  /** Is told what cannot be read, and which stored users do not count. Default: silence. */
  readonly log?: Log;
}

type Rehash = UserSource["rehashed"];

/**
 * @example
 * const directory = new UserDirectory({ configured: [], records: await storage.readRecords() });
 * createBroker({ authenticator: ..., authorizer: new RightsAuthorizer(directory) });
 */
export class UserDirectory implements UserSource {
  readonly configured: ReadonlyMap<string, ConfiguredUser>;
  /** For the `PasswordVerifier`: what unknown names have to cost. */
  readonly passwordCosts = new PasswordCosts();
  readonly #users = new Map<string, StoredUser>();
  readonly #roles = new Map<string, StoredRole>();
  readonly #faults = { user: new Map<string, string>(), role: new Map<string, string>() };
  readonly #log: Log;
  readonly #listeners = new Set<(change: UserChange) => void>();
  readonly #rightsOfUsers = new Map<string, OwnedRights>();
  readonly #rightsOfRoles = new Map<string, readonly Right[]>();
  #rehash: Rehash | undefined;
  #generation = 0;

  constructor({ configured = [], records = [], log = silentLog }: UserDirectoryOptions) {
    this.configured = new Map(configured.map((user) => [user.name, user]));
    this.#log = log;
    for (const record of records) {
      if (record.kind === "user") this.#read(record, "user", this.#users, readStoredUser);
      else if (record.kind === "role") this.#read(record, "role", this.#roles, readStoredRole);
    }
    for (const name of this.configured.keys()) {
      if (!this.#users.has(name)) continue;
      log.warn(
        { user: name },
        "a user of the configuration is in the store too: that one is unused",
      );
    }
    for (const name of [...this.configured.keys(), ...this.#users.keys()]) this.#countCost(name);
  }

  #countCost(name: string): void {
    const credential = this.find(name)?.credential;
    const hash = credential !== undefined && "hash" in credential ? credential.hash : undefined;
    this.passwordCosts.set(name, hash);
  }

  #read<Value>(
    record: StoredRecord,
    kind: "user" | "role",
    into: Map<string, Value>,
    read: (record: StoredRecord) => Value,
  ): void {
    try {
      into.set(record.name, read(record));
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      this.#faults[kind].set(record.name, fault);
      const remedy =
        kind === "user"
          ? "it cannot log in until it is removed and added anew, or imported"
          : "it and what follows it allows its users nothing until it is imported anew";
      this.#log.error(
        { [kind]: record.name, fault },
        `a ${kind} in the store is broken: ${remedy}`,
      );
    }
  }

  /** No user at all: then anonymous clients on loopback are accepted. */
  get isEmpty(): boolean {
    return this.configured.size + this.#users.size + this.#faults.user.size === 0;
  }

  /** Changes whenever rights may have. */
  get generation(): number {
    return this.#generation;
  }

  /** Those in the store, by name; one whose name is configured too does not count. */
  get storedUsers(): ReadonlyMap<string, StoredUser> {
    return this.#users;
  }

  get roles(): ReadonlyMap<string, StoredRole> {
    return this.#roles;
  }

  /** What is wrong with the records in the store that cannot be read, by name. */
  get brokenUsers(): ReadonlyMap<string, string> {
    return this.#faults.user;
  }

  get brokenRoles(): ReadonlyMap<string, string> {
    return this.#faults.role;
  }

  find(name: string): KnownUser | undefined {
    const configured = this.configured.get(name);
    if (configured !== undefined) {
      const { credential, source } = configured;
      return { name, credential, scram: undefined, isEnabled: true, source };
    }
    const user = this.#users.get(name);
    if (user !== undefined) {
      const { passwordHash, scramKeys, isEnabled } = user;
      const credential =
        passwordHash === undefined ? undefined : { hash: parsePasswordHash(passwordHash) };
      return { name, credential, scram: scramKeys, isEnabled, source: "the broker's store" };
    }
    const fault = this.#faults.user.get(name);
    if (fault === undefined) return undefined;
    const source = `the broker's store, where it is broken: ${fault}`;
    return { name, credential: undefined, scram: undefined, isEnabled: false, source };
  }

  /** Undefined for a user that is not there. Those of a disabled one too: it is kept out, its session stays. */
  rightsOf(name: string): OwnedRights | undefined {
    const known = this.#rightsOfUsers.get(name);
    if (known !== undefined) return known;
    const rights = this.#gatherRights(name);
    if (rights !== undefined) this.#rightsOfUsers.set(name, rights);
    return rights;
  }

  #gatherRights(name: string): OwnedRights | undefined {
    const configured = this.configured.get(name);
    const owner = nameOwner("user", name);
    if (configured !== undefined) {
      return { owner: `${owner}, ${configured.source}`, rights: configured.rights };
    }
    const user = this.#users.get(name);
    if (user === undefined) {
      return this.#faults.user.has(name) ? { owner: `${owner} (broken)`, rights: [] } : undefined;
    }
    const lists = [toRights(user.rules, owner)];
    for (const role of user.roles) {
      const rights = this.#findRightsOfRole(role);
      if (rights === undefined) {
        const lack = `its ${nameOwner("role", role)} is missing or broken`;
        return { owner: `${owner} (${lack})`, rights: lists.flat() };
      }
      lists.push(rights);
    }
    const used = lists.filter((rights) => rights.length > 0);
    // Thousands of users may have one role alone, and then share its list.
    return { owner, rights: used.length === 1 ? used[0] : used.flat() };
  }

  #findRightsOfRole(name: string): readonly Right[] | undefined {
    const known = this.#rightsOfRoles.get(name);
    if (known !== undefined) return known;
    const role = this.#roles.get(name);
    if (role === undefined) return undefined;
    const rights = toRights(role.rules, nameOwner("role", name));
    this.#rightsOfRoles.set(name, rights);
    return rights;
  }

  rehashed(name: string, oldHash: string, newHash: string): void {
    this.#rehash?.(name, oldHash, newHash);
  }

  /** Who writes hashes of a newer kind: the administration. Without one, they are not written. */
  writeRehashedWith(rehash: Rehash): void {
    this.#rehash = rehash;
  }

  /** Told after each change that concerns users who count. Answers how to end that. */
  onChange(listener: (change: UserChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes over what is on disk now. The administration calls it, and nobody else. */
  apply(change: IdentityChange): void {
    const isStored = (name: string) => !this.configured.has(name);
    const told = compareIdentities({ users: this.#users, change, isStored });
    replace(this.#users, this.#faults.user, change.users);
    replace(this.#roles, this.#faults.role, change.roles);
    for (const name of change.users?.keys() ?? []) this.#countCost(name);
    this.#rightsOfUsers.clear();
    this.#rightsOfRoles.clear();
    if (told.some(({ kind }) => kind !== "password" && kind !== "disabled")) this.#generation++;
    for (const userChange of told) this.#tell(userChange);
  }

  #tell(change: UserChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#log.error({ error, kind: change.kind }, "a change of users could not be handed on");
      }
    }
  }
}

function toRights(rules: readonly Rule[], owner: string): readonly Right[] {
  return rules.map((rule, index) => toRight(rule, `${owner}, rule ${index + 1}`));
}

function replace<Value>(
  values: Map<string, Value>,
  faults: Map<string, string>,
  changes: ReadonlyMap<string, Value | undefined> = new Map(),
): void {
  for (const [name, value] of changes) {
    faults.delete(name);
    if (value === undefined) values.delete(name);
    else values.set(name, value);
  }
}
