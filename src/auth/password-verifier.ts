/**
 * Tells right passwords from wrong ones without blocking the event loop: at most `verificationsMax` run at one time and
 * `waitingMax` wait, for at most `waitingSecondsMax`. Every wrong answer costs one derivation and one comparison in constant
 * time, whether the user has a hash, a plain password or does not exist, so that its duration does not tell who is a
 * user. A right one that was right lately costs next to nothing.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { type Clock, systemClock } from "../base/index.ts";
import { PasswordCosts } from "./password-costs.ts";
import { deriveTag, hashPassword, needsRehash, type PasswordHash } from "./password-hash.ts";
import { VerifiedPasswords } from "./verified-passwords.ts";

/** How a user proves who it is: a plain password as it stands in the configuration, or its hash. */
export type Credential = { readonly password: string } | { readonly hash: PasswordHash };

export type Verdict = "right" | "wrong" | "busy";

export interface PasswordVerifierOptions {
  /** Verifications at one time: two leave half of Node's thread pool for files and names. */
  readonly verificationsMax?: number;
  /** Those that wait; beyond, the answer is "busy" at once. */
  readonly waitingMax?: number;
  /** Who has waited longer is "busy" and costs nothing more: by `connectSecondsMax`, 10, the broker has hung up. */
  readonly waitingSecondsMax?: number;
  /** How long a password that was right is remembered after it was last given; 0: not at all. See verified-passwords.ts. */
  readonly rememberedSecondsMax?: number;
  readonly rememberedUsersMax?: number;
  readonly clock?: Clock;
}

const defaults = {
  verificationsMax: 2,
  // Two cores verify some 500 in waitingSecondsMax, faster ones more: whoever has no chance is told at once.
  waitingMax: 1000,
  waitingSecondsMax: 8,
  rememberedSecondsMax: 7 * 24 * 3600,
  rememberedUsersMax: 50_000,
  clock: systemClock,
} as const;

interface Waiting {
  readonly since: number;
  readonly isAwaited: () => boolean;
  readonly go: (isMyTurn: boolean) => void;
}

export class PasswordVerifier {
  readonly #settings: Required<PasswordVerifierOptions>;
  readonly #costs: PasswordCosts;
  readonly #verified: VerifiedPasswords;
  readonly #waiting: Waiting[] = [];
  readonly #comparisonKey = randomBytes(32);
  #running = 0;

  /** Names without a hash, users with plain passwords among them, cost what `costs` chooses. */
  constructor(costs = new PasswordCosts(), options: PasswordVerifierOptions = {}) {
    this.#costs = costs;
    this.#settings = { ...defaults, ...options };
    this.#verified = new VerifiedPasswords(this.#settings);
  }

  /**
   * An empty password is never right. `credential` is undefined for a user who does not exist. Who is no longer
   * awaited when its turn comes is "busy" and costs nothing: it has hung up, or is banned meanwhile.
   */
  async verify(
    password: Uint8Array,
    credential: Credential | undefined,
    userName: string,
    isAwaited: () => boolean = () => true,
  ): Promise<Verdict> {
    // For everyone, so it tells nothing; and costs nothing, so nobody can make the broker work with it.
    if (password.length === 0) return "wrong";
    const login = { userName, password, credential };
    if (this.#verified.isRemembered(login)) return "right";
    if (!(await this.#enter(isAwaited))) return "busy";
    try {
      // The same client may have asked a second time while it waited.
      if (this.#verified.isRemembered(login)) return "right";
      const isRight = await this.#compare(password, credential, userName);
      if (isRight) this.#verified.remember(login);
      return isRight ? "right" : "wrong";
    } finally {
      this.#leave();
    }
  }

  /** The text of a hash of the new kind for a password that is right; undefined when the old one will do, or others wait. */
  async rehash(
    password: Uint8Array,
    credential: Credential | undefined,
  ): Promise<string | undefined> {
    if (credential === undefined || !("hash" in credential) || !needsRehash(credential.hash))
      return undefined;
    if (this.#running >= this.#settings.verificationsMax) return undefined;
    this.#running++;
    try {
      return await hashPassword(password);
    } finally {
      this.#leave();
    }
  }

  /** False for who did not get in. */
  #enter(isAwaited: () => boolean): boolean | Promise<boolean> {
    const { verificationsMax, waitingMax, clock } = this.#settings;
    if (this.#running < verificationsMax) {
      this.#running++;
      return true;
    }
    if (this.#waiting.length >= waitingMax) return false;
    return new Promise((go) => this.#waiting.push({ since: clock.now(), isAwaited, go }));
  }

  /** Whoever finishes hands its place over, so the number of those that run stays as it is. */
  #leave(): void {
    const { clock, waitingSecondsMax } = this.#settings;
    for (;;) {
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#running--;
        return;
      }
      const isInTime = clock.now() - next.since <= waitingSecondsMax * 1000;
      const isMyTurn = isInTime && next.isAwaited();
      next.go(isMyTurn);
      if (isMyTurn) return;
    }
  }

  async #compare(
    password: Uint8Array,
    credential: Credential | undefined,
    userName: string,
  ): Promise<boolean> {
    const isHash = credential !== undefined && "hash" in credential;
    const hash = isHash ? credential.hash : this.#costs.choose(userName);
    const isEqual = timingSafeEqual(await deriveTag(password, hash), hash.tag);
    if (credential === undefined) return false;
    if ("hash" in credential) return isEqual;
    return timingSafeEqual(this.#digest(password), this.#digest(credential.password));
  }

  /** Digests have one length and a secret key: comparing them tells nothing about the passwords. */
  #digest(password: string | Uint8Array): Buffer {
    return createHmac("sha256", this.#comparisonKey).update(password).digest();
  }
}
