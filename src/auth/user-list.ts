/**
 * A list of users with their passwords and rights, and of what anonymous clients may do, as the broker's `Authenticator` and
 * `Authorizer`. Who is not in the list is refused, and every answer names the entry that decided. Holds no password that
 * the list does not hold, and remembers none that clients sent.
 */
import { ReasonCode } from "../base/index.ts";
import type {
  AuthenticationRequest,
  AuthenticationResult,
  Authenticator,
  AuthorizationDecision,
  AuthorizationRequest,
  Authorizer,
} from "../broker/ports.ts";
import { PasswordCosts } from "./password-costs.ts";
import {
  type Credential,
  PasswordVerifier,
  type PasswordVerifierOptions,
} from "./password-verifier.ts";
import { decide, type Right } from "./rights.ts";

export interface User {
  readonly name: string;
  readonly credential: Credential;
  readonly rights: readonly Right[];
  /** Where it stands, for people: `users[2] (tstack.yaml:12)`. */
  readonly source: string;
}

export interface AnonymousRights {
  readonly rights: readonly Right[];
  /** Why they are accepted and where that stands, for people. */
  readonly source: string;
}

export interface UserListEntries {
  /** Names are unique. */
  readonly users: readonly User[];
  /** Absent: clients without a user name are refused. */
  readonly anonymous?: AnonymousRights;
}

/**
 * @example
 * const users = new UserList({
 *   users: [{
 *     name: "ada", credential: { password: "secret" }, source: "users[0]",
 *     rights: [{ effect: "allow", action: "both", filter: "home/#", source: "users[0].rights[0]" }],
 *   }],
 * });
 * createBroker({ authenticator: users, authorizer: users });
 */
export class UserList implements Authenticator, Authorizer {
  readonly #users: ReadonlyMap<string, User>;
  readonly #anonymous: AnonymousRights | undefined;
  readonly #verifier: PasswordVerifier;
  /** The list never changes, so what was decided stays decided. */
  readonly generation = 0;

  constructor(entries: UserListEntries, options?: PasswordVerifierOptions) {
    this.#users = new Map(entries.users.map((user) => [user.name, user]));
    this.#anonymous = entries.anonymous;
    this.#verifier = new PasswordVerifier(countCosts(entries.users), options);
  }

  authenticate(
    request: AuthenticationRequest,
  ): AuthenticationResult | Promise<AuthenticationResult> {
    if (request.userName === undefined || this.#users.size === 0)
      return this.#acceptAnonymous(request);
    return this.#authenticateUser(request.userName, request.password);
  }

  #acceptAnonymous({ userName }: AuthenticationRequest): AuthenticationResult {
    if (this.#anonymous === undefined) {
      const rule = "no user name given, and anonymous clients are not allowed";
      return { allowed: false, reasonCode: ReasonCode.notAuthorized, rule };
    }
    const unchecked =
      userName === undefined ? "" : "; its user name is not checked: there are no users";
    return { allowed: true, userName: undefined, rule: `${this.#anonymous.source}${unchecked}` };
  }

  async #authenticateUser(
    userName: string,
    password: Uint8Array = new Uint8Array(),
  ): Promise<AuthenticationResult> {
    const user = this.#users.get(userName);
    const verdict = await this.#verifier.verify(password, user?.credential, userName);
    if (verdict === "busy") {
      const rule = "too many clients wait for their passwords to be verified";
      return { allowed: false, reasonCode: ReasonCode.serverBusy, rule };
    }
    if (user !== undefined && verdict === "right") {
      return { allowed: true, userName, rule: describeUser(user) };
    }
    const rule = describeWrong(user, password);
    return { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule };
  }

  authorize(request: AuthorizationRequest): AuthorizationDecision {
    const { userName } = request.client;
    if (userName === undefined) {
      const { rights, source } = this.#anonymous ?? { rights: [], source: "none" };
      return decide(rights, `anonymous clients (${source})`, request);
    }
    const user = this.#users.get(userName);
    if (user === undefined) return { allowed: false, rule: "the user is not in the list of users" };
    return decide(user.rights, describeUser(user), request);
  }
}

function countCosts(users: readonly User[]): PasswordCosts {
  const costs = new PasswordCosts();
  for (const { name, credential } of users)
    if ("hash" in credential) costs.set(name, credential.hash);
  return costs;
}

function describeUser(user: User): string {
  return `user ${JSON.stringify(user.name)}, ${user.source}`;
}

/** For the log of the operator. A client must not be told: it would learn which users there are. */
function describeWrong(user: User | undefined, password: Uint8Array): string {
  if (user === undefined) return "there is no such user";
  return `${password.length === 0 ? "no password" : "wrong password"} for ${describeUser(user)}`;
}
