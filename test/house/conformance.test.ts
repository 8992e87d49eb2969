/** What docs/conformance.md says is so: its lists, the tags it is read from, its exceptions. Each check sees its fault. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { coverStatements, findFaults, readCoverage } from "../../scripts/conformance/coverage.ts";
import { type Exception, exceptions } from "../../scripts/conformance/exceptions.ts";
import { findUnproven, readProof } from "../../scripts/conformance/proof.ts";
import {
  listsFolder,
  nameStatement,
  readStatements,
  type Standard,
  type Statement,
  standards,
} from "../../scripts/conformance/statements.ts";
import { findTagFault, readFileTags, readTags } from "../../scripts/conformance/tags.ts";
import { renderConformance } from "../../scripts/write-conformance.ts";

const root = join(import.meta.dirname, "../..");
const shared = join(root, "../shared/spec");

test("the lists of statements are those of the standards", (context) => {
  const statements = [...readStatements().values()];
  const count = (of: Standard) => statements.filter(({ standard }) => standard === of).length;
  assert.deepEqual(standards.map(count), [141, 251]);
  for (const { binds, clause, text } of statements) {
    assert.ok(["Client", "Server", "Both"].includes(binds), clause);
    assert.ok(text.length > 10, clause);
  }
  if (!existsSync(shared)) context.diagnostic("the shared lists are not here to compare with");
  else {
    for (const standard of standards) {
      const name = `statements-${standard}.tsv`;
      const ours = readFileSync(join(listsFolder, name), "utf8");
      assert.equal(ours, readFileSync(join(shared, name), "utf8"), name);
    }
  }
});

test("a corrected text is of a statement of the list, and another than the list has", () => {
  const read = (file: string) =>
    readFileSync(join(listsFolder, file), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("MQTT-"))
      .map((line) => line.split("\t"));
  const listed = new Map(
    read("statements-3.1.1.tsv").map(([clause, , text]) => [clause, text] as const),
  );
  for (const [clause = "", text] of read("corrections-3.1.1.tsv")) {
    assert.ok(listed.has(clause), clause);
    assert.notEqual(text, listed.get(clause), clause);
    assert.equal(readStatements().get(nameStatement("3.1.1", clause))?.text, text);
  }
});

test("a tag belongs to the last standard named before it", () => {
  const name = `5.0 [MQTT-1.1-1] [MQTT-1.1-2], 3.1.1: [MQTT-1.1-1] in section 5.0.1`;
  assert.deepEqual(readTags(name), [
    { standard: "5.0", clause: "MQTT-1.1-1" },
    { standard: "5.0", clause: "MQTT-1.1-2" },
    { standard: "3.1.1", clause: "MQTT-1.1-1" },
  ]);
  assert.deepEqual(readTags(`[MQTT-1.1-1] 5.0`), [{ standard: undefined, clause: "MQTT-1.1-1" }]);
  assert.deepEqual(readTags("MQTT-1.1-1 and [MQTT] and [1.1-1]"), []);
});

test("in code a tag without a standard is of 5.0, on each line anew", () => {
  const code = `one(); // 3.1.1: [MQTT-1.1-1]\n\ntwo(); // [MQTT-1.1-2]\n`;
  assert.deepEqual(readFileTags("src/broker/x.ts", code), [
    {
      ...{ standard: "3.1.1", clause: "MQTT-1.1-1", kind: "code", path: "src/broker/x.ts" },
      ...{ line: 1, text: `one(); // 3.1.1: [MQTT-1.1-1]` },
    },
    {
      ...{ standard: "5.0", clause: "MQTT-1.1-2", kind: "code", path: "src/broker/x.ts" },
      ...{ line: 3, text: `two(); // [MQTT-1.1-2]` },
    },
  ]);
});

test("in a test names prove, comments remark, and shared tags count where a name holds them", () => {
  const lines = [
    `/** [MQTT-1.1-1] */`,
    `const clauses = "5.0 [MQTT-1.1-2]";`,
    `test("5.0 [MQTT-1.1-3] a name", run); // [MQTT-1.1-4]`,
    `test(\`\${clauses} 3.1.1 [MQTT-1.1-5] \${what}\`, run);`,
    `  name: "a vector [MQTT-1.1-6]",`,
  ];
  for (const path of ["src/topics/x.test.ts", "test/broker/x.ts", "src/codec/vectors/x.ts"]) {
    const read = readFileTags(path, lines.join("\n")).map(
      ({ kind, standard, clause, line }) => `${line} ${kind} ${standard} ${clause}`,
    );
    assert.deepEqual(read, [
      "1 remark 5.0 MQTT-1.1-1",
      "3 test 5.0 MQTT-1.1-3",
      "3 remark 5.0 MQTT-1.1-4",
      "4 test 5.0 MQTT-1.1-2",
      "4 test 3.1.1 MQTT-1.1-5",
      "5 test undefined MQTT-1.1-6",
    ]);
  }
});

test("a tag without a standard, of the wrong one, or of none is a fault", () => {
  const statements = readStatements();
  const findFault = (path: string, text: string) =>
    findTagFault(readFileTags(path, text), statements);
  assert.equal(findFault("src/x.ts", `// [MQTT-1.5.4-1], 3.1.1: [MQTT-1.5.3-1]`), undefined);
  assert.match(findFault("src/x.ts", `// [MQTT-1.5.3-1]`) ?? "", /there is no 5\.0/);
  assert.match(findFault("src/x.ts", `// 3.1.1 [MQTT-1.5.4-1]`) ?? "", /there is no 3\.1\.1/);
  assert.match(findFault("src/x.ts", `// [MQTT-9.9.9-1]`) ?? "", /there is no/);
  assert.match(findFault("src/x.test.ts", `test("[MQTT-1.5.4-1] x");`) ?? "", /says whose/);
});

