/**
 * Brings the statements that bind a server together with the code that fulfils them and the tests that prove them, and
 * says what is wrong: a statement without one of them must be an exception with its reason, and an exception must be one.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Exception, exceptions } from "./exceptions.ts";
import { nameStatement, readStatements, type Statement } from "./statements.ts";
import { isBesideBroker, type PlacedTag, readFileTags } from "./tags.ts";

export interface Coverage {
  readonly statement: Statement;
  /** The most telling first. */
  readonly code: readonly PlacedTag[];
  /** The most telling first. */
  readonly tests: readonly PlacedTag[];
  readonly exception: Exception | undefined;
}

const root = join(import.meta.dirname, "../..");

/** Every tag of the tree that says something about the broker. */
function readTreeTags(): PlacedTag[] {
  return globSync(["src/**/*.ts", "test/**/*.ts"], { cwd: root })
    .sort()
    .filter((path) => !isBesideBroker(path))
    .flatMap((path) => readFileTags(path, readFileSync(join(root, path), "utf8")));
}

/** One entry for each statement that binds a server: by the list, or because code or a test names it. */
export function readCoverage(): Coverage[] {
  return coverStatements(readStatements(), readTreeTags(), exceptions);
}

export function coverStatements(
  statements: ReadonlyMap<string, Statement>,
  tags: readonly PlacedTag[],
  excepted: readonly Exception[],
): Coverage[] {
  const told = Map.groupBy(tags, ({ standard = "5.0", clause }) => nameStatement(standard, clause));
  return Array.from(statements, ([name, statement]) => {
    const places = [...(told.get(name) ?? [])].sort(byMeaning(tags));
    return {
      statement,
      code: places.filter(({ kind }) => kind === "code"),
      tests: places.filter(({ kind }) => kind === "test"),
      exception: excepted.find((one) => nameStatement(one.standard, one.clause) === name),
    };
  }).filter(
    ({ statement, code, tests }) =>
      statement.binds !== "Client" || code.length > 0 || tests.length > 0,
  );
}

/** Code fulfils it and a test proves it. */
export function isCovered({ code, tests }: Coverage): boolean {
  return code.length > 0 && tests.length > 0;
}

/** What has to be mended, one line each; nothing when all is well. */
export function findFaults(
  coverage: readonly Coverage[],
  excepted: readonly Exception[],
): string[] {
  const known = new Set(coverage.map(({ statement }) => nameOf(statement)));
  const names = excepted.map((one) => nameStatement(one.standard, one.clause));
  return [
    ...names
      .filter((name) => !known.has(name))
      .map((name) => `${name} is excepted and binds no server`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `${name} is excepted twice`),
    ...coverage.flatMap(findFaultsOf),
  ];
}

function findFaultsOf({ statement, code, tests, exception }: Coverage): string[] {
  const name = nameOf(statement);
  const faults: string[] = [];
  for (const [what, places] of [["code", code] as const, ["test", tests] as const]) {
    const isExcepted = exception?.missing === what || exception?.missing === "both";
    if (places.length === 0 && !isExcepted) faults.push(`${name} has no ${what} and no reason`);
    if (places.length > 0 && isExcepted) faults.push(`${name} is excepted and has its ${what}`);
  }
  return faults;
}

function nameOf({ standard, clause }: Statement): string {
  return nameStatement(standard, clause);
}

/** What people look for first: the packet's meaning, then its bytes; the tests by chapter, then the others. */
const folders = [
  "src/broker/handlers/",
  "src/broker/",
  "src/topics/",
  "src/codec/",
  "src/",
  "test/conformance/",
  "test/",
];

/** Where a line or a name has few tags it is about this statement; where it has many it is about something larger. */
function byMeaning(tags: readonly PlacedTag[]) {
  const crowds = Map.groupBy(tags, ({ path, line }) => `${path}:${line}`);
  const rank = ({ path, line }: PlacedTag) => {
    const isVector = path.startsWith("src/codec/") && path.includes("vectors");
    const folder = folders.findIndex((prefix) => path.startsWith(prefix));
    const isUnitTest = path.startsWith("src/") && path.endsWith(".test.ts");
    const crowd = crowds.get(`${path}:${line}`)?.length ?? 1;
    return (isUnitTest || isVector ? folders.length : folder) * 100 + crowd;
  };
  return (one: PlacedTag, other: PlacedTag) => rank(one) - rank(other);
}
