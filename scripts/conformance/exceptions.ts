/**
 * Statements that have no line of code, no test, or neither, and why. A statement that is covered after all must leave
 * this table; `test/house/written-docs.test.ts` sees to it.
 */
import type { Standard } from "./statements.ts";

export interface Exception {
  readonly standard: Standard;
  readonly clause: string;
  readonly missing: "code" | "test" | "both";
  readonly reason: string;
}

export const exceptions: readonly Exception[] = [];
