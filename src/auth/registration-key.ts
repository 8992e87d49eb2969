/**
 * Keys for registration, as records of a store. Only the SHA-256 of a key is kept: a key is 32 random bytes, which nobody
 * finds by trying, so a slow hash as for passwords would protect nothing more.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { RecordChange, StoredRecord } from "../broker/ports.ts";

export const registrationKeyKind = "registration-key";

export interface KeptKey {
  readonly name: string;
  /** SHA-256 of the key, in hexadecimal digits. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** Undefined: any number. */
  readonly usesLeft?: number;
  readonly uses: number;
  readonly isRevoked: boolean;
  readonly role?: string;
}

const count = z.int().nonnegative();
const keptShape = z.object({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.number(),
  expiresAt: z.number().optional(),
  usesLeft: count.optional(),
  uses: count,
  isRevoked: z.boolean(),
  role: z.string().optional(),
});

/** Throws what is wrong with it. */
export function readKey({ name, value }: StoredRecord): KeptKey {
  return { name, ...keptShape.parse(JSON.parse(value)) };
}

export function writeKey({ name, ...kept }: KeptKey): RecordChange {
  return { kind: registrationKeyKind, name, value: JSON.stringify(kept) };
}

export function hashKey(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** Compares with every one of `keys`, so that the time it takes tells nothing of which was near, or right. */
export function findKey(keys: Iterable<KeptKey>, key: string): KeptKey | undefined {
  const asked = Buffer.from(hashKey(key), "hex");
  let found: KeptKey | undefined;
  for (const kept of keys) {
    const isEqual = timingSafeEqual(asked, Buffer.from(kept.hash, "hex"));
    found = isEqual ? kept : found;
  }
  return found;
}

/** Whether nobody can register with it any more. */
export function isOver({ isRevoked, expiresAt, usesLeft }: KeptKey, now: number): boolean {
  return isRevoked || usesLeft === 0 || (expiresAt !== undefined && expiresAt <= now);
}
