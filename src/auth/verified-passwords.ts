/**
 * Which passwords were right a while ago, so that 15,000 devices that lost their network and return together do not cost
 * 15,000 argon2id. Always holds: what is remembered is bound to the very hash, so that a changed password is forgotten at
 * once; nothing is remembered of wrong passwords; a restart forgets all.
 *
 * What it costs: who reads this process's memory finds the key and digests of HMAC-SHA-256, and can try a billion
 * passwords a second against them instead of some hundred against argon2id. That finds passwords that people think of,
 * never those that treg makes. Who can read the memory sees the passwords of all who log in meanwhile anyhow; what they gain
 * is those of users who logged in during the seven days before. That time is long because devices stay connected for days, and
 * a memory of minutes would have forgotten them all when they return together. `rememberedSecondsMax: 0` remembers nothing.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../base/index.ts";
import type { Credential } from "./password-verifier.ts";

export interface VerifiedPasswordsSettings {
  readonly clock: Clock;
  /** Since the password was last given. */
  readonly rememberedSecondsMax: number;
  readonly rememberedUsersMax: number;
}

interface Login {
  readonly userName: string;
  readonly password: Uint8Array;
  readonly credential: Credential | undefined;
}

interface Remembered {
  /** As a string, each byte a character: a third of a Buffer's memory. */
  readonly digest: string;
  readonly givenAt: number;
}

export class VerifiedPasswords {
  readonly #settings: VerifiedPasswordsSettings;
  readonly #key = randomBytes(32);
  /** The one that was given longest ago is the first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(settings: VerifiedPasswordsSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#remembered.size;
  }

  /** Takes as long for users who are not remembered, or are none. */
  isRemembered(login: Login): boolean {
    const digest = this.#digest(login);
    const remembered = this.#remembered.get(login.userName);
    const expected = remembered === undefined ? randomBytes(32) : toBytes(remembered.digest);
    if (!timingSafeEqual(digest, expected) || remembered === undefined) return false;
    if (this.#isPast(remembered)) return false;
    this.#keep(login.userName, remembered.digest);
    return true;
  }

  remember(login: Login): void {
    if (this.#settings.rememberedSecondsMax > 0)
      this.#keep(login.userName, this.#digest(login).toString("latin1"));
  }

  #keep(userName: string, digest: string): void {
    this.#remembered.delete(userName);
    this.#remembered.set(userName, { digest, givenAt: this.#settings.clock.now() });
    for (const [oldest, remembered] of this.#remembered) {
      const isTooMany = this.#remembered.size > this.#settings.rememberedUsersMax;
      if (!isTooMany && !this.#isPast(remembered)) return;
      this.#remembered.delete(oldest);
    }
  }

  #isPast({ givenAt }: Remembered): boolean {
    return this.#settings.clock.now() - givenAt >= this.#settings.rememberedSecondsMax * 1000;
  }

  #digest({ userName, password, credential }: Login): Buffer {
    // An array of JSON ends by itself: no password can be taken for a part of it.
    const head = JSON.stringify([userName, ...describeBinding(credential)]);
    return createHmac("sha256", this.#key).update(head).update(password).digest();
  }
}

function describeBinding(credential: Credential | undefined): readonly string[] {
  if (credential === undefined) return [];
  if ("hash" in credential) return ["hash", credential.hash.text];
  return ["password", credential.password];
}

function toBytes(digest: string): Buffer {
  return Buffer.from(digest, "latin1");
}
