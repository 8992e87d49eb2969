/**
 * A table for people: columns as wide as what is in them, cut to the width of the terminal. What does not fit is cut in the
 * last column, and told with an ellipsis. Control characters of names and topics do not reach the terminal.
 */
import { toVisible } from "../../base/index.ts";

const between = "  ";
const lastWidthMin = 16;

/** With a line of heads, each line ends with a line feed. */
export function formatTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const lines = [heads, ...rows.map((row) => row.map(toVisible))];
  const last = heads.length - 1;
  const widths = heads.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  // Only one of the columns before the last can be long by chance: a name.
  const rest = widths.slice(1, last).reduce((sum, each) => sum + each + between.length, 0);
  const firstMax = width - rest - between.length - lastWidthMin;
  if (last > 0) widths[0] = Math.min(widths[0], Math.max(firstMax, lastWidthMin));
  const before = widths.slice(0, last).reduce((sum, each) => sum + each + between.length, 0);
  widths[last] = Math.max(width - before, lastWidthMin);
  return lines
    .map((line) => {
      const cells = line.map((cell, column) => fit(cell, widths[column]));
      return `${cells.join(between).trimEnd()}\n`;
    })
    .join("");
}

function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text.padEnd(width);
}

/** Of the terminal; 80 where there is none. */
export function widthOf(stream: object): number {
  return "columns" in stream && typeof stream.columns === "number" ? stream.columns : 80;
}
