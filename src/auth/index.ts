export { hashPassword, parsePasswordHash } from "./password-hash.ts";
export type { Credential } from "./password-verifier.ts";
export { findMistakeInRight, type Right } from "./rights.ts";
export { type AnonymousRights, type User, UserList, type UserListEntries } from "./user-list.ts";
