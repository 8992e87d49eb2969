/**
 * The normative statements of the two standards, from the lists in test/conformance/standard/. The standards share
 * numbers with different meanings, so a statement is known by its standard and its clause together.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export const standards = ["3.1.1", "5.0"] as const;
export type Standard = (typeof standards)[number];

export interface Statement {
  readonly standard: Standard;
  /** `MQTT-3.3.1-4` */
  readonly clause: string;
  /** Whom the list says it binds. */
  readonly binds: "Client" | "Server" | "Both";
  readonly text: string;
}

export const listsFolder = join(import.meta.dirname, "../../test/conformance/standard");

/** By `nameStatement`, in the order of the standard. */
export function readStatements(standard: Standard): ReadonlyMap<string, Statement> {
  const list = readFileSync(join(listsFolder, `statements-${standard}.tsv`), "utf8");
  const rows = list.split("\n").filter((line) => line.startsWith("MQTT-"));
  return new Map(
    rows.map((row) => {
      const columns = row.split("\t");
      const [clause = "", binds] = columns;
      const text = columns.at(-1) ?? "";
      return [
        nameStatement(standard, clause),
        { standard, clause, binds: binds as Statement["binds"], text },
      ];
    }),
  );
}

export function readAllStatements(): ReadonlyMap<string, Statement> {
  return new Map(standards.flatMap((standard) => [...readStatements(standard)]));
}

/** `5.0 [MQTT-3.3.1-4]`, as a test would name it. */
export function nameStatement(standard: Standard, clause: string): string {
  return `${standard} [${clause}]`;
}