const standard = "5.0";
const makeStatement = (clause: string, binds: Statement["binds"]): Statement => ({
  ...{ standard, clause, binds, text: `${clause} MUST be so` },
});
const sample = new Map(
  [
    makeStatement("MQTT-1.1-1", "Server"),
    makeStatement("MQTT-1.1-2", "Both"),
    makeStatement("MQTT-1.1-3", "Client"),
    makeStatement("MQTT-1.1-4", "Client"),
  ].map((statement) => [nameStatement(standard, statement.clause), statement]),
);
const sampleTags = [
  ...readFileTags("src/broker/x.ts", `// [MQTT-1.1-1] [MQTT-1.1-3]`),
  ...readFileTags("src/codec/vectors/x.ts", `"5.0 [MQTT-1.1-1] a vector"`),
  ...readFileTags("test/conformance/x.test.ts", `"5.0 [MQTT-1.1-1] a | b"`),
];
const except = (clause: string, missing: Exception["missing"]): Exception => ({
  ...{ standard, clause, missing, reason: "a reason" },
});
const cover = (...excepted: Exception[]) => coverStatements(sample, sampleTags, excepted);
const fault = (...excepted: Exception[]) => findFaults(cover(...excepted), excepted);

test("what binds a server, or is named, has code and test or a reason", () => {
  const names = cover().map(({ statement }) => statement.clause);
  assert.deepEqual(names, ["MQTT-1.1-1", "MQTT-1.1-2", "MQTT-1.1-3"]);
  assert.deepEqual(fault(except("MQTT-1.1-2", "both"), except("MQTT-1.1-3", "test")), []);
  assert.deepEqual(fault(except("MQTT-1.1-2", "code")), [
    "5.0 [MQTT-1.1-2] has no test and no reason",
    "5.0 [MQTT-1.1-3] has no test and no reason",
  ]);
});

test("an exception that is none is a fault", () => {
  const needed = [except("MQTT-1.1-2", "both"), except("MQTT-1.1-3", "test")];
  assert.deepEqual(fault(...needed, except("MQTT-1.1-1", "test")), [
    "5.0 [MQTT-1.1-1] is excepted and has its test",
  ]);
  assert.deepEqual(fault(...needed, except("MQTT-1.1-4", "both")), [
    "5.0 [MQTT-1.1-4] is excepted and binds no server",
  ]);
  assert.deepEqual(fault(...needed, except("MQTT-9.9-9", "both")), [
    "5.0 [MQTT-9.9-9] is excepted and binds no server",
  ]);
  assert.deepEqual(fault(...needed, except("MQTT-1.1-2", "test")), [
    "5.0 [MQTT-1.1-2] is excepted twice",
  ]);
});

test("the page shows code and tests with their lines, the telling test first, or the reason", () => {
  const page = renderConformance(cover(except("MQTT-1.1-2", "both")));
  const rows = page.split("\n").filter((line) => line.startsWith("| `MQTT"));
  const code = "[broker/x.ts:1](../src/broker/x.ts#L1)";
  assert.deepEqual(rows, [
    `| \`MQTT-1.1-1\` MQTT-1.1-1 MUST be so | ${code} | [x.test.ts:1](../test/conformance/x.test.ts#L1) a \\| b<br>[x.ts:1](../src/codec/vectors/x.ts#L1) a vector |`,
    "| `MQTT-1.1-2` MQTT-1.1-2 MUST be so | *a reason* | *a reason* |",
    `| \`MQTT-1.1-3\` MQTT-1.1-3 MUST be so | ${code} | **uncovered** |`,
  ]);
  assert.match(page, /3 statements bind a server: 1 have code and test, 2 lack one of them/);
});

test("every statement that binds a server has code and test, or its reason", () => {
  assert.deepEqual(findFaults(readCoverage(), exceptions), []);
});

test("the name of a passed test proves what it says of its version", () => {
  const name = `5.0 [MQTT-1.1-1] 3.1.1 [MQTT-1.1-2] x`;
  const both = ["5.0 [MQTT-1.1-1]", "3.1.1 [MQTT-1.1-2]"];
  assert.deepEqual(readProof(name), both);
  assert.deepEqual(readProof(`${name} (5 of 6)`), both);
  assert.deepEqual(readProof(`${name} (v5, tcp)`), both.slice(0, 1));
  assert.deepEqual(readProof(`PUBLISH: ${name} (v3.1.1)`), both.slice(1));
  assert.deepEqual(readProof(`${name} (v3.1, websocket)`), []);
});

test("what no passed test names is not tested, whatever the page says", () => {
  const name = `5.0 [MQTT-1.1-1] a test`;
  assert.deepEqual(findUnproven(cover(), [{ name, file: join(root, "test/x.test.ts") }], root), []);
  assert.deepEqual(findUnproven(cover(), [], root), ["5.0 [MQTT-1.1-1]"]);
  const client = join(root, "test/cli/tpublish.test.ts");
  assert.deepEqual(findUnproven(cover(), [{ name, file: client }], root), ["5.0 [MQTT-1.1-1]"]);
});
