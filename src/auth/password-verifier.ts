/**
 * Tells right passwords from wrong ones without blocking the event loop: at most `verificationsMax` run at one time and
 * `waitingMax` wait. Every answer costs one argon2id and one comparison in constant time, whether the user has a
 * hash, a plain password or does not exist, so that its duration does not tell who is a user.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { deriveTag, makeSameCost, type PasswordHash, parsePasswordHash } from "./password-hash.ts";

/** How a user proves who it is: a plain password as it stands in the configuration, or its hash. */
export type Credential = { readonly password: string } | { readonly hash: PasswordHash };

export type Verdict = "right" | "wrong" | "busy";

export interface PasswordVerifierOptions {
  /** Verifications at one time: two leave half of Node's thread pool for files and names. */
  readonly verificationsMax?: number;
  /** Those that wait; beyond, the answer is "busy" at once. */
  readonly waitingMax?: number;
}

export class PasswordVerifier {
  readonly #verificationsMax: number;
  readonly #waitingMax: number;
  readonly #waiting: (() => void)[] = [];
  readonly #comparisonKey = randomBytes(32);
  readonly #absentHash: PasswordHash;
  #running = 0;

  /** Absent users and plain passwords cost as much as `example`, the hash of some user of the list. */
  constructor(example: PasswordHash | undefined, options: PasswordVerifierOptions = {}) {
    this.#verificationsMax = options.verificationsMax ?? 2;
    this.#waitingMax = options.waitingMax ?? 1000;
    this.#absentHash = makeSameCost(
      example ??
        parsePasswordHash(
          "$argon2id$v=19$m=19456,t=2,p=1$c29tc2FsdHNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
        ),
    );
  }

  /** An empty password is never right. `credential` is undefined for a user who does not exist. */
  async verify(password: Uint8Array, credential: Credential | undefined): Promise<Verdict> {
    if (this.#running >= this.#verificationsMax) {
      if (this.#waiting.length >= this.#waitingMax) return "busy";
      // Whoever finishes hands its place over, so the number of those that run stays as it is.
      await new Promise<void>((start) => this.#waiting.push(start));
    } else {
      this.#running++;
    }
    try {
      const right = await this.#compare(password, credential);
      return right && password.length > 0 ? "right" : "wrong";
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }

  async #compare(password: Uint8Array, credential: Credential | undefined): Promise<boolean> {
    const hash =
      credential !== undefined && "hash" in credential ? credential.hash : this.#absentHash;
    const equal = timingSafeEqual(await deriveTag(password, hash), hash.tag);
    if (credential === undefined) return false;
    if ("hash" in credential) return equal;
    return timingSafeEqual(this.#digest(password), this.#digest(credential.password));
  }

  /** Digests have one length and a secret key: comparing them tells nothing about the passwords. */
  #digest(password: string | Uint8Array): Buffer {
    return createHmac("sha256", this.#comparisonKey).update(password).digest();
  }
}
