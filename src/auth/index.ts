export {
  AnonymousAuthenticator,
  type AnonymousAuthenticatorOptions,
  type AnonymousRights,
} from "./anonymous-authenticator.ts";
export { AttemptGuard } from "./attempt-guard.ts";
export { defaultAttemptGuardSettings } from "./attempt-guard-settings.ts";
export { type AuthenticationLink, AuthenticatorChain } from "./authenticator-chain.ts";
export {
  CertificateAuthenticator,
  type CertificateAuthenticatorOptions,
  type CertificateName,
  certificateNames,
} from "./certificate-authenticator.ts";
export { Grant } from "./grant.ts";
export {
  type HttpAuthenticator,
  type HttpSettings,
  openHttpAuthenticator,
} from "./http-authenticator.ts";
export {
  type JwtAuthenticator,
  type JwtSettings,
  openJwtAuthenticator,
} from "./jwt-authenticator.ts";
export { type JwtAlgorithm, jwtAlgorithms } from "./jwt-keys.ts";
export { LearningAuthorizer, type Observation, parseObservation } from "./learning.ts";
export { type LeastRules, leastRules } from "./least-rules.ts";
export { hashPassword, parsePasswordHash } from "./password-hash.ts";
export { type Credential, PasswordVerifier } from "./password-verifier.ts";
export { Registrations } from "./registrations.ts";
export { findMistakeInRight, type Right } from "./rights.ts";
export { RightsAuthorizer } from "./rights-authorizer.ts";
export { findMistakeInRule, toRight } from "./rule.ts";
export { ScramAuthenticator } from "./scram-authenticator.ts";
export { makeScramKeys } from "./scram-keys.ts";
export { UserAdministration } from "./user-administration.ts";
export { UserAuthenticator, type UserAuthenticatorOptions } from "./user-authenticator.ts";
export type { UserChange } from "./user-change.ts";
export { type ConfiguredUser, UserDirectory } from "./user-directory.ts";
