/**
 * Writes docs/conformance.md: what MQTT 3.1.1 and 5.0 ask of a server, where the code does it, and which test proves it.
 * The lists are test/conformance/standard/, everything else is read from the clause tags of the tree.
 */
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Coverage, isCovered, readCoverage } from "./conformance/coverage.ts";
import { type Standard, standards } from "./conformance/statements.ts";
import type { PlacedTag } from "./conformance/tags.ts";

/** Of each kind, for each statement: enough to begin reading. */
const linksMax = 3;

const head = `# Conformance

Every normative statement of MQTT 3.1.1 and MQTT 5.0 that binds a server, the code that fulfils it, and the tests that
prove it. A statement binds a server when its list says so, or when code or a test names it all the same.

This page is written by \`npm run format\` from the clause tags of the tree, \`[MQTT-3.3.1-4]\`, and the lists of statements
in \`test/conformance/standard/\`. CI fails when the page is not what the tree says, line numbers included; when a tag names
a statement that its standard does not have; when a statement has no code or no test and no reason in
\`scripts/conformance/exceptions.ts\`, or a reason and no need of it; and when a statement stands in no name of a test that
passed. The list of 3.1.1 holds short texts; where one is that of another statement, \`corrections-3.1.1.tsv\` has the
standard's own words. Where a statement has many places, the ${linksMax} most telling are shown.
`;

const chapterTitles: Readonly<Record<string, string>> = {
  "1": "1 Data representation",
  "2": "2 Control packet format",
  "3.1": "3.1 CONNECT",
  "3.2": "3.2 CONNACK",
  "3.3": "3.3 PUBLISH",
  "3.4": "3.4 PUBACK",
  "3.5": "3.5 PUBREC",
  "3.6": "3.6 PUBREL",
  "3.7": "3.7 PUBCOMP",
  "3.8": "3.8 SUBSCRIBE",
  "3.9": "3.9 SUBACK",
  "3.10": "3.10 UNSUBSCRIBE",
  "3.11": "3.11 UNSUBACK",
  "3.12": "3.12 PINGREQ",
  "3.14": "3.14 DISCONNECT",
  "3.15": "3.15 AUTH",
  "4": "4 Operational behavior",
  "6": "6 WebSocket",
  "7": "7 Conformance",
};

export function renderConformance(coverage: readonly Coverage[]): string {
  const parts = standards.map((standard) =>
    renderStandard(
      standard,
      coverage.filter(({ statement }) => statement.standard === standard),
    ),
  );
  return [head, ...parts].join("\n");
}

function renderStandard(standard: Standard, coverage: readonly Coverage[]): string {
  const covered = coverage.filter(isCovered).length;
  const chapters = Map.groupBy(coverage, ({ statement }) => chapterOf(statement.clause));
  const tables = Array.from(chapters, ([chapter, rows]) => renderChapter(chapter, rows));
  const open = coverage.length - covered;
  return `## MQTT ${standard}

${coverage.length} statements bind a server: ${covered} have code and test, ${open} lack one of them, with the reason in its place.

${tables.join("\n")}`;
}

/** The packets of chapter 3 are chapters of their own. */
function chapterOf(clause: string): string {
  const [, chapter = "", section = ""] = /^MQTT-(\d+)\.(\d+)/.exec(clause) ?? [];
  const key = chapter === "3" ? `3.${section}` : chapter;
  const title = chapterTitles[key];
  if (title === undefined) throw new Error(`no chapter is known for ${clause}`);
  return title;
}

function renderChapter(title: string, rows: readonly Coverage[]): string {
  const lines = rows.map(({ statement, code, tests, exception }) => {
    const reason = exception === undefined ? "**uncovered**" : `*${exception.reason}*`;
    const columns = [
      `\`${statement.clause}\` ${statement.text}`,
      code.length > 0 ? pick(code).map(linkCode).join("<br>") : reason,
      tests.length > 0 ? pick(tests).map(linkTest).join("<br>") : reason,
    ];
    return `| ${columns.map((column) => column.replaceAll("|", "\\|")).join(" | ")} |`;
  });
  return `### ${title}

| statement | code | test |
| --- | --- | --- |
${lines.join("\n")}
`;
}

function linkCode(place: PlacedTag): string {
  return `[${place.path.replace(/^src\//, "")}:${place.line}](../${place.path}#L${place.line})`;
}

function linkTest(place: PlacedTag): string {
  const link = `[${basename(place.path)}:${place.line}](../${place.path}#L${place.line})`;
  return `${link} ${shortenName(place.text)}`.trim();
}

/** A test's name without its tags; what a template puts in is left open. */
function shortenName(name: string): string {
  return name
    .replaceAll(/(?:(?:5\.0|3\.1\.1):? )?(?:\[MQTT-[\d.]+-\d+\][,:]? ?)+/g, "")
    .replaceAll(/ ?\([ ,]*\)/g, "")
    .replaceAll(/\$\{[^}]*\}+/g, "…")
    .replaceAll("\\", "")
    .replaceAll(/[<>*_`#]/g, (character) => `\\${character}`)
    .trim()
    .replace(/:$/, "");
}

/** One place for each line, so that a table of vectors does not fill the row. */
function pick(places: readonly PlacedTag[]): readonly PlacedTag[] {
  const byLine = new Map(places.map((place) => [`${place.path}:${place.line}`, place]));
  return [...byLine.values()].slice(0, linksMax);
}

if (import.meta.main) {
  const page = renderConformance(readCoverage());
  await writeFile(join(import.meta.dirname, "../docs/conformance.md"), page);
}
