/**
 * What the server keeps of a password for SCRAM-SHA-256 (RFC 5802, section 3; RFC 7677). Kept only for users who ask for it:
 * who steals these keys tries passwords against 4096 iterations of SHA-256, some sixty times faster than against the
 * argon2id of the same password, with graphics cards far more, and can play the server to that user. In exchange the
 * password itself never travels.
 */
import { createHmac, hash, pbkdf2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { TstackError } from "../base/index.ts";
import type { ScramKeys } from "./known-user.ts";

/**
 * The least that RFC 7677 allows and what most clients expect. The device pays for it at each login: 8192 blocks of SHA-256
 * or twice as many, tenths of a second for an ESP32. OWASP asks for 600,000 iterations where a server pays; that would be a
 * minute there.
 */
export const scramIterations = 4096;
export const scramSaltBytes = 16;
export const scramKeyBytes = 32;
const deriveKey = promisify(pbkdf2);

/**
 * Runs in the thread pool.
 * @throws TstackError USER_INVALID for a password with characters that SASLprep (RFC 4013) forbids
 */
export async function makeScramKeys(password: string): Promise<ScramKeys> {
  const salt = randomBytes(scramSaltBytes);
  const prepared = await preparePassword(password);
  const salted = await deriveKey(prepared, salt, scramIterations, scramKeyBytes, "sha256");
  return {
    salt: salt.toString("base64"),
    iterations: scramIterations,
    storedKey: hash("sha256", sign(salted, "Client Key"), "base64"),
    serverKey: sign(salted, "Server Key").toString("base64"),
  };
}

async function preparePassword(password: string): Promise<string> {
  // Its tables are loaded only where somebody wants SCRAM.
  const { default: saslprep } = await import("@mongodb-js/saslprep");
  let prepared: string;
  try {
    prepared = saslprep(password);
  } catch (cause) {
    throw invalidPassword("it has characters that SASLprep (RFC 4013) forbids", { cause });
  }
  if (prepared === "") throw invalidPassword("nothing is left of it after SASLprep (RFC 4013)");
  return prepared;
}

function invalidPassword(why: string, options?: ErrorOptions): TstackError {
  return new TstackError(
    "USER_INVALID",
    `the password cannot be used with SCRAM-SHA-256: ${why}; choose another, or do without SCRAM`,
    options,
  );
}

/** HMAC-SHA-256: every key and signature of SCRAM is one. */
export function sign(key: Uint8Array, message: string): Buffer {
  return createHmac("sha256", key).update(message).digest();
}
