/** A time as people read it, the same in every program: `2026-11-23 10:58:02 UTC`. */
export function describeTime(time: Date | number): string {
  return new Date(time).toISOString().replace(/T(.*)\..*/, " $1 UTC");
}
