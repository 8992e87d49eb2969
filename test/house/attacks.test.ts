/** docs/attacks.md and the tests of attacks: a row names tests that exist, and no attack is left out. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const root = join(import.meta.dirname, "../..");

interface Proof {
  readonly file: string;
  /** How the name of the test begins. */
  readonly name: string;
}

/** Of the last cell: `file` name; `file` name. */
function readProofs(page: string): Proof[] {
  const rows = page.split("\n").filter((line) => /^\| (?!attack \||---)/.test(line));
  return rows.flatMap((row) => {
    const cell = row.split(" | ").at(-1) ?? "";
    const found = [...cell.matchAll(/`([^`]+\.test\.ts)` (.+?)(?=; `|\s*\|$)/g)];
    assert.ok(found.length > 0, `no test in the row ${row}`);
    return found.map(([, file, name]) => ({ file, name }));
  });
}

/** The names of the tests in a file, as they are written. */
function readNames(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(/(?:test|conformanceTest)\(\s*(?:"((?:[^"\\]|\\.)*)"|`([^`]*)`)/g);
  return [...found].map(([, plain, template]) => plain ?? template);
}

/** Sentences for people, one for each fault. */
function findFaults(page: string): string[] {
  const proofs = readProofs(page);
  const faults: string[] = [];
  for (const { file, name } of proofs) {
    const isThere = globSync(file, { cwd: root }).length === 1;
    const names = isThere ? readNames(file) : [];
    const count = names.filter((one) => one.startsWith(name)).length;
    if (count !== 1) faults.push(`${file} has ${count} tests that begin with "${name}"`);
  }
  for (const file of globSync("test/security/*.test.ts", { cwd: root })) {
    for (const name of readNames(file)) {
      const isNamed = proofs.some((proof) => proof.file === file && name.startsWith(proof.name));
      if (!isNamed) faults.push(`${file}: "${name}" has no row`);
    }
  }
  return faults;
}

const attacksPage = readFileSync(join(root, "docs/attacks.md"), "utf8");

test("docs/attacks.md names tests that exist, and every attack of test/security", () => {
  assert.deepEqual(findFaults(attacksPage), []);
});

test("a row whose test is gone, and a test without a row, are found", () => {
  const [row] = attacksPage.split("\n").filter((line) => line.includes("attack: a clock"));
  const without = attacksPage.replace(row, "");
  assert.match(findFaults(without).join(), /"attack: a clock .* has no row/);
  const renamed = attacksPage.replace("attack: a clock", "attack: a watch");
  assert.match(findFaults(renamed).join(), /has 0 tests that begin with "attack: a watch/);
  const moved = attacksPage.replace("test/security/logins.test.ts", "test/security/gone.test.ts");
  assert.match(findFaults(moved).join(), /gone\.test\.ts has 0 tests/);
  assert.throws(() => findFaults(`${attacksPage}\n| an attack | something | none |\n`), /no test/);
});
