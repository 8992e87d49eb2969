/**
 * bcrypt, `$2b$10$` with 22 characters of salt and 31 of the tag: htpasswd, PHP and most web programs write it. Like all of
 * them it looks at the first 72 bytes of a password only.
 */
import { randomBytes } from "node:crypto";
import { checkHashBounds } from "./password-hash-bounds.ts";

export interface BcryptHash {
  readonly kind: "bcrypt";
  /** 2 to the power of this is the number of rounds. */
  readonly cost: number;
  /** In bcrypt's own base64, as is the tag. */
  readonly salt: string;
  readonly tag: Buffer;
}

/** Each step doubles the time; 16 is some four seconds. */
const costBounds = [4, 16] as const;
const saltBytes = 16;
const tagCharacters = 31;
const pattern = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/;

/** Undefined for what is of another kind. */
export function readBcrypt(text: string): BcryptHash | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const cost = Number(match[1]);
  checkHashBounds("bcrypt's cost", cost, costBounds);
  return { kind: "bcrypt", cost, salt: match[2], tag: Buffer.from(match[3]) };
}

/** 22 characters; what the last one says beyond 128 bits is ignored. */
export function makeBcryptSalt(): string {
  return randomBytes(saltBytes).toString("base64").slice(0, 22).replaceAll("+", ".");
}

/** `$2a$`, `$2b$` and `$2y$` are names of one computation for passwords without NUL. */
export async function deriveBcrypt(
  password: string | Uint8Array,
  { cost, salt }: BcryptHash,
): Promise<Buffer> {
  // Loaded only where somebody has such a hash.
  const { default: bcrypt } = await import("bcrypt");
  const bytes = Buffer.from(password);
  const text = await bcrypt.hash(bytes, `$2b$${String(cost).padStart(2, "0")}$${salt}`);
  // bcrypt repeats the password with a NUL behind it, so that "x" and "x\0x" have one hash; no other program takes NUL.
  if (bytes.includes(0)) return Buffer.alloc(tagCharacters);
  return Buffer.from(text.slice(-tagCharacters));
}
