/**
 * Asks one way after the other who a client is: the first link that decides has decided, and what none decides is refused.
 * Fails closed: when a link fails, nobody else is asked, the client is told that the server is not available, and the log
 * what went wrong.
 */
import { type Log, ReasonCode, silentLog } from "../base/index.ts";
import type {
  AuthenticationRequest,
  AuthenticationResult,
  Authenticator,
} from "../broker/ports.ts";

type MaybeDecided = AuthenticationResult | undefined;

/** One way to find out who a client is. */
export interface AuthenticationLink {
  /** For the log and the configuration: `users`. */
  readonly name: string;
  /**
   * Undefined passes to the next link: the client shows nothing that this one looks at. A refusal is for good. To throw
   * or to reject means that it cannot tell now. Must not block the event loop.
   */
  authenticate(request: AuthenticationRequest): MaybeDecided | Promise<MaybeDecided>;
}

/**
 * @example
 * const badges: AuthenticationLink = {
 *   name: "badges",
 *   authenticate: ({ userName }) =>
 *     userName?.startsWith("badge-") ? { allowed: true, userName, rule: "a badge" } : undefined,
 * };
 * createBroker({ authenticator: new AuthenticatorChain([badges, users]), authorizer });
 */
export class AuthenticatorChain implements Authenticator {
  readonly #links: readonly AuthenticationLink[];
  readonly #log: Log;

  constructor(links: readonly AuthenticationLink[], log: Log = silentLog) {
    this.#links = links;
    this.#log = log;
  }

  async authenticate(request: AuthenticationRequest): Promise<AuthenticationResult> {
    for (const link of this.#links) {
      try {
        const result = await link.authenticate(request);
        if (result === undefined) continue;
        // Links may be written without types: what is no result must not be taken for one.
        if (typeof result?.allowed === "boolean") return result;
        throw new TypeError("the link answered with something that is no AuthenticationResult");
      } catch (error) {
        return this.#fail(link, request, error);
      }
    }
    return this.#refuse(request);
  }

  #fail(link: AuthenticationLink, request: AuthenticationRequest, err: unknown) {
    const { clientIdentifier, remoteAddress, listener } = request;
    const facts = { err, link: link.name, clientIdentifier, remoteAddress, listener };
    this.#log.error(facts, `a client is refused because "${link.name}" could not decide who it is`);
    const rule = `"${link.name}" could not decide: ${err instanceof Error ? err.message : "it failed"}`;
    return { allowed: false, reasonCode: ReasonCode.serverUnavailable, rule } as const;
  }

  #refuse({ userName }: AuthenticationRequest): AuthenticationResult {
    const asked = this.#links.map(({ name }) => name).join(", ");
    if (userName === undefined) {
      const rule = `no user name is given, and nothing else says who it is (asked: ${asked})`;
      return { allowed: false, reasonCode: ReasonCode.notAuthorized, rule };
    }
    const rule = `no way to prove who it is knows such a user (asked: ${asked})`;
    return { allowed: false, reasonCode: ReasonCode.badUserNameOrPassword, rule };
  }
}
