/** Times to come, as people write them: `90s`, `12h`, `30d`. */
import { UsageError } from "../client/index.ts";

const units: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};
const millisecondsMax = 100 * 365 * units.d;

/** In milliseconds. @throws UsageError */
export function parseDuration(flag: string, text: string): number {
  const [, digits, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? [];
  const milliseconds = Number(digits) * units[unit];
  if (milliseconds > 0 && milliseconds <= millisecondsMax) return milliseconds;
  throw new UsageError(`${flag} takes a time like 12h, 30d or 8w (s, m, h, d, w), not "${text}"`);
}
