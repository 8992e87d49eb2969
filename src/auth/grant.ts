/**
 * Rights that came with an authentication rather than from the list of users: of a token, of an HTTP service, of anonymous
 * clients. The broker carries it from the authenticator to the authorizer unread (`ClientIdentity.grant`).
 */
import type { Right } from "./rights.ts";

export class Grant {
  /** Whose rights, for people: `the token of "ada"`, `anonymous clients (...)`. */
  readonly owner: string;
  readonly #rights: () => readonly Right[];

  /** Asked at every decision, so that rights may change while the connection stands. */
  constructor(owner: string, rights: () => readonly Right[]) {
    this.owner = owner;
    this.#rights = rights;
  }

  get rights(): readonly Right[] {
    return this.#rights();
  }
}
