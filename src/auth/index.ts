export {
  AnonymousAuthenticator,
  type AnonymousAuthenticatorOptions,
} from "./anonymous-authenticator.ts";
export { type AuthenticationLink, AuthenticatorChain } from "./authenticator-chain.ts";
export { hashPassword, parsePasswordHash } from "./password-hash.ts";
export type { Credential } from "./password-verifier.ts";
export { findMistakeInRight, type Right } from "./rights.ts";
export { UserAuthenticator, type UserAuthenticatorOptions } from "./user-authenticator.ts";
export { type AnonymousRights, type User, UserList, type UserListEntries } from "./user-list.ts";
