/**
 * A token bucket in plain numbers: it fills with `perSecond`, holds `seconds` of it and begins full. Whoever takes from
 * `left` may go below 0 and then waits until it is 0 again; the clock is asked only when it may be empty.
 */
export class Allowance {
  left: number;
  readonly #perSecond: number;
  readonly #most: number;
  /** When `left` was last counted up. */
  #countedAt: number;

  constructor(perSecond: number, seconds: number, now: number) {
    this.#perSecond = perSecond;
    this.#most = perSecond * seconds;
    this.left = this.#most;
    this.#countedAt = now;
  }

  /** Counts up, and answers in how many milliseconds there will be `needed`. */
  waitMilliseconds(now: number, needed = 0): number {
    const gained = ((now - this.#countedAt) / 1000) * this.#perSecond;
    this.left = Math.min(this.#most, this.left + gained);
    this.#countedAt = now;
    return Math.max(0, Math.ceil(((needed - this.left) / this.#perSecond) * 1000));
  }
}
