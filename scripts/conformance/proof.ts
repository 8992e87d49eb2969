/**
 * A tag in a file is not yet a test that ran: what docs/conformance.md calls tested must stand in the name of a test that
 * passed. A name that ends with its version, `(v3.1.1, tcp)`, proves only what it says of that version's standard.
 */
import { relative } from "node:path";
import type { Coverage } from "./coverage.ts";
import { nameStatement, type Standard } from "./statements.ts";
import { isBesideBroker, readTags } from "./tags.ts";

export interface PassedTest {
  readonly name: string;
  /** Absolute; a suite of the runner's own has none. */
  readonly file?: string | undefined;
}

const standardOfVersion: Readonly<Record<string, Standard>> = { "v3.1.1": "3.1.1", v5: "5.0" };

/** The statements that the name of a passed test proves, by `nameStatement`. */
export function readProof(name: string): string[] {
  const version = /\((v[\d.]+)(?:, [^)]*)?\)$/.exec(name)?.[1];
  return readTags(name).flatMap(({ standard, clause }) => {
    if (standard === undefined) return [];
    if (version !== undefined && standardOfVersion[version] !== standard) return [];
    return [nameStatement(standard, clause)];
  });
}

/** The statements that are said to be tested, and that no passed test names. */
export function findUnproven(
  coverage: readonly Coverage[],
  passed: readonly PassedTest[],
  root: string,
): string[] {
  const proven = new Set(
    passed
      .filter(({ file = "" }) => !isBesideBroker(relative(root, file)))
      .flatMap(({ name }) => readProof(name)),
  );
  return coverage
    .filter(({ tests }) => tests.length > 0)
    .map(({ statement }) => nameStatement(statement.standard, statement.clause))
    .filter((name) => !proven.has(name));
}
