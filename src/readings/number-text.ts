/** What counts as a number where a payload, a tag or a time is text. */

const longestNumber = 64;
const pattern = /^[+-]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;

/**
 * A number as JSON writes it, also with a plus before it or without the zero before its point, as `printf` and `bc` do;
 * white space may stand around it. Undefined for all else: hexadecimal, `007`, `1,5`, and what no double can hold.
 */
export function readNumberText(text: string): number | undefined {
  const bare = text.trim();
  if (bare.length > longestNumber || !pattern.test(bare)) return undefined;
  const value = Number(bare);
  return Number.isFinite(value) ? value : undefined;
}
