/**
 * Password hashes as PHC strings of argon2id (RFC 9106), the form that other programs write and read too.
 * A text that is accepted here can be verified: every parameter is within bounds that this machine can bear.
 */
import { type Argon2Parameters, argon2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { TstackError } from "../base/index.ts";

export interface PasswordHash {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** The cost of new hashes: what OWASP asks for at least, since 500 devices of a Raspberry Pi return at once. */
export const newHashCost = { memoryKibibytes: 19_456, passes: 2, lanes: 1 } as const;
const saltBytes = 16;
const tagBytes = 32;

const bounds = {
  memoryKibibytes: [8, 2_097_152],
  passes: [1, 100],
  lanes: [1, 64],
  salt: [8, 64],
  tag: [16, 64],
} as const;

const phcPattern =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const deriveKey = promisify(argon2);

/** Reads a PHC string; throws `PASSWORD_HASH_INVALID` with what is wrong, never with the hash itself. */
export function parsePasswordHash(text: string): PasswordHash {
  const match = phcPattern.exec(text);
  if (match === null) {
    throw invalidHash(
      "not an argon2id hash; `tserve hash-password` makes one ($argon2id$v=19$...)",
    );
  }
  const hash = {
    memoryKibibytes: Number(match[1]),
    passes: Number(match[2]),
    lanes: Number(match[3]),
    salt: Buffer.from(match[4], "base64"),
    tag: Buffer.from(match[5], "base64"),
  };
  checkBounds("m", hash.memoryKibibytes, bounds.memoryKibibytes);
  checkBounds("t", hash.passes, bounds.passes);
  checkBounds("p", hash.lanes, bounds.lanes);
  checkBounds("the salt's length", hash.salt.length, bounds.salt);
  checkBounds("the hash's length", hash.tag.length, bounds.tag);
  if (hash.memoryKibibytes < 8 * hash.lanes) throw invalidHash("m is less than 8 times p");
  return hash;
}

function checkBounds(name: string, value: number, [least, most]: readonly [number, number]): void {
  if (value < least || value > most) {
    throw invalidHash(`${name} is ${value}, not ${least} to ${most}`);
  }
}

function invalidHash(message: string): TstackError {
  return new TstackError("PASSWORD_HASH_INVALID", message);
}

/** The PHC string of a password, with a fresh salt. */
export async function hashPassword(password: string | Uint8Array): Promise<string> {
  const { memoryKibibytes, passes, lanes } = newHashCost;
  const salt = randomBytes(saltBytes);
  const tag = await deriveTag(password, {
    ...newHashCost,
    salt,
    tag: Buffer.alloc(tagBytes),
  });
  const cost = `m=${memoryKibibytes},t=${passes},p=${lanes}`;
  return `$argon2id$v=19$${cost}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

/** What `hash.tag` is if `password` is the right one. Runs in the thread pool, not on the event loop. */
export function deriveTag(password: string | Uint8Array, hash: PasswordHash): Promise<Buffer> {
  const parameters: Argon2Parameters = {
    message: password,
    nonce: hash.salt,
    memory: hash.memoryKibibytes,
    passes: hash.passes,
    parallelism: hash.lanes,
    tagLength: hash.tag.length,
  };
  return deriveKey("argon2id", parameters);
}
