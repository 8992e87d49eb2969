/** tserve crash-test on SQLite: nothing that was acknowledged is lost over 20 rounds, and a full disk is told, not waited for. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import type { Results } from "../../src/cli/serve/crash-test/results.ts";
import { RunningProgram } from "./programs.ts";

const file = path.join(import.meta.dirname, "../../src/cli/tserve.ts");

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "crash-test-test-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

async function run(args: readonly string[]): Promise<{ code: unknown; results: Results }> {
  const all = [file, "crash-test", "--json", ...args];
  const { code, stdout, stderr } = await new RunningProgram(process.execPath, all).ended;
  assert.match(stdout, /^\{.*\}\n$/, `${code} ${stdout} ${stderr}`);
  return { code, results: JSON.parse(stdout) as Results };
}

// Twenty in all, in parts: on a machine with four times as much to do as it can, a round takes ten seconds.
for (const part of ["first", "second", "third", "fourth"]) {
  test(`what was acknowledged is there after five rounds of SIGKILL, the ${part} five`, {
    timeout: 85_000,
  }, async (context) => {
    const data = makeFolder(context);
    const { code, results } = await run(["--rounds", "5", "--data", data]);
    context.diagnostic(JSON.stringify(results));
    const { faults, faultExamples, ended, notes, rounds } = results;
    assert.deepEqual(faultExamples, [], JSON.stringify(faults));
    assert.deepEqual([ended, notes, code, rounds.length], ["all rounds", {}, 0, 5]);
    assert.ok(results.kills >= 5 && results.acknowledged > 0);
    assert.deepEqual([results.unacknowledged, results.refused], [0, 0]);
    // Five sessions and the shared subscription have each message.
    assert.equal(results.received, 6 * results.acknowledged);
    assert.deepEqual(readdirSync(data), []); // it cleans up
  });
}

test("a disk that is full is told, and nothing acknowledged is lost", async (context) => {
  const data = makeFolder(context);
  const options = ["-t", "tmpfs", "-o", "size=2m", "tmpfs", data];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) {
    context.skip(`no disk of 2 MB can be mounted here: ${stderr}`);
    return;
  }
  try {
    // It ends when the disk is full: a slow machine takes more rounds to get there.
    const { code, results } = await run(["--rounds", "1000", "--data", data]);
    assert.equal(code, 1);
    assert.deepEqual(results.faultExamples, []);
    assert.match(results.ended, /^(?:broker failed|not acknowledged)$/);
    assert.match(results.brokerOutput?.join("\n") ?? "", /disk .* is full/);
  } finally {
    assert.equal(spawnSync("umount", [data]).status, 0);
  }
});
