/** tuser takes over what mosquitto has: real files of mosquitto_passwd, and files of access rights. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { after, test } from "node:test";
import { TuserFolder } from "./tuser-folder.ts";

const folders: TuserFolder[] = [];
after(() => {
  for (const folder of folders) folder.remove();
});

function newFolder(): TuserFolder {
  const folder = new TuserFolder();
  folders.push(folder);
  return folder;
}

const withoutMosquitto: string | false =
  spawnSync("mosquitto_passwd", ["--help"]).error !== undefined &&
  "mosquitto_passwd is not installed";

// Of mosquitto_passwd 2.0; the passwords are "x".
const pbkdf2 = `$7$101$${Buffer.alloc(12, 1).toString("base64")}$${Buffer.alloc(64, 2).toString("base64")}`;
const bcrypt = `$2y$05$${"a".repeat(21)}u${"b".repeat(31)}`;

interface Exported {
  readonly users: readonly {
    readonly name: string;
    readonly passwordHash?: string;
    readonly roles?: readonly string[];
    readonly rules?: readonly unknown[];
  }[];
}

async function exportOf(folder: TuserFolder): Promise<Exported["users"]> {
  return (JSON.parse(await folder.do("export")) as Exported).users;
}

test("a file that mosquitto_passwd wrote is taken over, hash by hash", {
  skip: withoutMosquitto,
}, async () => {
  const folder = newFolder();
  const file = path.join(folder.path, "passwd");
  spawnSync("mosquitto_passwd", ["-c", "-b", file, "ada", "secret"]);
  spawnSync("mosquitto_passwd", ["-H", "sha512", "-b", file, "bob", "other"]);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  assert.match(lines[0], /^ada:\$7\$/);
  assert.match(lines[1], /^bob:\$6\$/);
  assert.equal(await folder.do("import", file), 'added "ada"\nadded "bob"\n');
  const users = await exportOf(folder);
  assert.deepEqual(
    users.map(({ name, passwordHash }) => `${name}:${passwordHash}`),
    lines,
  );
});

test("the mark that Windows editors put before a text is not part of a name", async () => {
  const folder = newFolder();
  const passwd = folder.write("passwd", `\ufeffada:${bcrypt}\r\n`);
  const acl = folder.write("acl", "\ufeffuser ada\r\ntopic home/#\r\n");
  assert.equal(await folder.do("import", passwd, acl), 'added "ada"\n');
});

test("bcrypt lines, comments, empty lines and CRLF are read", async () => {
  const folder = newFolder();
  const file = folder.write("passwd", `# users\r\n\r\nada:${bcrypt}\r\nbob:${pbkdf2}\r\n`);
  assert.equal(await folder.do("import", file), 'added "ada"\nadded "bob"\n');
});

test("every line that cannot be taken over is told with its number, and nothing is imported", async () => {
  const folder = newFolder();
  const file = folder.write(
    "passwd",
    `ada:${bcrypt}\nnocolon\n:${bcrypt}\neve:topsecret\nfay:$1$abc$def\nada:${bcrypt}\ngus:$7$101$x$y\n`,
  );
  const { code, stdout, stderr } = await folder.run(["import", file]);
  assert.deepEqual([code, stdout], [1, ""]);
  const told = stderr.split("\n").map((line) => line.replace(`${file}:`, ""));
  assert.deepEqual(
    told.slice(0, -2).map((line) => line.slice(0, 30)),
    [
      "tuser: 2 is not name:hash",
      "tuser: 3 is not name:hash",
      "tuser: 4 has no hash but a pas",
      "tuser: 5 has a hash that is no",
      'tuser: 6 has the user "ada" a ',
      "tuser: 7 has a hash that is no",
    ],
  );
  assert.match(told.at(-2) ?? "", /^tuser: nothing was imported: mend these lines, or --skip/);
  assert.equal(stderr.includes("topsecret"), false);
  assert.equal(stderr.includes("$1$abc"), false);
  assert.deepEqual(await exportOf(folder), []);
  assert.equal(await folder.do("import", file, "--skip"), 'added "ada"\n');
});

const acl = `# rights
topic read public/#

user ada
topic readwrite ada/#
topic home/light
topic deny ada/secret
topic write a room/x

user bob the builder
topic read b/+
pattern write dev/%c/#
pattern deny dev/%u
`;

test("an acl file becomes rules, denials first, and its patterns a role of all users", async () => {
  const folder = newFolder();
  const passwd = folder.write("passwd", `ada:${bcrypt}\nzoe:${bcrypt}\n`);
  const file = folder.write("acl", acl);
  const { stdout, stderr, code } = await folder.run(["import", passwd, file]);
  assert.equal(code, 0, stderr);
  assert.equal(
    stdout,
    'added "ada"\nadded "zoe"\nadded "bob the builder"\nadded "mosquitto-patterns"\n',
  );
  assert.match(stderr, /no file has a password of bob the builder/);
  assert.match(
    stderr,
    /allowAnonymous: true, anonymous: \{ rights: \[\{"allow":"subscribe","filter":"public\/#"\}\] \}/,
  );
  assert.match(stderr, /mosquitto lets everyone subscribe to #/);
  const shown = async (...args: string[]) => (await folder.do(...args)).split("rules:\n")[1];
  assert.equal(
    await shown("show", "ada"),
    '  1  deny both ada/secret\n  2  ada/#\n  3  home/light\n  4  allow publish "a room/x"\n',
  );
  assert.equal(await shown("show", "bob the builder"), "  1  allow subscribe b/+\n");
  assert.equal(
    await shown("role", "show", "mosquitto-patterns"),
    "  1  deny both dev/%u\n  2  allow publish dev/%c/#\n",
  );
  for (const { roles } of await exportOf(folder)) assert.deepEqual(roles, ["mosquitto-patterns"]);
  // What it does is what mosquitto did.
  const answers = [
    ["ada", "publish", "ada/secret", "refused"],
    ["ada", "publish", "ada/x", "allowed"],
    ["zoe", "publish", "dev/c1/x", "allowed"],
    ["zoe", "subscribe", "dev/c1/x", "refused"],
  ];
  for (const [name, action, topic, outcome] of answers) {
    const answer = await folder.do("explain", name, action, topic, "--client-id", "c1");
    assert.equal(answer.split(":")[0], outcome, `${name} ${action} ${topic}`);
  }
});

test("an acl file after the passwd file adds rules and keeps passwords; others are replaced on demand", async () => {
  const folder = newFolder();
  await folder.do("import", folder.write("passwd", `ada:${bcrypt}\n`));
  const file = folder.write("acl", "user ada\ntopic a\n");
  assert.equal(await folder.do("import", file), 'changed "ada"\n');
  assert.equal(await folder.do("import", file), 'changed "ada"\n', "the same again is no conflict");
  const [ada] = await exportOf(folder);
  assert.equal(ada.passwordHash, bcrypt);
  assert.deepEqual(ada.rules, [{ filter: "a", allow: "both" }]);
  const other = folder.write("acl2", "user ada\ntopic b\n");
  assert.match(await folder.fail(1, ["import", other]), /user "ada" has rules already; --replace/);
  const passwd = folder.write("passwd2", `ada:${pbkdf2}\n`);
  assert.match(await folder.fail(1, ["import", passwd]), /user "ada" has a password already/);
  await folder.do("import", passwd, other, "--replace");
  const [changed] = await exportOf(folder);
  assert.deepEqual(
    [changed.passwordHash, changed.rules],
    [pbkdf2, [{ filter: "b", allow: "both" }]],
  );
});

test("lines of an acl file that mean something else here are told", async () => {
  const folder = newFolder();
  const lines = [
    "user",
    "topic %u/a",
    "topic a/#/b",
    "allow x",
    "topic write $SYS/x",
    "pattern read",
  ];
  const file = folder.write("acl", `user x\n${lines.join("\n")}\n`);
  const { code, stderr } = await folder.run(["import", file]);
  assert.equal(code, 1);
  const numbers = [...stderr.matchAll(/acl:(\d+) /g)].map(([, number]) => Number(number));
  assert.deepEqual(numbers, [2, 3, 4, 5, 6]);
});

test("a dry run says what would be done, and does nothing", async () => {
  const folder = newFolder();
  await folder.do("add", "ada", "--no-password");
  const passwd = folder.write("passwd", `ada:${bcrypt}\nzoe:${bcrypt}\n`);
  const before = await folder.do("export");
  assert.equal(
    await folder.do("import", passwd, "--dry-run"),
    'would be added "zoe"\nwould be changed "ada"\n',
  );
  assert.equal(await folder.do("export"), before);
});

test("files of no kind, of a kind that is not alone, and broken exports are refused", async () => {
  const folder = newFolder();
  const prose = folder.write("prose", "hello\n");
  assert.match(
    await folder.fail(1, ["import", prose]),
    /no passwd file, no acl file and no export/,
  );
  assert.match(await folder.fail(1, ["import", folder.write("empty", "")]), /no passwd file/);
  const broken = folder.write("broken", '{"users": [{"name": "x", "password": "hush');
  const told = await folder.fail(1, ["import", broken]);
  assert.match(told, /is not what tuser export writes/);
  assert.equal(told.includes("hush"), false);
  const whole = folder.write("whole", '{"users": [], "roles": []}');
  const passwd = folder.write("passwd", `ada:${bcrypt}\n`);
  assert.match(await folder.fail(2, ["import", whole, passwd]), /is an export: import it alone/);
  assert.match(await folder.fail(1, ["import", "/nonexistent"]), /\/nonexistent: no such file/);
  const odd = folder.write("odd", '{"users": [{"name": ".."}], "roles": []}');
  assert.match(await folder.fail(1, ["import", odd]), /body\/users\/0\/name must not hold control/);
  await folder.run(["import", "-", "--format", "passwd"], { stdin: `ida:${bcrypt}\n` });
  assert.deepEqual(
    (await exportOf(folder)).map(({ name }) => name),
    ["ida"],
  );
});
