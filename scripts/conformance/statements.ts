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

/** By `nameStatement`, in the order of the standards. */
export function readStatements(): ReadonlyMap<string, Statement> {
  const corrected = new Map(
    readRows("corrections-3.1.1.tsv").map(([clause, text]) => [
      nameStatement("3.1.1", clause),
      text,
    ]),
  );
  return new Map(
    standards.flatMap((standard) =>
      readRows(`statements-${standard}.tsv`).map((columns) => {
        const [clause, binds] = columns;
        const name = nameStatement(standard, clause);
        const text = corrected.get(name) ?? columns.at(-1) ?? "";
        return [name, { standard, clause, binds: binds as Statement["binds"], text }];
      }),
    ),
  );
}

/** `5.0 [MQTT-3.3.1-4]`, as a test would name it. */
export function nameStatement(standard: Standard, clause: string): string {
  return `${standard} [${clause}]`;
}

function readRows(file: string): string[][] {
  const lines = readFileSync(join(listsFolder, file), "utf8").split("\n");
  return lines.filter((line) => line.startsWith("MQTT-")).map((line) => line.split("\t"));
}
