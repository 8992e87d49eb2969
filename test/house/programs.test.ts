/** The programs in bin/, started as npm starts them: the wrong Node.js, `tstack`'s dispatch. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const bin = join(import.meta.dirname, "../../bin");
const programs = [
  "tbench",
  "tconsume",
  "tmonitor",
  "tpublish",
  "treg",
  "tregister",
  "tserve",
  "tstack",
  "tsubscribe",
  "tuser",
];

/** Of `tstack`, each a program of its own with a t before it. */
const commands = [
  "serve",
  "publish",
  "subscribe",
  "consume",
  "monitor",
  "bench",
  "user",
  "reg",
  "register",
];

function runNode(...parameters: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    encoding: "utf8",
    timeout: 20_000,
  });
  return { code: status, out: stdout, err: stderr };
}

function runProgram(program: string, ...parameters: string[]) {
  return runNode(join(bin, `${program}.js`), ...parameters);
}

for (const program of programs) {
  test(`${program} on Node.js 18 says in one line what it needs, and fails`, () => {
    const folder = mkdtempSync(join(tmpdir(), "tstack-old-node-"));
    try {
      const disguise = join(folder, "disguise.cjs");
      writeFileSync(
        disguise,
        'Object.defineProperty(process, "versions", { value: { node: "18.20.4" } });\n',
      );
      const { code, out, err } = runNode("--require", disguise, join(bin, `${program}.js`));
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(
        err,
        new RegExp(`^${program} needs Node\\.js 24\\.7 or newer, .*18\\.20\\.4.*\n$`),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test(`${program} --help says how to use it`, () => {
    const { code, out, err } = runProgram(program, "--help");
    assert.equal(err, "");
    assert.match(out, new RegExp(`^Usage: ${program} `));
    assert.equal(code, 0);
  });
}

test("bin/ holds nothing that Node.js 12 cannot read", () => {
  for (const file of readdirSync(bin).filter((name) => name.endsWith(".js"))) {
    const text = readFileSync(join(bin, file), "utf8");
    assert.doesNotMatch(text, /\?\.|\?\?|^import |node:|replaceAll|\.at\(|#\w+[ ;(]/m, file);
  }
});

test("tstack without a word lists its commands", () => {
  const { code, out } = runProgram("tstack");
  for (const command of commands) assert.match(out, new RegExp(command));
  assert.equal(code, 0);
});

test("tstack --version is the package's", () => {
  const text = readFileSync(join(bin, "../package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  assert.equal(runProgram("tstack", "--version").out, `${version}\n`);
});

for (const command of commands) {
  test(`tstack ${command} and tstack help ${command} are t${command}`, () => {
    const itself = runProgram(`t${command}`, "--help");
    assert.equal(itself.code, 0);
    assert.deepEqual(runProgram("tstack", command, "--help"), itself);
    assert.deepEqual(runProgram("tstack", "help", command), itself);
  });
}

test("tstack passes arguments and exit codes on", () => {
  const itself = runProgram("tpublish", "--no-such-option");
  assert.notEqual(itself.code, 0);
  assert.deepEqual(runProgram("tstack", "publish", "--no-such-option"), itself);
});

test("tstack refuses a word it does not know", () => {
  const { code, out, err } = runProgram("tstack", "constructor");
  assert.equal(code, 2);
  assert.equal(out, "");
  assert.match(err, /^tstack: there is no command "constructor"; there are serve, .*\n$/);
});
