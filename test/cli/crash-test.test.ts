/** tserve crash-test as people run it, on real processes and a real disk: it passes, it bites, and it ends. */
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { RunningProgram } from "./programs.ts";

const file = path.join(import.meta.dirname, "../../src/cli/tserve.ts");

function start(args: readonly string[]): RunningProgram {
  return new RunningProgram(process.execPath, [file, "crash-test", ...args], { stdin: "" });
}

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(path.join(tmpdir(), "crash-test-test-"));
  context.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("with --durability memory it finds what is lost, and keeps the folder", async (context) => {
  const data = makeFolder(context);
  const args = ["--rounds", "1", "--durability", "memory", "--data", data];
  const { code, stdout } = await start(args).ended;
  assert.equal(code, 1, stdout);
  assert.match(stdout, /^round 1 .* killed after +\d+ ms, up again in \d+ ms/m);
  assert.match(stdout, /^ {2}missing +[\d,]*[1-9]/m);
  assert.match(stdout, /^ {2}sessions +[1-9]\d* lost$/m);
  assert.match(stdout, /^NOT KEPT, the first of each kind:\n {2}the session of /m);
  assert.match(stdout, /never received message \d+ of crash/);
  const [folder] = readdirSync(data);
  assert.ok(stdout.endsWith(`What the broker kept is in ${path.join(data, folder)}\n`));
});

test("Ctrl-C ends it with what was found, and its broker with it", async (context) => {
  const data = path.join(makeFolder(context), "new", "data");
  const program = start(["--rounds", "100000", "--data", data, "--durability", "memory"]);
  await program.saw("\nround ", "stdout");
  const interruptedAt = performance.now();
  program.child.kill("SIGINT");
  const { stdout } = await program.ended;
  assert.ok(performance.now() - interruptedAt < 5000);
  assert.match(stdout, /^ {2}ended +interrupted: \d+ rounds/m);
});

test("a data folder that cannot be made is one line and exit code 1", async () => {
  for (const folder of ["/dev/null/x", "/proc/tstack/x"]) {
    const { code, stdout, stderr } = await start(["--data", folder]).ended;
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^tserve crash-test: cannot make a folder in \/\w+\/\w+\/x: .*\n$/);
  }
});

test("a broker that does not start is told with what it said", async (context) => {
  const data = path.join(makeFolder(context), "data");
  const { code, stdout } = await start([
    "--data",
    data,
    "--command",
    `${process.execPath} {folder}/x`,
  ]).ended;
  assert.equal(code, 1);
  assert.match(
    stdout,
    /^the broker ended by itself \(exit code 1\)\nit said last:\n(?: {2}.*\n)*.*Cannot find module/m,
  );
  assert.equal(existsSync(data), false); // it was made for the test
});

test("mistakes are exit code 2", async () => {
  const mistakes = [
    ["--rounds", "0"],
    ["--rounds", "many"],
    ["--durability", "perhaps"],
    ["--seed", "-1"],
    ["--no-such-option"],
    ["more"],
  ];
  for (const args of mistakes) {
    const { code, stderr } = await start(args).ended;
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, /^tserve: .*\n$/);
  }
});
