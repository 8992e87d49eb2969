/**
 * Time as the broker sees it. The real clock lives in `system-clock.ts`; tests and simulations bring their own.
 * Nothing else below `broker/`, `codec/` and `topics/` may ask what time it is.
 */
export interface Clock {
  /** Milliseconds since 1970, as far as was known at the start. It never jumps and never goes back: deadlines are made of it. */
  now(): number;
  /** Calls back once, no sooner than `milliseconds` from now; the returned function calls it off. */
  after(milliseconds: number, callback: () => void): () => void;
  /** Calls back when everything that has arrived in this tick has been handled. */
  atEndOfTick(callback: () => void): void;
}
