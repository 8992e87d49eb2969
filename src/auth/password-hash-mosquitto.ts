/**
 * What mosquitto_passwd writes behind a name and a colon: PBKDF2 with HMAC-SHA-512, `$7$iterations$salt$tag`, and before
 * mosquitto 2.0 SHA-512 of the password and the salt, `$6$salt$tag`, which resists no guessing at all.
 */
import { hash as digest, pbkdf2 } from "node:crypto";
import { promisify } from "node:util";
import { checkHashBounds, invalidHash } from "./password-hash-bounds.ts";

export interface Pbkdf2Hash {
  readonly kind: "pbkdf2-sha512";
  readonly iterations: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

export interface Sha512Hash {
  readonly kind: "sha512";
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** mosquitto writes 101 or 1000 iterations; ten million are some four seconds. */
const iterationsBounds = [1, 10_000_000] as const;
const saltBounds = [8, 64] as const;
const tagBytes = 64;

const pattern = /^\$(?:6|7\$(\d{1,9}))\$([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]+={0,2})$/;
const deriveKey = promisify(pbkdf2);

/** Undefined for what is of another kind. */
export function readMosquittoHash(text: string): Pbkdf2Hash | Sha512Hash | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const salt = Buffer.from(match[2], "base64");
  const tag = Buffer.from(match[3], "base64");
  checkHashBounds("the salt's length", salt.length, saltBounds);
  if (tag.length !== tagBytes) throw invalidHash(`the hash has ${tag.length} bytes, not 64`);
  if (match[1] === undefined) return { kind: "sha512", salt, tag };
  const iterations = Number(match[1]);
  checkHashBounds("the number of iterations", iterations, iterationsBounds);
  return { kind: "pbkdf2-sha512", iterations, salt, tag };
}

export function derivePbkdf2(
  password: string | Uint8Array,
  { iterations, salt, tag }: Pbkdf2Hash,
): Promise<Buffer> {
  return deriveKey(password, salt, iterations, tag.length, "sha512");
}

/** Not worth a trip to the thread pool: microseconds for the longest password. */
export async function deriveSha512(
  password: string | Uint8Array,
  { salt }: Sha512Hash,
): Promise<Buffer> {
  return digest("sha512", Buffer.concat([Buffer.from(password), salt]), "buffer");
}
