/**
 * Who clients are and what they may do, for tserve and, as `tstack/auth`, for your own program: links for a chain, a
 * directory of users, their rights, and a guard against guessing. Every link fails closed.
 *
 * @example
 * import { createBroker } from "tstack";
 * import * as auth from "tstack/auth";
 *
 * const ada = {
 *   name: "ada",
 *   credential: { hash: auth.parsePasswordHash(await auth.hashPassword("lovelace")) },
 *   rights: [auth.toRight({ allow: "both", filter: "home/#" }, "what Ada may do")],
 *   source: "this program",
 * };
 * const users = new auth.UserDirectory({ configured: [ada] });
 * const verifier = new auth.PasswordVerifier(users.passwordCosts);
 * const chain = new auth.AuthenticatorChain([new auth.UserAuthenticator({ users, verifier })]);
 * const broker = createBroker({
 *   authenticator: new auth.AttemptGuard().guard(chain),
 *   authorizer: new auth.RightsAuthorizer(users),
 * });
 * await broker.listen("mqtt://127.0.0.1:1883");
 */
export {
  AnonymousAuthenticator,
  type AnonymousAuthenticatorOptions,
  type AnonymousRights,
} from "./anonymous-authenticator.ts";
export { AttemptGuard } from "./attempt-guard.ts";
export {
  type AttemptGuardSettings,
  defaultAttemptGuardSettings,
} from "./attempt-guard-settings.ts";
export { type AuthenticationLink, AuthenticatorChain } from "./authenticator-chain.ts";
export {
  CertificateAuthenticator,
  type CertificateAuthenticatorOptions,
  type CertificateName,
  certificateNames,
} from "./certificate-authenticator.ts";
export { Grant } from "./grant.ts";
export type { GrantingWorld } from "./granted-identity.ts";
export {
  type HttpAuthenticator,
  type HttpSettings,
  openHttpAuthenticator,
} from "./http-authenticator.ts";
export { type JwtAlgorithm, jwtAlgorithms } from "./jwt-algorithms.ts";
export type { JwtAuthenticator, JwtSettings } from "./jwt-authenticator.ts";
export type { KnownUser, ScramKeys, UserSource } from "./known-user.ts";
export { LearningAuthorizer, type Observation, parseObservation } from "./learning.ts";
export { type LeastRules, leastRules } from "./least-rules.ts";
export { openJwtAuthenticator } from "./open-jwt-authenticator.ts";
export { hashPassword, type PasswordHash, parsePasswordHash } from "./password-hash.ts";
export { type Credential, PasswordVerifier } from "./password-verifier.ts";
export { Registrations } from "./registrations.ts";
export { findMistakeInRight, type Right } from "./rights.ts";
export { RightsAuthorizer } from "./rights-authorizer.ts";
export { findMistakeInRule, type Rule, toRight } from "./rule.ts";
export { ScramAuthenticator } from "./scram-authenticator.ts";
export { makeScramKeys } from "./scram-keys.ts";
export { openScramSaltKey } from "./scram-salt-key.ts";
export { UserAdministration } from "./user-administration.ts";
export { UserAuthenticator, type UserAuthenticatorOptions } from "./user-authenticator.ts";
export type { UserChange } from "./user-change.ts";
export { type ConfiguredUser, UserDirectory } from "./user-directory.ts";
