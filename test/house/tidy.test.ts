/**
 * Holds the rules of the house that the linter cannot, after TigerBeetle's test of the same name. Each rule brings a
 * sample that breaks it, so that no rule can fall asleep.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import { readStatements } from "../../scripts/conformance/statements.ts";
import { findTagFault, readFileTags } from "../../scripts/conformance/tags.ts";

interface Rule {
  readonly name: string;
  readonly applies: (path: string) => boolean;
  /** What is wrong with a file, in a few words; nothing when it is as it should be. */
  readonly findFault: (text: string, path: string) => string | undefined;
  readonly sample: { readonly path: string; readonly text: string };
}

const root = join(import.meta.dirname, "../..");
const linesMax = 400;

const isSource = (path: string) => path.startsWith("src/") && path.endsWith(".ts");
const isTest = (path: string) => path.endsWith(".test.ts");
const isHeart = (path: string) => /^src\/(?:broker|codec|topics)\//.test(path) && !isTest(path);
const always = () => true;

function quote(match: RegExpExecArray | null): string | undefined {
  return match === null ? undefined : match[0].trim();
}

/** Text in comments is no code. Strings are left: none of the rules below meets them in practice. */
function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");
}

const statements = readStatements();

const rules: readonly Rule[] = [
  {
    name: "no state hides at the level of a module",
    applies: (path) => isSource(path) && !isTest(path),
    findFault: (text) => quote(/^(?:export )?(?:let|var) .*/m.exec(text)),
    sample: { path: "src/broker/x.ts", text: "/** Job. */\nlet count = 0;\n" },
  },
  {
    name: "a source file opens with its job",
    // A folder's index.ts may be nothing but its list of exports.
    applies: (path) => isSource(path) && !isTest(path) && basename(path) !== "index.ts",
    findFault: (text) => (/^(?:#!.*\n)?\/(?:\*\*|\/)/.test(text) ? undefined : "no comment"),
    sample: { path: "src/broker/x.ts", text: "export const one = 1;\n" },
  },
  {
    name: `a file has at most ${linesMax} lines`,
    applies: (path) => /^(?:src|test|scripts|bench|bin|examples)\/.*\.[jt]s$/.test(path),
    findFault: (text) => {
      const lines = text.split("\n").length - 1;
      return lines > linesMax ? `${lines} lines` : undefined;
    },
    sample: { path: "src/broker/x.ts", text: "// x\n".repeat(linesMax + 1) },
  },
  {
    name: "the heart asks neither the time nor chance",
    applies: isHeart,
    findFault: (text) =>
      quote(
        /\b(?:Math\.random|Date\.now|new Date|performance\.now|set(?:Timeout|Interval|Immediate))\b/.exec(
          withoutComments(text),
        ),
      ),
    sample: { path: "src/topics/x.ts", text: "const seed = Math.random();\n" },
  },
  {
    name: "the heart does no I/O",
    applies: isHeart,
    findFault: (text) =>
      quote(/(?:from |import\(|import )"node:[a-z/_]+"/.exec(withoutComments(text))),
    sample: { path: "src/codec/x.ts", text: 'import { readFile } from "node:fs/promises";\n' },
  },
  {
    name: "a file is named after what it is",
    applies: isSource,
    findFault: (_, path) =>
      quote(/\b(?:managers?|helpers?|impl|utils?|misc|common)\b/.exec(basename(path))),
    sample: { path: "src/broker/session-utils.ts", text: "" },
  },
  {
    name: "a clause that is named stands in the list of its standard, which the name of a test says",
    // The tests of the house hold samples that are wrong.
    applies: (path) => /^(?:src|test(?!\/house)|bench)\/.*\.ts$/.test(path),
    findFault: (text, path) => findTagFault(readFileTags(path, text), statements),
    sample: { path: "src/broker/x.ts", text: "// [MQTT-3.3.1-99]\n" },
  },
  {
    name: "no test is off or alone",
    applies: isTest,
    findFault: (text) =>
      quote(
        /\b(?:test|it|describe|suite)\.(?:only|todo|skip)\(|\b(?:skip|only|todo): true/.exec(text),
      ),
    sample: { path: "src/broker/x.test.ts", text: ["test", 'only("x", () => {});'].join(".") },
  },
  {
    name: "no path of one machine stands in the tree",
    applies: always,
    findFault: (text) => quote(/(?<![\w.~-])\/(?:work|root|home|Users)\/[\w.-]+/.exec(text)),
    sample: { path: "README.md", text: ["see ", "home", "alice"].join("/") },
  },
  {
    name: "no registry is named in the tree",
    applies: always,
    findFault: (text) =>
      quote(/registry\.(?:npmjs|yarnpkg|npmmirror)\.\w+|npm\.pkg\.github|["]resolved":/.exec(text)),
    sample: { path: "package-lock.json", text: ['{ "', 'resolved": "x" }'].join("") },
  },
];

const patterns = ["*", ".ci/*", ".npmrc", "{bench,bin,docs,examples,scripts,src,test,web}/**/*.*"];
const folders = /(?:^|\/)(?:node_modules|dist)(?:\/|$)|\.(?:png|ico|woff2)$/;
const files = globSync(patterns, { cwd: root, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
  .filter((path) => !folders.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

for (const { name, applies, findFault, sample } of rules) {
  test(name, () => {
    assert.ok(applies(sample.path), "the rule must apply to its own sample");
    assert.notEqual(findFault(sample.text, sample.path), undefined, "the sample must break it");
    const faults = files
      .filter(({ path }) => applies(path))
      .map(({ path, text }) => ({ path, fault: findFault(text, path) }))
      .filter(({ fault }) => fault !== undefined);
    assert.deepEqual(
      faults.map(({ path, fault }) => `${path}: ${fault}`),
      [],
    );
  });
}

test("the rules see the tree", () => {
  const paths = files.map(({ path }) => path);
  for (const path of ["package-lock.json", ".npmrc", "src/base/errors.ts", "docs/errors.md"]) {
    assert.ok(paths.includes(path), path);
  }
});
