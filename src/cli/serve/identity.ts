/**
 * Who a client is, put together from the configuration and the directory of users: for each listener a chain of those that it
 * asks, which share what costs memory or time. Always holds: only what the configuration says lets anyone in.
 */
import {
  AnonymousAuthenticator,
  type AnonymousRights,
  AttemptGuard,
  type AuthenticationLink,
  AuthenticatorChain,
  CertificateAuthenticator,
  Grant,
  type HttpAuthenticator,
  type JwtAuthenticator,
  openHttpAuthenticator,
  openJwtAuthenticator,
  openScramSaltKey,
  PasswordVerifier,
  ScramAuthenticator,
  UserAuthenticator,
  type UserDirectory,
} from "../../auth/index.ts";
import { type Log, systemClock } from "../../base/index.ts";
import type { RecordStore, StoredRecord } from "../../broker/index.ts";
import type { EnhancedAuthenticator, ListenerSettings } from "../../index.ts";
import type { Configuration } from "./configuration.ts";
import { openRights } from "./configuration-anonymous.ts";
import { knowsOthers, type ListenerConfiguration } from "./configuration-listeners.ts";

type IdentitySettings = Pick<ListenerSettings, "authenticator" | "enhancedAuthenticators">;

interface SharedLinks {
  readonly users: UserAuthenticator;
  readonly certificate: CertificateAuthenticator;
  readonly jwt: JwtAuthenticator | undefined;
  readonly http: HttpAuthenticator | undefined;
}

interface IdentityWorld {
  readonly directory: UserDirectory;
  readonly store: RecordStore;
  /** What `store` held at the start. */
  readonly records: readonly StoredRecord[];
  readonly log: Log;
}

/** @throws TstackError CONFIGURATION_INVALID when a file of secrets or keys does not hold what it must */
export async function openIdentity(
  { authentication, listeners }: Configuration,
  { directory, store, records, log }: IdentityWorld,
): Promise<Identity> {
  const verifier = new PasswordVerifier(directory.passwordCosts);
  const world = { clock: systemClock, log, users: directory };
  const { jwt, http, certificate } = authentication;
  const links = {
    users: new UserAuthenticator({ users: directory, verifier, log }),
    certificate: new CertificateAuthenticator({ users: directory, verifier, ...certificate }),
    jwt: jwt && (await openJwtAuthenticator(jwt, world)),
    http: http && (await openHttpAuthenticator(http, world)),
  };
  // One for all listeners: each name has the same salt at all of them.
  const scram = new ScramAuthenticator(directory, {
    saltKey: await openScramSaltKey(records, store, log),
  });
  const guard = new AttemptGuard({ log, settings: authentication.bans });
  return new Identity(directory, { links, scram, listeners, guard, log });
}

interface IdentityParts {
  readonly links: SharedLinks;
  readonly scram: ScramAuthenticator;
  readonly listeners: readonly ListenerConfiguration[];
  readonly guard: AttemptGuard;
  readonly log: Log;
}

export class Identity {
  /** One for all listeners: who is banned at one is so at all. */
  readonly guard: AttemptGuard;
  readonly #directory: UserDirectory;
  readonly #links: SharedLinks;
  readonly #scram: ScramAuthenticator;
  readonly #listeners: readonly ListenerConfiguration[];
  readonly #log: Log;

  constructor(directory: UserDirectory, { links, scram, listeners, guard, log }: IdentityParts) {
    this.guard = guard;
    this.#directory = directory;
    this.#links = links;
    this.#scram = scram;
    this.#listeners = listeners;
    this.#log = log;
  }

  settingsOf(listener: ListenerConfiguration): IdentitySettings {
    const links = listener.chain.flatMap(
      (name) => (name === "anonymous" ? this.#newAnonymous(listener) : this.#links[name]) ?? [],
    );
    const { jwt } = this.#links;
    const methods: EnhancedAuthenticator[] = [];
    if (listener.chain.includes("users")) methods.push(this.#scram);
    if (jwt !== undefined && listener.chain.includes("jwt")) methods.push(jwt);
    return {
      authenticator: this.guard.guard(new AuthenticatorChain(links, this.#log)),
      enhancedAuthenticators: methods.map((method) => this.guard.guardExchanges(method)),
    };
  }

  #newAnonymous({ anonymous, chain }: ListenerConfiguration): AuthenticationLink {
    const directory = this.#directory;
    return new AnonymousAuthenticator({
      allowed: () => findAnonymousRights(anonymous, directory.isEmpty),
      hasUsers: () => knowsOthers(chain) || !directory.isEmpty,
    });
  }

  /** What anonymous clients may do now, as the first listener has it that accepts them. */
  findAnonymousGrant(): Grant | undefined {
    for (const { anonymous } of this.#listeners) {
      const allowed = findAnonymousRights(anonymous, this.#directory.isEmpty);
      if (allowed === undefined) continue;
      return new Grant(`anonymous clients (${allowed.source})`, () => allowed.rights);
    }
    return undefined;
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
