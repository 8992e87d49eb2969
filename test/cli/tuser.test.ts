/** tuser on the folder of a broker that does not run. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
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

test("a user is added with rules in the order of the command line, shown and listed", async () => {
  const folder = newFolder();
  const rules = ["--deny", "publish ada/x", "--rights", "ada/#", "--allow", "subscribe b qos 0"];
  await folder.do("add", "ada", ...rules, "--scram");
  const shown = await folder.do("show", "ada");
  assert.match(
    shown,
    /^ada\n {2}login {4}password, SCRAM\n {2}kept in {2}the broker's store\n {2}roles {4}none\n {2}made {5}\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\nrules:\n {2}1 {2}deny publish ada\/x\n {2}2 {2}ada\/#\n {2}3 {2}allow subscribe b qos 0\n$/,
  );
  assert.equal(
    await folder.do("list"),
    "USER  LOGIN            ROLES  RULES\nada   password, SCRAM         deny publish ada/x; ada/#; allow subscribe b qos 0\n",
  );
  const [user] = (await folder.json("list")) as { name: string; rules: unknown[] }[];
  assert.equal(user.name, "ada");
  assert.deepEqual(user.rules[2], { filter: "b", allow: "subscribe", qos: [0] });
});

test("the first user is told to keep anonymous clients out, the second not, and the last to let them in", async () => {
  const folder = newFolder();
  const given = { environment: { TSTACK_NEW_PASSWORD: "x" } };
  const first = await folder.run(["add", "ada", "--rights", "#"], given);
  assert.match(first.stderr, /first user: clients without a user name are refused from now on/);
  const second = await folder.run(["add", "bob", "--rights", "#"], given);
  assert.equal(second.stderr, "");
  assert.equal((await folder.run(["remove", "bob"])).stderr, "");
  assert.match((await folder.run(["remove", "ada"])).stderr, /last user: clients of this machine/);
});

test("a user without rights is told to have none", async () => {
  const folder = newFolder();
  await folder.do("add", "ada");
  const { stderr } = await folder.run(["add", "bob", "--no-password"]);
  assert.match(stderr, /^tuser: bob may connect and nothing else: tuser grant bob '%u\/#' /);
  assert.match(await folder.do("list"), /^bob {3}certificate$/m);
});

test("the password comes from stdin, a file, the environment or the terminal", async () => {
  const folder = newFolder();
  const file = folder.write("password", "from file\n");
  const ways: readonly (readonly [readonly string[], object])[] = [
    [["--password-stdin"], { stdin: "from stdin\n" }],
    [["--password-file", file], {}],
    [[], { environment: { TSTACK_NEW_PASSWORD: "from environment" } }],
    [[], { typed: ["typed", "typed"] }],
  ];
  for (const [index, [args, given]] of ways.entries()) {
    const ended = await folder.run(["add", `u${index}`, "--rights", "#", ...args], given);
    assert.deepEqual([ended.code, ended.stdout], [0, ""], ended.stderr);
    const again = await folder.run(["passwd", `u${index}`, ...args], given);
    assert.deepEqual([again.code, again.stdout, again.stderr], [0, "", ""]);
  }
  const { users } = JSON.parse(await folder.do("export")) as { users: { passwordHash: string }[] };
  for (const { passwordHash } of users) assert.match(passwordHash, /^\$argon2id\$/);
});

test("rules are granted at their place and revoked by number, filter and words", async () => {
  const folder = newFolder();
  await folder.do("add", "ada", "--rights", "a");
  await folder.do("grant", "ada", "deny publish b", "allow publish c", "publish a");
  await folder.do("grant", "ada", "deny x", "--at", "1");
  const rulesOf = async () => (await folder.do("show", "ada")).split("rules:\n")[1];
  assert.equal(
    await rulesOf(),
    "  1  deny both x\n  2  a\n  3  deny publish b\n  4  allow publish c\n  5  allow publish a\n",
  );
  await folder.do("revoke", "ada", "1", "deny publish b");
  assert.equal(await rulesOf(), "  1  a\n  2  allow publish c\n  3  allow publish a\n");
  await folder.do("revoke", "ada", "a");
  assert.equal(await rulesOf(), "  1  allow publish c\n");
  assert.match(
    await folder.fail(1, ["revoke", "ada", "1", "nothing"]),
    /there is no rule "nothing"/,
  );
  assert.equal(await rulesOf(), "  1  allow publish c\n", "all or nothing");
});

test("roles are made, given, shown, taken and removed", async () => {
  const folder = newFolder();
  await folder.do("role", "add", "operator", "--allow", "subscribe #");
  await folder.do("add", "ada", "--role", "operator");
  await folder.do("add", "bob", "--rights", "b");
  await folder.do("grant", "bob", "--role", "operator");
  assert.equal(
    await folder.do("role", "list"),
    "ROLE      USERS  RULES\noperator  2      allow subscribe #\n",
  );
  await folder.do("role", "grant", "operator", "deny subscribe secret/#", "--at", "1");
  assert.equal(
    await folder.do("role", "show", "operator"),
    "operator\n  2 users have it\nrules:\n  1  deny subscribe secret/#\n  2  allow subscribe #\n",
  );
  assert.match(
    await folder.do("explain", "ada", "subscribe", "secret/#"),
    /^refused: role "operator", rule 1/,
  );
  await folder.do("role", "revoke", "operator", "1");
  assert.match(await folder.fail(1, ["role", "remove", "operator"]), /"ada".*"bob"/);
  for (const name of ["ada", "bob"]) await folder.do("revoke", name, "--role", "operator");
  await folder.do("role", "remove", "operator");
  assert.match((await folder.run(["role", "list"])).stderr, /there are no roles/);
});

test("explain and who-can name the rule that decides", async () => {
  const folder = newFolder();
  await folder.do("add", "ada", "--deny", "publish ada/x", "--rights", "ada/#");
  await folder.do("add", "bob", "--allow", "publish # qos 0 retain no", "--disabled");
  assert.match(
    await folder.do("explain", "ada", "publish", "ada/x"),
    /^refused: user "ada", rule 1: deny publish ada\/x/,
  );
  assert.match(
    await folder.do("explain", "ada", "subscribe", "ada/#"),
    /^allowed: user "ada", rule 2/,
  );
  assert.match(await folder.do("explain", "bob", "publish", "x", "--qos", "1"), /^refused/);
  const disabled = await folder.run(["explain", "bob", "publish", "x"]);
  assert.match(disabled.stdout, /^allowed/);
  assert.match(disabled.stderr, /"bob" is disabled/);
  for (const args of [
    ["-", "publish", "x"],
    ["--anonymous", "publish", "x"],
  ]) {
    const anonymous = await folder.run(["explain", ...args]);
    assert.match(anonymous.stdout, /^refused: anonymous clients/);
    assert.match(anonymous.stderr, /without the users and anonymous clients of its configuration/);
  }
  const table = await folder.do("who-can", "publish", "ada/1");
  assert.match(table, /^USER {2}BY\nada {3}user "ada", rule 2.*\nbob {3}.*disabled/);
  const found = (await folder.json("who-can", "subscribe", "ada/+")) as { user: string }[];
  assert.deepEqual(
    found.map(({ user }) => user),
    ["ada"],
  );
});

test("what is exported into a file is its owner's alone, and brings another broker the same", async () => {
  const folder = newFolder();
  await folder.do("role", "add", "r", "--rights", "#");
  await folder.do("add", "ada", "--role", "r", "--scram");
  const file = path.join(folder.path, "users.json");
  const before = process.umask(0);
  await folder.do("export", file).finally(() => process.umask(before));
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(await folder.fail(1, ["export", file]), /is there already: --force replaces it/);
  await folder.do("export", file, "--force");
  const other = newFolder();
  assert.equal(
    await other.do("import", file, "--dry-run"),
    'would be added "ada"\nwould be added "r"\n',
  );
  assert.equal(await other.do("list"), "");
  assert.equal(await other.do("import", file), 'added "ada"\nadded "r"\n');
  assert.equal(await other.do("export"), await folder.do("export"));
  assert.match(await other.fail(1, ["import", file]), /already/);
  assert.equal(await other.do("import", file, "--replace"), 'changed "ada"\nchanged "r"\n');
});

test("the least rules of what was learned are printed for grant", async () => {
  const folder = newFolder();
  const seen = { user: "ada", clientIdentifier: "c", qos: 1, retain: false, allowed: true };
  const lines = [
    { ...seen, action: "publish", topic: "home/ada/1" },
    { ...seen, action: "subscribe", topic: "home/#" },
    { ...seen, action: "publish", topic: "no", allowed: false },
    { ...seen, user: undefined, action: "subscribe", topic: "x" },
  ];
  const content = `${lines.map((line) => JSON.stringify(line)).join("\n")}\n{"user":`;
  const file = folder.write("seen.jsonl", content);
  const { stdout, stderr, code } = await folder.run(["learn", file]);
  assert.equal(code, 0);
  assert.equal(stderr, `tuser: ${file}:5 is not what tserve --learn writes: left out\n`);
  assert.equal(
    stdout,
    "ada\n  allow subscribe home/#\n  allow publish home/%u/1\n  refused then, and not here: publish no\n(anonymous)\n  allow subscribe x\n",
  );
  const exact = await folder.do("learn", file, "--exact");
  assert.match(exact, /allow publish home\/%u\/1 qos 1 retain no\n/);
  const json = (await folder.json("learn", file)) as { user?: string; rules: unknown[] }[];
  assert.deepEqual(json[1].rules, [{ allow: "subscribe", filter: "x" }]);
  assert.deepEqual(readdirSync(folder.data), [], "no broker is asked");
});
