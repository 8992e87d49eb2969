/**
 * Changes users and roles of the store while the broker runs. One change at a time: it is checked, written, then in
 * force, then told; when writing fails nothing has changed. Users of the configuration are shown and never changed.
 */
import { type Clock, type Log, silentLog } from "../base/index.ts";
import type { RecordChange, RecordStore } from "../broker/ports.ts";
import {
  type Asked,
  type ExplainQuestion,
  type Explanation,
  explain,
  listWhoCan,
  type RightsQuestion,
  type WhoCan,
} from "./explain.ts";
import type { Grant } from "./grant.ts";
import { invalid, nameOwner, type Owner } from "./identity-checks.ts";
import {
  type Granting,
  grantRoles,
  grantRules,
  type Revoking,
  revokeRoles,
  revokeRules,
} from "./identity-edits.ts";
import {
  brokenRecord,
  configuredUser,
  existingRole,
  existingUser,
  roleInUse,
  unknownRole,
  unknownUser,
} from "./identity-errors.ts";
import {
  type ExportedIdentities,
  type Hashers,
  makeCredentials,
  makeIdentities,
  makeRole,
  makeUser,
  type NewPassword,
  type NewRole,
  type NewUser,
} from "./new-identities.ts";
import type { Rule } from "./rule.ts";
import { type ShownRole, type ShownUser, showRole, showUser, showUsers } from "./shown-users.ts";
import { type IdentityChange, type StoredUser, writeIdentities } from "./stored-identities.ts";
import type { UserDirectory } from "./user-directory.ts";

export interface UserAdministrationOptions extends Hashers {
  readonly clock: Pick<Clock, "now">;
  /** What anonymous clients may do now; undefined while they are refused. Default: they are. */
  readonly anonymous?: () => Grant | undefined;
  /** Default: silence. */
  readonly log?: Log;
}

export interface ImportOutcome {
  readonly added: readonly string[];
  readonly replaced: readonly string[];
}

/**
 * @example
 * const administration = new UserAdministration(directory, storage, { clock, hashPassword, makeScramKeys });
 * await administration.addUser({ name: "ada", password: "secret", rules: [{ allow: "both", filter: "ada/#" }] });
 */
export class UserAdministration {
  readonly #directory: UserDirectory;
  readonly #records: RecordStore;
  readonly #options: UserAdministrationOptions;
  readonly #log: Log;
  /** Users whose new hash waits to be written. */
  readonly #rehashing = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  constructor(directory: UserDirectory, records: RecordStore, options: UserAdministrationOptions) {
    this.#directory = directory;
    this.#records = records;
    this.#options = options;
    this.#log = options.log ?? silentLog;
    directory.writeRehashedWith((...hashes) => this.#rehash(...hashes));
  }

