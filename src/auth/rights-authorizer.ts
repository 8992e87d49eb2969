/**
 * The broker's `Authorizer`: asks the rights that came with the login, or those of the user as they are now. Whoever has
 * neither is refused. Every answer names the rule that decided.
 */
import type { AuthorizationDecision, AuthorizationRequest, Authorizer } from "../broker/ports.ts";
import { Grant } from "./grant.ts";
import { decide } from "./rights.ts";
import type { UserDirectory } from "./user-directory.ts";

/**
 * @example
 * createBroker({ authorizer: new RightsAuthorizer(directory) });
 */
export class RightsAuthorizer implements Authorizer {
  readonly #directory: UserDirectory;

  constructor(directory: UserDirectory) {
    this.#directory = directory;
  }

  get generation(): number {
    return this.#directory.generation;
  }

  authorize(request: AuthorizationRequest): AuthorizationDecision {
    const { grant, userName } = request.client;
    if (grant instanceof Grant) return decide(grant.rights, grant.owner, request);
    if (userName === undefined) {
      return { allowed: false, rule: "nothing gives rights to a client without a user name" };
    }
    const owned = this.#directory.rightsOf(userName);
    if (owned === undefined) {
      return { allowed: false, rule: `there is no user ${JSON.stringify(userName)} any more` };
    }
    return decide(owned.rights, owned.owner, request);
  }
}
