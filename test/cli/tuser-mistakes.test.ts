/** Every way in which tuser fails: one line that says what to do, 1 for the world and 2 for the command line. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { after, before, test } from "node:test";
import { openRecords } from "../../src/storage/index.ts";
import { TuserFolder } from "./tuser-folder.ts";

let folder: TuserFolder;
before(async () => {
  folder = new TuserFolder();
  await folder.do("add", "ada", "--rights", "ada/#");
});
after(() => folder.remove());

const misuses: readonly (readonly [readonly string[], RegExp])[] = [
  [[], /say what to do; tuser --help lists the commands/],
  [["role"], /say what to do/],
  [["lst"], /unknown command 'lst' \(Did you mean list\?\); tuser --help/],
  [["list", "extra"], /too many arguments/],
  [["add"], /missing required argument 'name'/],
  [
    ["add", "bob", "--password", "x"],
    /a password is no argument, since ps shows those to everyone/,
  ],
  [["add", "bob", "--password=x"], /a password is no argument/],
  [["passwd", "ada", "--password", "x"], /a password is no argument/],
  [["add", "bob", "--rights", "a/#/b"], /the rule "a\/#\/b": .*not a topic filter/],
  [["add", "bob", "--deny", "allow a"], /contradicts itself/],
  [["add", "bob", "--no-password", "--scram"], /--scram needs a password/],
  [["add", "bob", "--no-password", "--password-stdin"], /exclude each other/],
  [["grant", "ada"], /say which rule to grant/],
  [["grant", "ada", "deny", "publish", "ada/x"], /"deny" is no filter. A rule is one argument/],
  [["grant", "ada", "x", "--at", "0"], /--at takes the number of a rule/],
  [["revoke", "ada"], /say which rule to revoke/],
  [["explain", "ada", "read", "x"], /say publish or subscribe, not "read"/],
  [["explain", "ada", "publish"], /the question is: explain NAME publish\|subscribe TOPIC/],
  [
    ["explain", "--anonymous", "ada", "publish", "x"],
    /explain --anonymous publish\|subscribe TOPIC/,
  ],
  [["who-can", "publish", "x", "--qos", "3"], /--qos takes a number from 0 to 2/],
  [["import", "x", "--format", "csv"], /Allowed choices are passwd, acl, json/],
  [["--data", "", "list"], /--data names no folder/],
];

for (const [args, message] of misuses) {
  test(`tuser ${args.join(" ")} is a mistake of the command line`, async () => {
    assert.match(await folder.fail(2, args), message);
  });
}

const failures: readonly (readonly [readonly string[], RegExp])[] = [
  [["show", "bob"], /there is no user "bob" in the store \(no broker runs.*tuser list names all/],
  [["remove", "bob"], /there is no user "bob"/],
  [["passwd", "bob"], /there is no user "bob"/],
  [["enable", "bob"], /there is no user "bob"/],
  [["grant", "bob", "x"], /there is no user "bob"/],
  [["grant", "ada", "--role", "none"], /there is no role "none"/],
  [["add", "ada", "--rights", "x"], /there is a user "ada" already/],
  [
    ["add", "bob", "--rights", "x"],
    /no password: there is no terminal to ask on; give --password-stdin/,
  ],
  [
    ["add", "bob", "--password-file", "/nonexistent"],
    /--password-file \/nonexistent: no such file/,
  ],
  [["add", "..", "--no-password"], /body\/name must not hold control characters, or be \. or \.\./],
  [["add", "bob", "--no-password", "--role", "none"], /there is no role "none"/],
  [["revoke", "ada", "7"], /there is no rule 7; show tells the numbers/],
  [["revoke", "ada", "x"], /there is no rule "x"/],
  [["revoke", "ada", "--role", "none"], /none/],
  [["role", "show", "none"], /there is no role "none"/],
  [["explain", "ada", "publish", "a/#"], /a\/#/],
  [["bans"], /no broker runs, and bans end with the broker/],
  [["unban", "ada"], /no broker runs/],
  [["learn", "/nonexistent"], /\/nonexistent: no such file/],
  [["export", "/nonexistent/file"], /cannot write \/nonexistent\/file/],
];

for (const [args, message] of failures) {
  test(`tuser ${args.join(" ")} fails with a sentence`, async () => {
    assert.match(await folder.fail(1, args), message);
  });
}

test("passwords that are empty, of two lines or not the same are refused", async () => {
  const add = ["add", "bob", "--rights", "#"];
  const stdin = [...add, "--password-stdin"];
  assert.match(await folder.fail(1, stdin, { stdin: "\n" }), /the password is empty/);
  assert.match(await folder.fail(1, stdin, { stdin: "a\nb\n" }), /one password, on one line/);
  assert.match(await folder.fail(1, add, { typed: ["a", "b"] }), /not the same; try again/);
  assert.equal(await folder.do("list").then((text) => text.includes("bob")), false);
});

test("folders that are not a broker's are told apart", async () => {
  const missing = path.join(folder.path, "missing");
  const told = await folder.fail(1, ["list", "--data", missing]);
  assert.equal(
    told,
    `tuser: there is no folder ${missing}: name the broker's with --data, start tserve once, or make it: mkdir -m 700 ${missing}\n`,
  );
  const file = folder.write("file", "");
  assert.match(await folder.fail(1, ["list", "--data", file]), /file is no folder/);
  const foreign = path.join(folder.path, "foreign");
  mkdirSync(path.join(foreign, "src"), { recursive: true });
  assert.match(
    await folder.fail(1, ["add", "x", "--no-password", "--data", foreign]),
    /no broker has kept anything in .*foreign: name the broker's folder with --data/,
  );
});

test("a folder that somebody holds who has no API is waited for, and then told", async () => {
  const records = await openRecords(folder.data, "tserve 9.9, process 7");
  try {
    const { code, stderr } = await folder.run(["list"]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^waits for tserve 9\.9, process 7 since .*\ntuser: .* is in use by tserve 9\.9, process 7 since \S+, and no API answers: wait for it or stop it/,
    );
  } finally {
    await records.close();
  }
});

test("a holder that goes meanwhile lets tuser in", async () => {
  const records = await openRecords(folder.data, "somebody");
  const listed = folder.run(["list"]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  await records.close();
  assert.equal((await listed).code, 0);
});

test("a broker that ends while it is asked is told, with what to look at", async () => {
  const own = new TuserFolder();
  const server = createServer((socket) => socket.once("data", () => socket.destroy()));
  await new Promise<void>((resolve) =>
    server.listen(path.join(own.data, "tstack.sock"), () => resolve()),
  );
  try {
    const told = await own.fail(1, ["list"]);
    assert.match(told, /gave no answer \(socket hang up\): has the broker ended\?\n$/);
    const changed = await own.fail(1, ["enable", "x"]);
    assert.match(
      changed,
      /has the broker ended\?; look whether it was done before you do it again/,
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
    own.remove();
  }
});

const cannotBecomeOthers: string | false =
  process.getuid?.() !== 0 && "only root can try as somebody else";

// The modules are loaded before, since the checkout may be root's own.
const asNobody = `
const { openAdmin } = await import(process.env.ADMIN);
process.setgid(65534);
process.setuid(65534);
openAdmin(process.env.FOLDER, process).catch((error) => console.log(error.message));
`;

test("another user is told whose the folder is", { skip: cannotBecomeOthers }, () => {
  const own = new TuserFolder();
  chmodSync(own.path, 0o755);
  const ADMIN = path.join(import.meta.dirname, "../../src/cli/admin-client/open-admin.ts");
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", asNobody], {
    encoding: "utf8",
    env: { ...process.env, ADMIN, FOLDER: own.data },
  });
  own.remove();
  assert.match(stdout, /only its owner may .*: run this as the user who runs the broker/);
});
