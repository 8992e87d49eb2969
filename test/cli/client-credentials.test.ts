/** User names and passwords: from options, URL, environment, file and terminal, to a real mosquitto. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, test } from "node:test";
import { Mosquitto, withoutMosquittoClients } from "./mosquitto.ts";
import { run } from "./programs.ts";

const skip = withoutMosquittoClients;
const password = "p@ss:w/rd%";
let broker: Mosquitto;
let at: string[];
let passwordFile: string;

before(async () => {
  if (skip) return;
  const first = await Mosquitto.start();
  await first.kill();
  const users = path.join(first.folder, "users");
  assert.equal(spawnSync("mosquitto_passwd", ["-b", "-c", users, "ada", password]).status, 0);
  broker = await Mosquitto.start(["listener PORT 127.0.0.1", `password_file ${users}`]);
  await writeFile(path.join(broker.folder, "password"), `${password}\r\nmore\n`);
  passwordFile = path.join(broker.folder, "password");
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
  after(() => first.stop());
});
after(() => broker?.stop());

const publish = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run("tpublish", ["-t", "a", "-m", "x", ...args], { environment });

const accepted = { code: 0, stdout: "", stderr: "" };

test("-u and -P, and mosquitto's --username and --pw", { skip }, async () => {
  assert.deepEqual(await publish([...at, "-u", "ada", "-P", password]), accepted);
  assert.deepEqual(await publish([...at, "--username", "ada", "--pw", password]), accepted);
});

test("--password-file gives its first line", { skip }, async () => {
  assert.deepEqual(await publish([...at, "-u", "ada", "--password-file", passwordFile]), accepted);
});

test("the URL carries them, percent-encoded", { skip }, async () => {
  const userInfo = `ada:${encodeURIComponent(password)}`;
  const url = `mqtt://${userInfo}@127.0.0.1:${broker.port}/a`;
  assert.deepEqual(await run("tpublish", ["-L", url, "-m", "x"]), accepted);
  const environment = { TSTACK_BROKER: `mqtt://${userInfo}@127.0.0.1:${broker.port}` };
  assert.deepEqual(await publish([], environment), accepted);
});

test("the environment carries them, and options win over it", { skip }, async () => {
  const environment = { TSTACK_USERNAME: "ada", TSTACK_PASSWORD: password };
  assert.deepEqual(await publish(at, environment), accepted);
  assert.equal((await publish([...at, "-P", "wrong"], environment)).code, 5);
  const wrong = { TSTACK_USERNAME: "bob", TSTACK_PASSWORD: password };
  assert.deepEqual(await publish([...at, "-u", "ada"], wrong), accepted);
});

test("the credentials of TSTACK_BROKER do not go to another host", { skip }, async () => {
  const environment = { TSTACK_BROKER: `mqtt://ada:${encodeURIComponent(password)}@elsewhere` };
  assert.equal((await publish(at, environment)).code, 5);
});

for (const [version, code] of [
  ["311", 5],
  ["5", 135],
] as const) {
  test(`a wrong password ends -V ${version} with ${code} at once`, { skip }, async () => {
    const ended = await publish([...at, "-V", version, "-u", "ada", "-P", "wrong"]);
    assert.equal(ended.code, code);
    assert.match(ended.stderr, /refused the connection: not authorized/);
    assert.doesNotMatch(ended.stderr, /wrong/);
  });
}

test("-d does not show the password", { skip }, async () => {
  const ended = await publish([...at, "-d", "-u", "ada", "-P", password]);
  assert.match(ended.stderr, /sent CONNECT/);
  assert.ok(!ended.stderr.includes(password));
});

for (const flags of ["-P -", "--ask-password"]) {
  test(`${flags} asks on the terminal, without echo`, { skip }, async () => {
    const args = [...at, "-t", "a", "-m", "x", "-u", "ada", ...flags.split(" ")];
    const command = [process.execPath, "src/cli/tpublish.ts", ...args].join(" ");
    // `script` gives it a terminal.
    const child = spawn("script", ["-qec", command, "/dev/null"], {
      cwd: path.join(import.meta.dirname, "../.."),
      timeout: 20_000,
    });
    let screen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      screen += text;
      if (screen === "Password: ") child.stdin.write(`${password}x\x7f\r`);
    });
    const code = await new Promise((resolve) => {
      child.on("close", resolve);
    });
    assert.deepEqual([code, screen], [0, "Password: \r\n"]);
  });
}
