/** tserve --learn: what clients do is in the file at once, whoever ends the process, and decisions stay as they are. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { runServe, ServeProcess, withoutMosquittoClients as skip } from "./tserve-process.ts";

const folder = mkdtempSync(path.join(tmpdir(), "tserve-learn-"));
after(() => rmSync(folder, { recursive: true }));

const yaml = "users: [{ name: ada, password: geheim, rights: home/# }]\n";
const login = ["-V", "5", "-u", "ada", "-P", "geheim", "-i", "c1", "-q", "1"];

function readLines(file: string): unknown[] {
  const text = readFileSync(file, "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : JSON.parse(line)));
}

const seen = { user: "ada", clientIdentifier: "c1", action: "publish", qos: 1, retain: false };

test("tserve --learn notes each thing once, with what rights said of it", { skip }, async () => {
  const file = path.join(folder, "learned");
  const server = await ServeProcess.start({ yaml, args: ["--learn", file] });
  assert.match(server.output, /learns: notes in .*learned what clients do; rights stay in force/);
  for (const topic of ["home/x", "home/x", "elsewhere"]) {
    const sent = await server.run("mosquitto_pub", ...login, "-t", topic, "-m", "x");
    assert.equal(sent.stderr.includes("Not authorized"), topic === "elsewhere");
  }
  const expected = [
    { ...seen, topic: "home/x", allowed: true },
    { ...seen, topic: "elsewhere", allowed: false },
  ];
  assert.deepEqual(readLines(file), expected, "while it runs");
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const { stdout } = await server.stop();
  const text = `learned 2 things of 1 user; print the rules for them: tuser learn ${file}`;
  assert.ok(stdout.includes(text), stdout);
  assert.deepEqual(readLines(file), expected);
});

test("tserve --learn adds to what was learned before, and hides it from others", {
  skip,
}, async () => {
  const file = path.join(folder, "more");
  writeFileSync(file, '{"before":true}\n');
  chmodSync(file, 0o644);
  const server = await ServeProcess.start({ yaml, args: ["--learn", file] });
  await server.run("mosquitto_pub", ...login, "-t", "home/y", "-m", "x", "-r");
  await server.stop("SIGKILL");
  const expected = { ...seen, topic: "home/y", retain: true, allowed: true };
  assert.deepEqual(readLines(file), [{ before: true }, expected]);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test("tserve --learn: a file that cannot be written", async () => {
  const missing = path.join(folder, "none/learned");
  const args = ["--listen", "mqtt://127.0.0.1:0", "--learn", missing];
  const { code, stderr } = await runServe(args);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^tserve: cannot write what is learned: .*none\/learned: no such file[^\n]*\n$/,
  );
});
