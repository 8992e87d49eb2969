/** The settings file of the client programs: where it is found, what wins over it, and what is wrong with it. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { PassThrough } from "node:stream";
import { after, test } from "node:test";
import { Command } from "commander";
import {
  addConnectionOptions,
  type ConnectionArguments,
  parseArguments,
  resolveConnection,
} from "../../src/cli/client/index.ts";

const root = mkdtempSync(path.join(tmpdir(), "settings-"));
after(() => rmSync(root, { recursive: true }));

const text = `username: ABC-234
password: "s3cret: #"
broker: mqtts://broker.example:8884
cacertfile: ca.crt
verifytls: true
`;

function write(name: string, content = text, mode = 0o600): string {
  const file = path.join(root, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
  return file;
}

writeFileSync(path.join(root, "ca.crt"), "the CA");
const file = write("settings.yml");

async function resolve(args: readonly string[], environment: Record<string, string> = {}) {
  const stderr = new PassThrough();
  const io = {
    ...{ stdin: new PassThrough(), stdout: new PassThrough(), stderr, environment },
    onInterrupt: () => () => undefined,
    askSecret: () => Promise.reject(new Error("no terminal")),
  };
  const parsed = parseArguments<ConnectionArguments>(
    addConnectionOptions(new Command("t")),
    args,
    io,
  );
  assert.ok(parsed);
  const program = { name: "t", needsVersion5: [] };
  const { connection } = await resolveConnection(parsed, program, io);
  const { endpoint, username, password } = connection;
  const { scheme, host, port, tls } = endpoint;
  return {
    url: `${scheme}://${host}:${port}`,
    ca: tls.ca?.join(),
    insecure: tls.insecure,
    username,
    password,
    warnings: (stderr.read() as Buffer | null)?.toString() ?? "",
  };
}

const registered = {
  url: "mqtts://broker.example:8884",
  ca: "the CA",
  insecure: false,
  username: "ABC-234",
  password: "s3cret: #",
  warnings: "",
};
const nothing = {
  url: "mqtt://localhost:1883",
  ca: undefined,
  insecure: false,
  username: undefined,
  password: undefined,
  warnings: "",
};

test("settings: found at --settings, TSTACK_SETTINGS, XDG_CONFIG_HOME and in the home folder", async () => {
  assert.deepEqual(await resolve(["--settings", file]), registered);
  assert.deepEqual(await resolve([], { TSTACK_SETTINGS: file }), registered);
  write("xdg/tstack/settings.yml", text.replace("ca.crt", file.replace("settings.yml", "ca.crt")));
  write("home/.config/tstack/settings.yml", "username: home\n");
  const XDG_CONFIG_HOME = path.join(root, "xdg");
  const HOME = path.join(root, "home");
  assert.deepEqual(await resolve([], { XDG_CONFIG_HOME, HOME }), registered);
  assert.deepEqual(await resolve([], { HOME }), { ...nothing, username: "home" });
  const other = write("other.yml", "username: other\n");
  const first = await resolve(["--settings", other], { TSTACK_SETTINGS: file, HOME });
  assert.equal(first.username, "other");
  await assert.rejects(resolve([], { TSTACK_SETTINGS: `${file}.none` }), /no such file/);
});

test("settings: flags win over the environment, the environment over the file", async () => {
  const settings = ["--settings", file];
  const environment = { TSTACK_USERNAME: "env", TSTACK_PASSWORD: "of env" };
  const fromEnvironment = await resolve(settings, environment);
  assert.deepEqual(fromEnvironment, { ...registered, username: "env", password: "of env" });
  const flags = ["-u", "flag", "-P", "of flag", "-p", "1", "--insecure"];
  assert.deepEqual(await resolve([...settings, ...flags], environment), {
    ...registered,
    ...{ url: "mqtts://broker.example:1", username: "flag", password: "of flag", insecure: true },
  });
  assert.equal((await resolve([...settings, "-P", "new"])).password, "new");
});

test("settings: the password is for the user of the file, and no other", async () => {
  const { username, password } = await resolve(["--settings", file, "-u", "other"]);
  assert.deepEqual([username, password], ["other", undefined]);
});

test("settings: another broker gets nothing of them", async () => {
  const environment = { TSTACK_SETTINGS: file };
  for (const args of [
    ["-h", "localhost"],
    ["-L", "mqtt://localhost"],
  ]) {
    assert.deepEqual(await resolve(args, environment), nothing);
    await assert.rejects(resolve([...args, "--settings", file]), /the broker is given twice/);
  }
  const unix = await resolve(["--unix", "/run/x.sock"], environment);
  assert.deepEqual([unix.username, unix.password, unix.ca], [undefined, undefined, undefined]);
  const TSTACK_BROKER = "mqtt://localhost";
  assert.deepEqual(await resolve([], { ...environment, TSTACK_BROKER }), nothing);
  assert.deepEqual(await resolve(["--settings", file], { TSTACK_BROKER }), registered);
  // Nor does a file that is wrong keep anyone from another broker.
  const TSTACK_SETTINGS = write("broken.yml", "]");
  assert.deepEqual(await resolve(["-h", "localhost"], { TSTACK_SETTINGS }), nothing);
});

test("settings: verifytls: false is --insecure", async () => {
  const lax = write("lax.yml", text.replace("true", "false"));
  assert.equal((await resolve(["--settings", lax])).insecure, true);
});

test("settings: a file that others may read is told", async () => {
  for (const mode of [0o640, 0o604, 0o620]) {
    const open = write("open.yml", text, mode);
    const { warnings, ...rest } = await resolve(["--settings", open]);
    assert.match(
      warnings,
      /^t: warning: others than its owner may read .*chmod 600 .*open\.yml\n$/,
    );
    assert.deepEqual({ ...rest, warnings: "" }, registered);
    assert.equal((await resolve(["--settings", open, "--quiet"])).warnings, "");
  }
});

for (const [content, words] of [
  ["username: a\npasword: b\n", /:2: there is no setting "pasword"; did you mean password\?/],
  ["# c\nuser name: b\n", /:2: there is no setting "user name"; did you mean username\?/],
  ["password: 12345\n", /:1: password is text: put it in "quotes"/],
  ["verifytls: maybe\n", /:1: verifytls is true or false/],
  ["a: b\n\nusername: [s3cret\n", /:\d: this is no YAML/],
  ["- s3cret\n", /:1: each line is KEY: VALUE/],
  ["\nbroker: nonsense\n", /:2: broker: this is no URL of a broker/],
  ["broker: mqtt://u:s3cret@h\n", /:1: broker is a URL without credentials/],
  ["broker: mqtt://h/topic\n", /:1: broker is a URL without credentials and topic/],
  [`username: ${"x".repeat(70_000)}\n`, /has more than 65536 bytes/],
] as const) {
  test(`settings: ${JSON.stringify(content.slice(0, 30))} is told with its line, and without its values`, async () => {
    const wrong = write("wrong.yml", content);
    await assert.rejects(resolve(["--settings", wrong]), (error: Error) => {
      assert.match(error.message, words);
      assert.ok(!error.message.includes("s3cret"));
      return true;
    });
  });
}
