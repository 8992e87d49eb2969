/**
 * Who a client is and what it may do, put together from the configuration and the store: one directory of users, and for each
 * listener a chain of those that it asks. Always holds: only what the configuration says lets anyone in.
 */
import {
  AnonymousAuthenticator,
  type AnonymousRights,
  type AuthenticationLink,
  AuthenticatorChain,
  PasswordVerifier,
  UserAuthenticator,
  type UserDirectory,
} from "../../auth/index.ts";
import type { Log } from "../../base/index.ts";
import type { Authenticator } from "../../index.ts";
import type { Configuration } from "./configuration.ts";
import { openRights } from "./configuration-anonymous.ts";
import { knowsOthers, type ListenerConfiguration } from "./configuration-listeners.ts";
import type { LinkName } from "./configuration-schema-listen.ts";

/** Everything that the chains of all listeners share. */
export class Identity {
  readonly #directory: UserDirectory;
  readonly #log: Log;
  readonly #shared: Partial<Record<LinkName, AuthenticationLink>>;

  constructor(_configuration: Configuration, directory: UserDirectory, log: Log) {
    this.#directory = directory;
    this.#log = log;
    const verifier = new PasswordVerifier(undefined);
    this.#shared = { users: new UserAuthenticator({ users: directory, verifier }) };
  }

  authenticatorOf(listener: ListenerConfiguration): Authenticator {
    const links = listener.chain.flatMap(
      (name) => (name === "anonymous" ? this.#newAnonymous(listener) : this.#shared[name]) ?? [],
    );
    return new AuthenticatorChain(links, this.#log);
  }

  #newAnonymous({ anonymous, chain }: ListenerConfiguration): AuthenticationLink {
    const directory = this.#directory;
    return new AnonymousAuthenticator({
      allowed: () => findAnonymousRights(anonymous, directory.isEmpty),
      hasUsers: () => knowsOthers(chain) || !directory.isEmpty,
    });
  }
}

/** What anonymous clients may do at this moment; undefined: they do not come in. */
export function findAnonymousRights(
  { accepted, rights }: ListenerConfiguration["anonymous"],
  isWithoutUsers: boolean,
): AnonymousRights | undefined {
  if (accepted === "never" || (accepted === "whileNoUsers" && !isWithoutUsers)) return undefined;
  const found = rights ?? (isWithoutUsers ? openRights : undefined);
  if (found === undefined) return undefined;
  const source = accepted === "always" ? "anonymous clients are allowed" : "there are no users";
  return { rights: found, source };
}
