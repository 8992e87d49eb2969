/** What goes wrong before tserve serves: one line on stderr that says what to do, and exit code 1 or 2. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { run } from "../../src/cli/tserve.ts";
import { makeCertificates } from "./certificates.ts";
import { runInMemory } from "./memory-io.ts";
import { runServe, writeConfiguration } from "./tserve-process.ts";

const root = path.join(import.meta.dirname, "../..");

async function expectLine(args: readonly string[], code: number, line: RegExp, environment = {}) {
  const ended = await runServe(args, { environment });
  assert.match(ended.stderr, line);
  assert.match(ended.stderr, /^tserve: [^\n]+\n$/, "one line");
  assert.equal(ended.stdout, "");
  assert.equal(ended.code, code);
}

test("tserve refuses other machines without users, and says how to go on", async () => {
  const open = ["mqtt://0.0.0.0:0", "mqtt://:0", "ws://[::]:0/mqtt", "mqtt://192.0.2.1:0"];
  for (const url of open) {
    // The loopback listener beside it must not be opened either.
    const args = ["--listen", "mqtt://127.0.0.1:0", "--listen", url];
    await expectLine(args, 1, /can be reached from other machines .* --allow-anonymous\n/);
  }
});

test("tserve: a port in use", async () => {
  const other = net.createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as net.AddressInfo;
  try {
    const inUse = new RegExp(`port ${port} of 127\\.0\\.0\\.1 is in use .*--listen mqtt`);
    // The one that could be opened is closed again, so the process ends.
    const args = ["--listen", "mqtt://127.0.0.1:0", "--listen", `mqtt://127.0.0.1:${port}`];
    await expectLine(args, 1, inUse);
  } finally {
    other.close();
  }
});

test("tserve: options that are wrong", async () => {
  for (const [args, line] of [
    [["--lissen", "x"], /unknown option '--lissen'.*Did you mean --listen\?.*tserve --help/],
    [["--log-level", "loud"], /--log-level.*'loud' is invalid.*debug, info, warn, error, silent/],
    [["--listen"], /--listen <url>' argument missing/],
    [["--memory", "--durability", "os"], /'--memory' cannot be used with .*'--durability <level>'/],
    [["--durability", "disk"], /--durability.*'disk' is invalid.*fsync, os, memory/],
    [["--data", ""], /--data data: must not be empty/],
    [["--listen", "http://x"], /--listen listen\[0\]: cannot listen on "http:\/\/x"/],
    [["--listen", "mqtt://127.0.0.1:99999"], /port 99999 is beyond 65535/],
    [["surplus"], /too many arguments|unknown command 'surplus'/],
    [["--config", "/no/such/file.yaml"], /cannot read \/no\/such\/file\.yaml: no such file/],
    [["--config", tmpdir()], /cannot read .*: illegal operation on a directory/],
  ] as const) {
    await expectLine(args, 2, line);
  }
});

test("tserve: a file and variables that are wrong", async () => {
  const folder = writeConfiguration("listen:\n  - mqtt://127.0.0.1:0\nlogLevl: info\n");
  const config = path.join(folder, "tserve.yaml");
  try {
    const line = /^tserve: tserve\.yaml:3:1 logLevl: unknown key; did you mean logLevel\?\n/;
    await expectLine(["--config", config], 2, line);
    await expectLine([], 2, line, { TSTACK_CONFIG: config });
    const variable = /^tserve: TSTACK_LIMITS_SESSIONS_MAX limits\.sessionsMax: expected a whole/;
    await expectLine([], 2, variable, { TSTACK_LIMITS_SESSIONS_MAX: "many" });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("tserve --check-config says what is wrong, or that nothing is", async () => {
  const good = await runServe([
    "--check-config",
    "--config",
    path.join(root, "examples/tserve.yaml"),
  ]);
  assert.deepEqual([good.code, good.stderr], [0, ""]);
  assert.match(good.stdout, /^no mistakes: 3 users, listens on mqtt:\/\/127\.0\.0\.1:1883, ws/);
  await expectLine(["--check-config", "--listen", "x"], 2, /--listen listen\[0\]/);
});

test("tserve --check-config looks into the files of TLS and of secrets", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-check-"));
  try {
    makeCertificates(folder);
    const file = (name: string) => path.join(folder, name);
    const tls = ["--listen", "mqtts://127.0.0.1:0", "--cert", file("server.crt"), "--key"];
    const good = await runServe(["--check-config", ...tls, file("server.key")]);
    assert.deepEqual([good.code, good.stderr], [0, ""]);
    const line =
      /^tserve: the key in .*client\.key does not belong to the \(first\) certificate in /;
    await expectLine(["--check-config", ...tls, file("client.key")], 1, line);
    const secret = { TSTACK_AUTHENTICATION_JWT_SECRET_FILE: file("names") };
    await expectLine(["--check-config"], 2, /names cannot be used: .* needs 32 at least/, secret);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("tserve --help and --version", async () => {
  const help = await runServe(["--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
  for (const word of [
    "--listen",
    "--config",
    "--data",
    "--durability",
    "--memory",
    "--cert",
    "--key",
    "--cafile",
    "--learn",
  ]) {
    assert.ok(help.stdout.includes(word), word);
  }
  for (const word of ["--allow-anonymous", "hash-password", "./tstack-data"]) {
    assert.ok(help.stdout.includes(word), word);
  }
  const version = await runServe(["--version"]);
  const { version: expected } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  assert.deepEqual([version.code, version.stdout], [0, `${expected}\n`]);
});

test("tserve hash-password makes a hash that lets in, and shows no password", async () => {
  const made = await runServe(["hash-password"], { stdin: "geheim\n" });
  assert.deepEqual([made.code, made.stderr], [0, ""]);
  assert.match(made.stdout, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$\S+\n$/);
  for (const [stdin, line] of [
    ["", /empty password/],
    ["\n", /empty password/],
    ["two\nlines\n", /on one line/],
  ] as const) {
    const refused = await runServe(["hash-password"], { stdin });
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, line);
    assert.equal(refused.stdout, "");
  }
});

test("tserve hash-password: Ctrl-C at its question is one line, and 1", async () => {
  const command = `${process.execPath} ${path.join(root, "src/cli/tserve.ts")} hash-password`;
  // `script` gives it a terminal.
  const child = spawn("script", ["-qec", command, "/dev/null"], { timeout: 20_000 });
  let screen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    screen += text;
    if (screen === "Password: ") child.stdin.write("\u0003");
  });
  const [code] = await once(child, "close");
  assert.deepEqual([code, screen], [1, "Password: \r\ntserve: no password, interrupted\r\n"]);
});

test("tserve: a socket in a folder that is not there", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-"));
  rmSync(folder, { recursive: true });
  await expectLine(["--listen", `unix://${folder}/x`], 1, /directory of the socket .* not exist/);
});

test("tserve: when one listener cannot be opened, the others are closed again", async () => {
  const folder = mkdtempSync(path.join(tmpdir(), "tserve-"));
  try {
    const socket = path.join(folder, "socket");
    const args = ["--listen", `unix://${socket}`, "--listen", `unix://${folder}/missing/socket`];
    const { code, stderr } = await runInMemory(run, ["--memory", ...args]);
    assert.equal(code, 1);
    assert.match(stderr, /^tserve: the directory of the socket .* does not exist/);
    const connecting = net.connect(socket);
    const [error] = await once(connecting, "error");
    assert.match(error.code, /ENOENT|ECONNREFUSED/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
