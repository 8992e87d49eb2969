/**
 * What a user and a role must be, wherever they come from: the API, an import, the store. Every check gives back what it
 * has looked at, or throws USER_INVALID with a sentence that names the user and never a secret.
 */
import { TstackError } from "../base/index.ts";
import type { ScramKeys } from "./known-user.ts";
import { parsePasswordHash } from "./password-hash.ts";
import { findMistakeInRule, type Rule } from "./rule.ts";
import { scramIterations, scramKeyBytes } from "./scram-keys.ts";

const nameBytesMax = 256;
const passwordBytesMax = 1024;
const noteBytesMax = 1024;
const rulesMax = 10_000;
const rolesOfUserMax = 100;
/** A device would compute for a minute, or for ever. */
const scramIterationsMax = 1_000_000;

/** Kinds of strings that people see in messages. */
export type Owner = `user ${string}` | `role ${string}`;

/** `user "ada"`: how messages and rules name their user or role. */
export function nameOwner(kind: "user" | "role", name: string): Owner {
  return `${kind} ${JSON.stringify(name)}`;
}

export function invalid(message: string): TstackError {
  return new TstackError("USER_INVALID", message);
}

/** Any text of 1 to 256 bytes without control characters. */
export function checkName(kind: "user" | "role", name: unknown): string {
  const a = `the name of a ${kind}`;
  if (typeof name !== "string" || name === "") throw invalid(`${a} is missing or empty`);
  if (!name.isWellFormed() || /\p{Cc}/u.test(name))
    throw invalid(`${a} holds control characters, or is not valid Unicode`);
  if (Buffer.byteLength(name) > nameBytesMax)
    throw invalid(`${a} has more than ${nameBytesMax} bytes`);
  return name;
}

export function checkRules(rules: unknown, owner: Owner): readonly Rule[] {
  if (!Array.isArray(rules)) throw invalid(`the rules of ${owner} are not a list`);
  if (rules.length > rulesMax) throw invalid(`${owner} would have more than ${rulesMax} rules`);
  for (const [index, rule] of rules.entries()) {
    const mistake = findMistakeInRule(rule);
    if (mistake !== undefined) throw invalid(`${owner}, rule ${index + 1} ${mistake}`);
  }
  return rules;
}

/** Names of roles, each once; whether there are such roles is for others to say. */
export function checkRoleNames(roles: unknown, owner: Owner): readonly string[] {
  if (!Array.isArray(roles)) throw invalid(`the roles of ${owner} are not a list`);
  if (roles.length > rolesOfUserMax)
    throw invalid(`${owner} would have more than ${rolesOfUserMax} roles`);
  const names = roles.map((role) => checkName("role", role));
  if (new Set(names).size < names.length) throw invalid(`${owner} has a role twice`);
  return names;
}

export function checkPassword(password: unknown, owner: Owner): string {
  if (typeof password !== "string" || password === "")
    throw invalid(`the password of ${owner} is empty`);
  if (!password.isWellFormed()) throw invalid(`the password of ${owner} is not valid Unicode`);
  if (Buffer.byteLength(password) > passwordBytesMax)
    throw invalid(`the password of ${owner} has more than ${passwordBytesMax} bytes`);
  return password;
}

/** Throws PASSWORD_HASH_INVALID. */
export function checkPasswordHash(hash: unknown, owner: Owner): string {
  if (typeof hash !== "string") throw invalid(`the password hash of ${owner} is not text`);
  parsePasswordHash(hash);
  return hash;
}

/** Keys that can be computed with, and no cheaper to guess than RFC 7677 allows. */
export function checkScramKeys(keys: unknown, owner: Owner): ScramKeys {
  const { salt, iterations, storedKey, serverKey } = (keys ?? {}) as Record<string, unknown>;
  const isKey = (text: unknown) => isBase64(text, [scramKeyBytes, scramKeyBytes]);
  if (!isBase64(salt, [8, 64]) || !isKey(storedKey) || !isKey(serverKey)) {
    throw invalid(
      `the SCRAM keys of ${owner} are not a salt of 8 to 64 bytes, a storedKey and a serverKey of ${scramKeyBytes}, in Base64`,
    );
  }
  const count = Number.isSafeInteger(iterations) ? (iterations as number) : 0;
  if (count < scramIterations || count > scramIterationsMax) {
    throw invalid(
      `the SCRAM keys of ${owner} are not made with ${scramIterations} to ${scramIterationsMax} iterations`,
    );
  }
  return { salt, iterations: count, storedKey, serverKey } as ScramKeys;
}

function isBase64(text: unknown, [bytesMin, bytesMax]: readonly [number, number]): boolean {
  if (typeof text !== "string" || text.length > bytesMax * 2) return false;
  const bytes = Buffer.from(text, "base64");
  return bytes.length >= bytesMin && bytes.length <= bytesMax && bytes.toString("base64") === text;
}

export function checkNote(note: unknown, owner: Owner): string {
  if (typeof note !== "string" || Buffer.byteLength(note) > noteBytesMax)
    throw invalid(`the note of ${owner} is not text of at most ${noteBytesMax} bytes`);
  return note;
}

export function checkBoolean(value: unknown, what: string): boolean {
  if (typeof value !== "boolean") throw invalid(`${what} is neither true nor false`);
  return value;
}