  listUsers(): ShownUser[] {
    return showUsers(this.#directory);
  }

  findUser(name: string): ShownUser {
    return showUser(this.#directory, name);
  }

  hasUser(name: string): boolean {
    return this.#directory.find(name) !== undefined;
  }

  hasRole(name: string): boolean {
    return this.#directory.roles.has(name);
  }

  addUser(user: NewUser): Promise<ShownUser> {
    return this.addUserWith(user, []);
  }

  /** Adds a user and writes `changes` with it, both or neither. */
  addUserWith(user: NewUser, changes: readonly RecordChange[]): Promise<ShownUser> {
    return this.#inTurn(async () => {
      if (this.hasUser(user.name)) throw existingUser(user.name);
      const { clock } = this.#options;
      const made = await makeUser(user, clock.now(), this.#options);
      this.#checkRoles(made.roles);
      await this.#change({ users: new Map([[made.name, made]]) }, changes);
      return this.findUser(made.name);
    });
  }

  removeUser(name: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.hasUser(name)) throw unknownUser(name);
      this.#refuseConfigured(name);
      await this.#change({ users: new Map([[name, undefined]]) });
    });
  }

  /** Without `scram` the keys for SCRAM are made anew if there were any: the old ones let the old password in. */
  setPassword(name: string, password: NewPassword): Promise<ShownUser> {
    return this.#editUser(name, async ({ passwordHash, scramKeys, ...rest }, owner) => {
      if (password.password === undefined && password.passwordHash === undefined)
        throw invalid(`no password is given for ${owner}`);
      const scram = password.scram ?? (scramKeys !== undefined && password.password !== undefined);
      return { ...rest, ...(await makeCredentials({ ...password, scram }, owner, this.#options)) };
    });
  }

  setEnabled(name: string, isEnabled: boolean): Promise<ShownUser> {
    return this.#editUser(name, (user) => ({ ...user, isEnabled }));
  }

  grantToUser(name: string, granting: Granting): Promise<ShownUser> {
    return this.#editUser(name, (user, owner) => {
      const roles = grantRoles(user.roles, granting.roles, owner);
      this.#checkRoles(granting.roles ?? []);
      return { ...user, roles, rules: grantRules(user.rules, granting, owner) };
    });
  }

  revokeFromUser(name: string, revoking: Revoking): Promise<ShownUser> {
    return this.#editUser(name, (user, owner) => ({
      ...user,
      roles: revokeRoles(user.roles, revoking.roles, owner),
      rules: revokeRules(user.rules, revoking, owner),
    }));
  }

  listRoles(): ShownRole[] {
    const { roles, brokenRoles } = this.#directory;
    return [...roles.keys(), ...brokenRoles.keys()].sort().map((name) => this.findRole(name));
  }

  findRole(name: string): ShownRole {
    return showRole(this.#directory, name);
  }

  addRole(role: NewRole): Promise<ShownRole> {
    return this.#inTurn(async () => {
      const made = makeRole(role);
      if (this.#isRole(made.name)) throw existingRole(made.name);
      await this.#change({ roles: new Map([[made.name, made]]) });
      return this.findRole(made.name);
    });
  }

  removeRole(name: string): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isRole(name)) throw unknownRole(name);
      const users = [...this.#directory.storedUsers.values()].filter(({ roles }) =>
        roles.includes(name),
      );
      if (users.length > 0) {
        throw roleInUse(
          name,
          users.map((user) => user.name),
        );
      }
      await this.#change({ roles: new Map([[name, undefined]]) });
    });
  }

  grantToRole(name: string, { rules, at, roles }: Granting): Promise<ShownRole> {
    return this.#editRole(name, (before, owner) => {
      if (roles !== undefined && roles.length > 0) throw invalid(`${owner} cannot have roles`);
      return grantRules(before, { rules, at }, owner);
    });
  }

  revokeFromRole(name: string, { filters, places, roles }: Revoking): Promise<ShownRole> {
    return this.#editRole(name, (before, owner) => {
      revokeRoles([], roles, owner);
      return revokeRules(before, { filters, places }, owner);
    });
  }

  /** All or nothing. `replace` makes those that are there already as given, without asking. */
  async importIdentities(identities: ExportedIdentities, replace: boolean): Promise<ImportOutcome> {
    const { clock } = this.#options;
    // Thousands of passwords take minutes to hash: nobody else waits meanwhile to disable a user.
    const change = await makeIdentities(identities, clock.now(), this.#options);
    return this.#inTurn(async () => {
      const replaced: string[] = [];
      const added: string[] = [];
      for (const name of change.users.keys()) {
        this.#refuseConfigured(name);
        if (this.hasUser(name) && !replace) throw existingUser(name);
        (this.hasUser(name) ? replaced : added).push(name);
      }
      for (const name of change.roles.keys()) {
        if (this.#isRole(name) && !replace) throw existingRole(name);
        (this.#isRole(name) ? replaced : added).push(name);
      }
      for (const user of change.users.values()) this.#checkRoles(user.roles, change.roles);
      await this.#change(change);
      return { added, replaced };
    });
  }

  /** Users of the store that count, with hashes, and roles: importing them elsewhere gives the same. */
  exportIdentities(): ExportedIdentities {
    const { storedUsers, roles, configured } = this.#directory;
    const users = [...storedUsers.values()].filter(({ name }) => !configured.has(name));
    return { users, roles: [...roles.values()] };
  }

  explain(question: ExplainQuestion): Explanation {
    return explain(question, this.#asked());
  }

  whoCan(question: RightsQuestion): WhoCan[] {
    return listWhoCan(question, this.#asked());
  }

  #asked(): Asked {
    const { anonymous = () => undefined } = this.#options;
    return { directory: this.#directory, anonymous };
  }

  #editUser(
    name: string,
    edit: (user: StoredUser, owner: Owner) => StoredUser | Promise<StoredUser>,
  ): Promise<ShownUser> {
    return this.#inTurn(async () => {
      this.#refuseConfigured(name);
      const fault = this.#directory.brokenUsers.get(name);
      if (fault !== undefined) throw brokenRecord("user", name, fault);
      const user = this.#directory.storedUsers.get(name);
      if (user === undefined) throw unknownUser(name);
      await this.#change({ users: new Map([[name, await edit(user, nameOwner("user", name))]]) });
      return this.findUser(name);
    });
  }

  #editRole(
    name: string,
    edit: (rules: readonly Rule[], owner: Owner) => readonly Rule[],
  ): Promise<ShownRole> {
    return this.#inTurn(async () => {
      const fault = this.#directory.brokenRoles.get(name);
      if (fault !== undefined) throw brokenRecord("role", name, fault);
      const role = this.#directory.roles.get(name);
      if (role === undefined) throw unknownRole(name);
      const rules = edit(role.rules, nameOwner("role", name));
      await this.#change({ roles: new Map([[name, { name, rules }]]) });
      return this.findRole(name);
    });
  }

  /** A hash of a newer kind is a convenience: when it cannot be written, the old one does until the next login. */
  #rehash(name: string, oldHash: string, newHash: string): void {
    if (this.#rehashing.has(name)) return;
    this.#rehashing.add(name);
    this.#inTurn(async () => {
      const user = this.#directory.storedUsers.get(name);
      if (user?.passwordHash !== oldHash) return;
      const users = new Map([[name, { ...user, passwordHash: newHash }]]);
      await this.#change({ users, isRehash: true });
    })
      .catch((error: unknown) => {
        this.#log.warn({ user: name, error }, "the newer hash of a password could not be kept");
      })
      .finally(() => this.#rehashing.delete(name));
  }

  #isRole(name: string): boolean {
    return this.#directory.roles.has(name) || this.#directory.brokenRoles.has(name);
  }

  #checkRoles(roles: readonly string[], more?: ReadonlyMap<string, unknown>): void {
    for (const role of roles) if (!this.hasRole(role) && !more?.has(role)) throw unknownRole(role);
  }

  #refuseConfigured(name: string): void {
    const configured = this.#directory.configured.get(name);
    if (configured !== undefined) throw configuredUser(name, configured.source);
  }

  /** Written, then in force and told. */
  async #change(change: IdentityChange, more: readonly RecordChange[] = []): Promise<void> {
    await this.#records.writeRecords([...writeIdentities(change), ...more]);
    this.#directory.apply(change);
  }

  /** What a change is made of is looked at when all before it are done. */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    // Whoever asked hears of the failure; the next one need not.
    this.#last = result.catch(() => undefined);
    return result;
  }
}
