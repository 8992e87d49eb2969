/** How long to wait before the next attempt to connect: doubled each time, with chance, bounded. */
const firstMilliseconds = 1000;
const longestMilliseconds = 30_000;

/** @param attempt 0 for the first. @param chance from 0 up to 1; it spreads clients that fell together. */
export function backOffMilliseconds(attempt: number, chance: number): number {
  const full = Math.min(firstMilliseconds * 2 ** attempt, longestMilliseconds);
  return Math.round(full * (0.75 + chance * 0.25));
}
