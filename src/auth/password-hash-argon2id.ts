/** argon2id (RFC 9106) as a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$salt$tag`: the kind of all new hashes. */
import { type Argon2Parameters, argon2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { checkHashBounds, invalidHash } from "./password-hash-bounds.ts";

export interface Argon2idHash {
  readonly kind: "argon2id";
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

/** 256 MiB and 4 passes over them: a second of this machine's time, and more than other programs take by default. */
const bounds = {
  memoryKibibytes: [8, 262_144],
  passes: [1, 100],
  kibibytesTimesPasses: [8, 1_048_576],
  lanes: [1, 64],
  salt: [8, 64],
  tag: [16, 64],
} as const;

const pattern =
  /^\$argon2id\$v=19\$m=(\d{1,9}),t=(\d{1,9}),p=(\d{1,9})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const deriveKey = promisify(argon2);

/** Undefined for what is of another kind. */
export function readArgon2id(text: string): Argon2idHash | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const hash = {
    kind: "argon2id",
    memoryKibibytes: Number(match[1]),
    passes: Number(match[2]),
    lanes: Number(match[3]),
    salt: Buffer.from(match[4], "base64"),
    tag: Buffer.from(match[5], "base64"),
  } as const;
  checkHashBounds("m", hash.memoryKibibytes, bounds.memoryKibibytes);
  checkHashBounds("t", hash.passes, bounds.passes);
  checkHashBounds("m times t", hash.memoryKibibytes * hash.passes, bounds.kibibytesTimesPasses);
  checkHashBounds("p", hash.lanes, bounds.lanes);
  checkHashBounds("the salt's length", hash.salt.length, bounds.salt);
  checkHashBounds("the hash's length", hash.tag.length, bounds.tag);
  if (hash.memoryKibibytes < 8 * hash.lanes) throw invalidHash("m is less than 8 times p");
  return hash;
}

export async function hashWithArgon2id(password: string | Uint8Array): Promise<string> {
  const { memoryKibibytes, passes, lanes } = newHashCost;
  const salt = randomBytes(saltBytes);
  const tag = await deriveArgon2id(password, { ...newHashCost, salt, tag: Buffer.alloc(tagBytes) });
  const cost = `m=${memoryKibibytes},t=${passes},p=${lanes}`;
  return `$argon2id$v=19$${cost}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}

export function deriveArgon2id(
  password: string | Uint8Array,
  hash: Omit<Argon2idHash, "kind">,
): Promise<Buffer> {
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
