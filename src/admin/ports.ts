/**
 * What the API asks of the rest of tStack. `auth/` has classes of these shapes, the broker the last one; `cli/` puts them
 * together. Every method that changes something resolves when it is kept and in force; all throw a `TstackError`.
 */
import type {
  Action,
  Ban,
  Client,
  ExplainQuestion,
  Explanation,
  ExportedIdentities,
  Granting,
  ImportOutcome,
  MadeRegistrationKey,
  NewPassword,
  NewRegistrationKey,
  NewRole,
  NewUser,
  QoS,
  Registered,
  RegistrationKey,
  Revoking,
  Role,
  User,
  WhoCan,
} from "./api-types.ts";

/** `UserAdministration` of auth/. */
export interface Users {
  listUsers(): User[];
  /** USER_UNKNOWN */
  findUser(name: string): User;
  /** USER_EXISTS, USER_INVALID, PASSWORD_HASH_INVALID, ROLE_UNKNOWN */
  addUser(user: NewUser): Promise<User>;
  /** USER_UNKNOWN, USER_CONFIGURED */
  removeUser(name: string): Promise<void>;
  /** USER_UNKNOWN, USER_CONFIGURED, USER_INVALID, PASSWORD_HASH_INVALID */
  setPassword(name: string, password: NewPassword): Promise<User>;
  setEnabled(name: string, isEnabled: boolean): Promise<User>;
  /** ROLE_UNKNOWN too */
  grantToUser(name: string, granting: Granting): Promise<User>;
  /** RIGHT_UNKNOWN when one of them is not there, and then nothing has changed */
  revokeFromUser(name: string, revoking: Revoking): Promise<User>;
  listRoles(): Role[];
  findRole(name: string): Role;
  addRole(role: NewRole): Promise<Role>;
  /** ROLE_IN_USE */
  removeRole(name: string): Promise<void>;
  /** Of `granting` the rules and `at`. */
  grantToRole(name: string, granting: Granting): Promise<Role>;
  revokeFromRole(name: string, revoking: Revoking): Promise<Role>;
  /** USER_EXISTS and ROLE_EXISTS unless `replace`. */
  importIdentities(identities: ExportedIdentities, replace: boolean): Promise<ImportOutcome>;
  exportIdentities(): ExportedIdentities;
  /** USER_UNKNOWN, USER_INVALID for what is no topic */
  explain(question: ExplainQuestion): Explanation;
  whoCan(question: { action: Action; topic: string; qos?: QoS; retain?: boolean }): WhoCan[];
}

/** `Registrations` of auth/. */
export interface Registrations {
  listKeys(): RegistrationKey[];
  /** REGISTRATION_KEY_EXISTS, ROLE_UNKNOWN, USER_INVALID */
  addKey(key: NewRegistrationKey): Promise<MadeRegistrationKey>;
  /** REGISTRATION_KEY_UNKNOWN */
  revokeKey(name: string): Promise<RegistrationKey>;
  /** One use of the key and a new user, both or neither. REGISTRATION_KEY_REFUSED */
  register(key: string): Promise<Registered>;
}

/** `AttemptGuard` of auth/. */
export interface Bans {
  listBans(): Ban[];
  /** An address or a user name. BAN_UNKNOWN */
  liftBan(subject: string): void;
}

/** The running broker; absent where the API is asked of a folder at rest. */
export interface RunningBroker {
  clients(userName?: string): Client[];
}
