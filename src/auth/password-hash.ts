/**
 * Hashes of passwords as texts that other programs write and read too: argon2id for new ones, and for people who move in
 * what bcrypt and mosquitto_passwd made. A text that is accepted here can be verified: every cost is within bounds that
 * this machine can bear. All that costs something runs in the thread pool, never on the event loop.
 */
import { randomBytes } from "node:crypto";
import { TstackError } from "../base/index.ts";
import {
  type Argon2idHash,
  deriveArgon2id,
  hashWithArgon2id,
  newHashCost,
  readArgon2id,
} from "./password-hash-argon2id.ts";
import {
  type BcryptHash,
  deriveBcrypt,
  makeBcryptSalt,
  readBcrypt,
} from "./password-hash-bcrypt.ts";
import {
  derivePbkdf2,
  deriveSha512,
  type Pbkdf2Hash,
  readMosquittoHash,
  type Sha512Hash,
} from "./password-hash-mosquitto.ts";

/** `text` is the hash as it was read, and as it is stored. */
export type PasswordHash = { readonly text: string } & PasswordHashParts;
type PasswordHashParts = Argon2idHash | BcryptHash | Pbkdf2Hash | Sha512Hash;

/** Reads a hash; throws `PASSWORD_HASH_INVALID` with what is wrong, never with the hash itself. */
export function parsePasswordHash(text: string): PasswordHash {
  const parts = readArgon2id(text) ?? readBcrypt(text) ?? readMosquittoHash(text);
  if (parts !== undefined) return { text, ...parts };
  throw new TstackError(
    "PASSWORD_HASH_INVALID",
    "not an argon2id hash ($argon2id$v=19$...), nor one of bcrypt ($2b$...) or of mosquitto_passwd ($7$... or $6$...); `tserve hash-password` makes one",
  );
}

/** The text of a password's hash, of the kind and cost of new ones, with a fresh salt. */
export function hashPassword(password: string | Uint8Array): Promise<string> {
  return hashWithArgon2id(password);
}

/** Whether the password should be hashed anew as soon as it is known: another kind, or cheaper to guess than new ones. */
export function needsRehash(hash: PasswordHash): boolean {
  return (
    hash.kind !== "argon2id" ||
    hash.memoryKibibytes * hash.passes < newHashCost.memoryKibibytes * newHashCost.passes
  );
}

/** What `hash.tag` is if `password` is the right one. */
export function deriveTag(password: string | Uint8Array, hash: PasswordHash): Promise<Buffer> {
  switch (hash.kind) {
    case "argon2id":
      return deriveArgon2id(password, hash);
    case "bcrypt":
      return deriveBcrypt(password, hash);
    case "pbkdf2-sha512":
      return derivePbkdf2(password, hash);
    case "sha512":
      return deriveSha512(password, hash);
  }
}

/** Two hashes with the same words here take the same work to verify. */
export function describeCost(hash: PasswordHash): string {
  switch (hash.kind) {
    case "argon2id":
      return `argon2id ${hash.memoryKibibytes} ${hash.passes} ${hash.lanes}`;
    case "bcrypt":
      return `bcrypt ${hash.cost}`;
    case "pbkdf2-sha512":
      return `pbkdf2-sha512 ${hash.iterations}`;
    case "sha512":
      return "sha512";
  }
}

/** A hash that takes the work of new ones to verify, and that no password has. */
export function makeNewCost(): PasswordHash {
  const salt = randomBytes(16);
  return { text: "", kind: "argon2id", ...newHashCost, salt, tag: randomBytes(32) };
}

/** A hash that takes the same work to verify, and that no password has. */
export function makeSameCost(hash: PasswordHash): PasswordHash {
  const text = "";
  const tag = randomBytes(hash.tag.length);
  if (hash.kind === "bcrypt") return { ...hash, text, salt: makeBcryptSalt(), tag };
  return { ...hash, text, salt: randomBytes(hash.salt.length), tag };
}
