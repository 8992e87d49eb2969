/**
 * How long a session lives, as far as it can be known from outside: the broker may have noticed the end of a connection
 * at one of several moments, and may have kept one of several expiry times when the power went.
 */

/** Milliseconds by which a session may outlive its time: the broker must come to the deadline first. */
const slack = 2000;

export class Lifetime {
  /** Something was acknowledged that it needs to exist for. */
  isStored = false;
  /** A clean start was asked for and not answered, or the broker may have opened it and told nobody. */
  isInDoubt = false;
  #wasForgettable = false;
  #asks = 0;
  #expiryLeast: number;
  #expiryMost: number;
  /** When its last connection ended, in milliseconds: no sooner than, and no later than. Undefined while it has one. */
  #endedFrom: number | undefined;
  #endedTo = Number.NEGATIVE_INFINITY;
  #isEndStored = false;
  /** When the connection before this one ended: that is what a crash goes back to as long as nothing newer is safe. */
  #endedBefore: number | undefined;

  constructor(expirySeconds: number) {
    this.#expiryLeast = expirySeconds;
    this.#expiryMost = expirySeconds;
  }

  /** It outlives its connection whatever happened. */
  get persists(): boolean {
    return this.#expiryLeast > 0;
  }

  get isConnected(): boolean {
    return this.#endedFrom === undefined;
  }

  /** A client asked for it; what is answered is called when that was kept. */
  askedExpiry(seconds: number): () => void {
    this.#expiryLeast = Math.min(this.#expiryLeast, seconds);
    this.#expiryMost = Math.max(this.#expiryMost, seconds);
    const ask = ++this.#asks;
    return () => {
      if (ask !== this.#asks) return;
      this.#expiryLeast = seconds;
      this.#expiryMost = seconds;
    };
  }

  /** A CONNECT has come that may take it up. */
  mayBeTakenUp(): void {
    if (this.#endedFrom !== undefined) this.#endedTo = Number.POSITIVE_INFINITY;
    this.#isEndStored = false;
  }

  /** The connection that might have taken it up is over. */
  wasMaybeLetGo(now: number): void {
    if (this.#endedTo === Number.POSITIVE_INFINITY) this.#endedTo = now;
  }

  connected(): void {
    this.#endedBefore ??= this.#endedFrom;
    this.#endedFrom = undefined;
    this.#endedTo = Number.NEGATIVE_INFINITY;
    this.#isEndStored = false;
    this.isInDoubt = false;
  }

  connectionEnded(now: number): void {
    this.#endedFrom ??= now;
    this.#endedTo = now;
    this.#isEndStored = false;
  }

  /** All that the broker knew until now is safe. */
  stored(): void {
    this.#endedBefore = undefined;
    if (this.#endedFrom !== undefined && this.#endedTo !== Number.POSITIVE_INFINITY) {
      this.#isEndStored = true;
    }
  }

  crashed(now: number): void {
    if (!this.isStored) this.#wasForgettable = true;
    this.#endedFrom = this.#endedBefore ?? this.#endedFrom ?? now;
    this.#endedBefore = undefined;
    if (!this.#isEndStored) this.#endedTo = Number.POSITIVE_INFINITY;
  }

  restored(now: number): void {
    if (this.#endedTo === Number.POSITIVE_INFINITY) this.#endedTo = now;
  }

  mayBeGone(now: number): boolean {
    if (this.isInDoubt || (this.#wasForgettable && !this.isStored)) return true;
    return this.#endedFrom !== undefined && now >= this.#endedFrom + this.#expiryLeast * 1000;
  }

  mustBeGone(now: number): boolean {
    return this.#endedFrom !== undefined && now > this.#endedTo + this.#expiryMost * 1000 + slack;
  }
}
