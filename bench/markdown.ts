/** Numbers and tables as the page shows them. */
import type { Spread } from "./results.ts";

/** Three digits that mean something. */
export function showNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  return size >= 1 ? value.toFixed(2) : value.toFixed(3);
}

/** `0.11 to 0.14`, or one number where it is the same. */
export function showRange({ least, most }: Spread): string {
  const [from, to] = [showNumber(least), showNumber(most)];
  return from === to ? from : `${from} to ${to}`;
}

/** The median, and between which values it stands. */
export function showMedian(spread: Spread): string {
  const range = showRange(spread);
  return range.includes(" to ")
    ? `${showNumber(spread.median)} (${range})`
    : showNumber(spread.median);
}

/** Columns of numbers stand right, those with words left. */
export function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const hasWords = (index: number) => rows.some((row) => /^[^\d*-]/.test(row[index]));
  const rule = head.map((_, index) => (hasWords(index) ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
