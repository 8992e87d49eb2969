/**
 * When messages came, in microseconds since 1970, never the same twice: of a message without a time of its own, this
 * tells it apart from another with the same content. Where many come in one millisecond, it runs ahead by microseconds;
 * where the clock of the machine is set back, it waits for that.
 */
export class ArrivalClock {
  readonly #now: () => number;
  #last = 0;

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1000));
    return this.#last;
  }
}
