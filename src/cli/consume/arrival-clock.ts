/**
 * When messages came, in microseconds since 1970, never the same twice: of a message without a time of its own, this
 * tells it apart from another with the same content, and from those of other consumers of a group. Where the clock of
 * the machine is set back, it goes on by microseconds until that is past.
 */
export class ArrivalClock {
  readonly #now: () => number;
  #last = 0;

  /** @param now milliseconds since 1970, with a fraction */
  constructor(now: () => number = createPreciseClock()) {
    this.#now = now;
  }

  next(): number {
    this.#last = Math.max(this.#last + 1, Math.floor(this.#now() * 1000));
    return this.#last;
  }
}

/** The time of day has milliseconds only: where one of them begins is learned, and the monotonic clock tells the rest. */
function createPreciseClock(): () => number {
  let origin = performance.timeOrigin;
  return () => {
    const [milliseconds, monotonic] = [Date.now(), performance.now()];
    const precise = origin + monotonic;
    if (precise >= milliseconds && precise < milliseconds + 1) return precise;
    origin = milliseconds - monotonic;
    return milliseconds;
  };
}
