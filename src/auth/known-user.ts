/** What an authenticator sees of the users: who there is, and how each proves who it is. */
import type { Credential } from "./password-verifier.ts";

/** What the server keeps for SCRAM-SHA-256 (RFC 5802, section 3): no password can be read out of it. Base64. */
export interface ScramKeys {
  readonly salt: string;
  readonly iterations: number;
  readonly storedKey: string;
  readonly serverKey: string;
}

export interface KnownUser {
  readonly name: string;
  /** Undefined: it has no password, and comes in with a certificate or not at all. */
  readonly credential: Credential | undefined;
  readonly scram: ScramKeys | undefined;
  readonly isEnabled: boolean;
  /** Where it stands, for people: `users[2] (tserve.yaml:12)`, `the broker's store`. */
  readonly source: string;
}

/** `UserDirectory` is one. */
export interface UserSource {
  find(name: string): KnownUser | undefined;
  /**
   * The right password was given, and its hash was of an old kind: `newHash` is of the new one. It is written some time
   * later if the user still has `oldHash` then, so that a password that was changed meanwhile stays. Never throws.
   */
  rehashed(name: string, oldHash: string, newHash: string): void;
}
