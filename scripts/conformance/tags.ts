/**
 * Reads the clause tags of a text: `[MQTT-3.3.1-4]` belongs to the last standard named before it, `5.0` or `3.1.1`. In
 * a comment of the code that is 5.0 unless its line says otherwise; the name of a test says it always.
 */
import { nameStatement, type Standard, type Statement, standards } from "./statements.ts";

export interface Tag {
  /** Nothing where no standard is named before it. */
  readonly standard: Standard | undefined;
  readonly clause: string;
}

/**
 * What a tag can be: a line of code that fulfils the statement, the name of a test that proves it, or a remark between
 * the lines of a test, which does neither.
 */
export type TagKind = "code" | "test" | "remark";

export interface PlacedTag extends Tag {
  readonly kind: TagKind;
  readonly path: string;
  /** From 1. */
  readonly line: number;
  /** The line of code or the name of the test. */
  readonly text: string;
}

const pattern = /\[(MQTT-\d[\d.]*-\d+)\]|(?<![\w.])(3\.1\.1|5\.0)(?!\.?\w)/g;

/** The tags of one line or one name. */
export function readTags(text: string, standardAtFirst?: Standard): Tag[] {
  const tags: Tag[] = [];
  let standard = standardAtFirst;
  for (const [, clause, named] of text.matchAll(pattern)) {
    if (clause !== undefined) tags.push({ standard, clause });
    else standard = standards.find((known) => known === named);
  }
  return tags;
}

/** Tests, what they are made of, and the vectors whose names become names of tests. */
function isProof(path: string): boolean {
  return /^test\/|\.test\.ts$|^src\/codec\/vectors\//.test(path);
}

/** The client programs and the tests of the house: what they do says nothing about the broker. */
export function isBesideBroker(path: string): boolean {
  return /^src\/cli\/(?!serve\/)|^test\/(?:house\/|cli\/(?!tserve))/.test(path);
}

/** The tags of a file of `src/`, `test/` or `bench/`, line by line. */
export function readFileTags(path: string, text: string): PlacedTag[] {
  const readLine = isProof(path) ? proofReader(text) : readCodeLine;
  return text
    .split("\n")
    .flatMap((content, index) =>
      readLine(content).map((tag) => ({ ...tag, path, line: index + 1 })),
    );
}

/** The first tag that belongs to no statement, and why; nothing when all do. */
export function findTagFault(
  tags: readonly PlacedTag[],
  statements: ReadonlyMap<string, Statement>,
): string | undefined {
  for (const { standard, clause, line } of tags) {
    if (standard === undefined) {
      return `line ${line}: the name of a test says whose [${clause}] is meant: 5.0 or 3.1.1`;
    }
    const name = nameStatement(standard, clause);
    if (!statements.has(name)) return `line ${line}: there is no ${name}`;
  }
  return undefined;
}

type LineTag = Omit<PlacedTag, "path" | "line">;

function readCodeLine(content: string): LineTag[] {
  return readTags(content, "5.0").map((tag) => ({ ...tag, kind: "code", text: content.trim() }));
}

const isCommentLine = /^\s*(?:\/?\*|\/\/)/;
const stringOrComment = /"((?:[^"\\]|\\.)*)"|`((?:[^`\\]|\\.)*)`|\/\/.*/g;
/** Tags that several names share: they count where a name holds them. */
const sharedTags = /^const (\w+) = "(.*\[MQTT-.*)";$/;

/** In a line of a test, strings are names and comments are remarks. */
function proofReader(text: string): (content: string) => LineTag[] {
  const shared = new Map(
    Array.from(text.matchAll(new RegExp(sharedTags, "gm")), ([, name, tags]) => [name, tags]),
  );
  return (content) => {
    if (isCommentLine.test(content)) return readRemark(content);
    if (sharedTags.test(content)) return [];
    return Array.from(content.matchAll(stringOrComment)).flatMap(([whole, quoted, template]) => {
      const written = quoted ?? template;
      if (written === undefined) return readRemark(whole);
      const name = written.replaceAll(/\$\{(\w+)\}/g, (hole, word) => shared.get(word) ?? hole);
      return readTags(name).map((tag) => ({ ...tag, kind: "test" as const, text: name }));
    });
  };
}

function readRemark(text: string): LineTag[] {
  return readTags(text, "5.0").map((tag) => ({ ...tag, kind: "remark", text }));
}
