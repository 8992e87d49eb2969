/** Tables for people: columns as wide as what is in them, on a terminal cut to its width. */
import { toVisible } from "../../base/index.ts";

export interface Column<Row> {
  readonly head: string;
  readonly alignsRight?: boolean;
  cell(row: Row): string;
}

const between = "  ";

/** Lines without their ends. `width`: infinite where there is no terminal. */
export function formatColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): string[] {
  const table = columns.map(({ head, alignsRight, cell }) => {
    const cells = [head, ...rows.map((row) => toVisible(cell(row)))];
    const length = cells.reduce((longest, text) => Math.max(longest, text.length), 0);
    return cells.map((text) => (alignsRight ? text.padStart(length) : text.padEnd(length)));
  });
  return Array.from({ length: rows.length + 1 }, (_, index) =>
    cut(
      table
        .map((cells) => cells[index])
        .join(between)
        .trimEnd(),
      width,
    ),
  );
}

export function cut(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, width - 1)}…` : text;
}

/** What stdout is: the size of its terminal, or none. */
export interface Screen {
  readonly width: number | undefined;
  readonly height: number | undefined;
}

export function screenOf(stdout: object): Screen {
  const { isTTY, columns, rows } = stdout as Record<string, unknown>;
  if (isTTY !== true) return { width: undefined, height: undefined };
  return {
    width: typeof columns === "number" && columns > 0 ? columns : undefined,
    height: typeof rows === "number" && rows > 0 ? rows : undefined,
  };
}
