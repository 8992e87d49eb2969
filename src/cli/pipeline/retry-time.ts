/** How long to wait before the same is tried again: doubled each time, with chance, bounded. */
interface RetryLimits {
  readonly retryMillisecondsMin: number;
  readonly retryMillisecondsMax: number;
}

/** A destination may ask for more than `retryMillisecondsMax`, but not for ever. */
const askedMillisecondsMax = 3_600_000;

/**
 * @param attempt 0 after the first failure
 * @param chance from 0 up to 1; it spreads programs that failed together
 */
export function retryMilliseconds(attempt: number, chance: number, limits: RetryLimits): number {
  const full = Math.min(limits.retryMillisecondsMin * 2 ** attempt, limits.retryMillisecondsMax);
  return Math.round(full * (0.75 + chance * 0.25));
}

/** No sooner than the destination asked for. */
export function atLeast(milliseconds: number, askedSeconds: number | undefined): number {
  return Math.max(milliseconds, Math.min((askedSeconds ?? 0) * 1000, askedMillisecondsMax));
}
