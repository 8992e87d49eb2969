/**
 * The link `users`: a user name and its password, as they are in a `UserSource`. Who is not a user, is disabled or gives a
 * wrong password costs the same work and is told the same; only `rule`, for the operator's log, says which it was.
 */
import { ReasonCode } from "../base/index.ts";
import type { AuthenticationRequest, AuthenticationResult } from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import type { KnownUser, UserSource } from "./known-user.ts";
import type { PasswordVerifier } from "./password-verifier.ts";

export interface UserAuthenticatorOptions {
  /** Where nobody is a user at all (`isEmpty`), no work hides who is. */
  readonly users: UserSource & { readonly isEmpty?: boolean };
  readonly verifier: PasswordVerifier;
}

export class UserAuthenticator implements AuthenticationLink {
  readonly name = "users";
  readonly #users: UserAuthenticatorOptions["users"];
  readonly #verifier: PasswordVerifier;

  constructor({ users, verifier }: UserAuthenticatorOptions) {
    this.#users = users;
    this.#verifier = verifier;
  }

  async authenticate({
    userName,
    password = new Uint8Array(),
  }: AuthenticationRequest): Promise<AuthenticationResult | undefined> {
    if (userName === undefined || this.#users.isEmpty === true) return undefined;
    const user = this.#users.find(userName);
    const verdict = await this.#verifier.verify(password, user?.credential);
    if (verdict === "busy") return refuseBusy();
    if (user === undefined) return undefined;
    if (verdict === "wrong") return refuse(describeWrong(user, password));
    return user.isEnabled
      ? { allowed: true, userName: user.name, rule: describeUser(user) }
      : refuse(`${describeUser(user)} is disabled`);
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
  const wrong = `${password.length === 0 ? "no password" : "wrong password"} for ${describeUser(user)}`;
  return user.isEnabled ? wrong : `${wrong}, which is disabled`;
}
