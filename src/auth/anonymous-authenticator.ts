/**
 * The link `anonymous`, the last of a chain: clients without a user name, where they are allowed. A user name that is given
 * must be proven by another link; only where there are no users at all it is neither checked nor believed.
 */
import type { AuthenticationRequest, AuthenticationResult } from "../broker/ports.ts";
import type { AuthenticationLink } from "./authenticator-chain.ts";
import { Grant } from "./grant.ts";
import type { Right } from "./rights.ts";

export interface AnonymousRights {
  readonly rights: readonly Right[];
  /** Why they are accepted and where that stands, for people. */
  readonly source: string;
}

export interface AnonymousAuthenticatorOptions {
  /**
   * Undefined: nobody comes in anonymously. Asked at each login, and at each decision on rights: who is connected
   * loses them with it.
   */
  readonly allowed: () => AnonymousRights | undefined;
  /** Without users a user name is not checked. Default: there are some. */
  readonly hasUsers?: () => boolean;
}

export class AnonymousAuthenticator implements AuthenticationLink {
  readonly name = "anonymous";
  readonly #allowed: () => AnonymousRights | undefined;
  readonly #hasUsers: () => boolean;

  constructor({ allowed, hasUsers = () => true }: AnonymousAuthenticatorOptions) {
    this.#allowed = allowed;
    this.#hasUsers = hasUsers;
  }

  authenticate({ userName }: AuthenticationRequest): AuthenticationResult | undefined {
    const allowed = this.#allowed();
    if (allowed === undefined) return undefined;
    if (userName !== undefined && this.#hasUsers()) return undefined;
    const grant = new Grant(
      `anonymous clients (${allowed.source})`,
      () => this.#allowed()?.rights ?? [],
    );
    const unchecked =
      userName === undefined ? "" : "; its user name is not checked: there are no users";
    return { allowed: true, userName: undefined, grant, rule: `${allowed.source}${unchecked}` };
  }
}
