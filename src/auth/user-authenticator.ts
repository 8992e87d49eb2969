/**
 * The link `users`: a user name and its password, as they are in a `UserSource`. Who is not a user, is disabled or gives a
 * wrong password costs the same work and is told the same; only `rule`, for the operator's log, says which it was.
 */
import { type Log, ReasonCode, silentLog } from "../base/index.ts";
import type { AuthenticationRequest, AuthenticationResult } from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import type { KnownUser, UserSource } from "./known-user.ts";
import type { Credential, PasswordVerifier } from "./password-verifier.ts";

export interface UserAuthenticatorOptions {
  /** Where nobody is a user at all (`isEmpty`), no work hides who is. */
  readonly users: UserSource & { readonly isEmpty?: boolean };
  readonly verifier: PasswordVerifier;
  /** Default: silence. */
  readonly log?: Log;
}

export class UserAuthenticator implements AuthenticationLink {
  readonly name = "users";
  readonly #users: UserAuthenticatorOptions["users"];
  readonly #verifier: PasswordVerifier;
  readonly #log: Log;
  /** Hashes that stay as they are, because they stand in a configuration, are not hashed anew at each login. */
  readonly #rehashed = new WeakSet<Credential>();

  constructor({ users, verifier, log = silentLog }: UserAuthenticatorOptions) {
    this.#users = users;
    this.#verifier = verifier;
    this.#log = log;
  }

  async authenticate({
    userName,
    password = new Uint8Array(),
    isAwaited,
  }: AuthenticationRequest): Promise<AuthenticationResult | undefined> {
    if (userName === undefined || this.#users.isEmpty === true) return undefined;
    const user = this.#users.find(userName);
    // That a password is right may be remembered and told at once: of a disabled user it is not even asked.
    const credential = user?.isEnabled ? user.credential : undefined;
    const verdict = await this.#verifier.verify(password, credential, userName, isAwaited);
    if (verdict === "busy") return refuseBusy();
    if (user === undefined) return undefined;
    if (!user.isEnabled) return refuse(`${describeUser(user)} is disabled`);
    if (verdict === "wrong") return refuse(describeWrong(user, password));
    this.#rehash(user, password).catch((err: unknown) => {
      const facts = { err, userName: user.name };
      this.#log.error(facts, "a password could not be hashed anew; its old hash still counts");
    });
    return { allowed: true, userName: user.name, rule: describeUser(user) };
  }

  /** Of a user with a hash of an old kind, while its password is known. */
  async #rehash({ name, credential }: KnownUser, password: Uint8Array): Promise<void> {
    if (credential === undefined || !("hash" in credential) || this.#rehashed.has(credential))
      return;
    const newHash = await this.#verifier.rehash(password, credential);
    if (newHash === undefined) return;
    this.#rehashed.add(credential);
    this.#users.rehashed(name, credential.hash.text, newHash);
  }
}

export function describeUser(user: KnownUser): string {
  return `user ${JSON.stringify(user.name)}, ${user.source}`;
}

export function refuseBusy(): AuthenticationResult {
  const rule = "too many clients wait for their passwords to be verified";
  return { allowed: false, reasonCode: ReasonCode.serverBusy, rule };
}

function refuse(rule: string): AuthenticationResult {
  return { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule };
}

function describeWrong(user: KnownUser, password: Uint8Array): string {
  if (user.credential === undefined) return `${describeUser(user)} has no password`;
  return `${password.length === 0 ? "no password" : "wrong password"} for ${describeUser(user)}`;
}
