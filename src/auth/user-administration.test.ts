import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { MemoryStorage } from "../storage/index.ts";
import type { NewUser } from "./new-identities.ts";
import { UserAdministration } from "./user-administration.ts";
import { type ConfiguredUser, UserDirectory } from "./user-directory.ts";

/** Stands for the hash of a password: a real one costs time, and nothing here logs in. */
function hashOf(password: string): string {
  const text = Buffer.from(password.padEnd(16, "_")).toString("base64").replace(/=+$/, "");
  return `$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$${text}`;
}
const keysOf = (password: string) => ({
  salt: Buffer.alloc(16).toString("base64"),
  iterations: 4096,
  storedKey: Buffer.alloc(32, password).toString("base64"),
  serverKey: Buffer.alloc(32).toString("base64"),
});

const ada: ConfiguredUser = {
  name: "ada",
  credential: { password: "secret" },
  rights: [{ effect: "allow", action: "both", filter: "#", source: "users[0].rights[0]" }],
  source: "users[0] (tserve.yaml:3)",
};

/** A disk that can be told to be full. */
class Records extends MemoryStorage {
  isFull = false;
  override async writeRecords(changes: Parameters<MemoryStorage["writeRecords"]>[0]) {
    if (this.isFull) throw new TstackError("STORAGE_FULL", "the disk is full");
    await super.writeRecords(changes);
  }
}

async function open(configured: readonly ConfiguredUser[] = []) {
  const records = new Records();
  const directory = new UserDirectory({ configured, records: [] });
  const warnings: string[] = [];
  const administration = new UserAdministration(directory, records, {
    clock: { now: () => 1000 },
    hashPassword: async (password) => hashOf(password),
    makeScramKeys: async (password) => keysOf(password),
    log: { debug() {}, info() {}, warn: (_, text) => warnings.push(text), error() {} },
  });
  const events: string[] = [];
  directory.onChange(({ kind, userNames }) => events.push(`${kind} ${[...userNames].join()}`));
  const readBack = async () =>
    new UserDirectory({ configured, records: await records.readRecords() });
  return { records, directory, administration, events, warnings, readBack };
}

async function assertRefused(promise: Promise<unknown>, code: string, words: RegExp) {
  const error = await promise.then(
    () => assert.fail("not refused"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TstackError, String(error));
  assert.equal(error.code, code);
  assert.match(error.message, words);
}

test("user administration: a user lives: added, given rights, disabled, a new password, removed", async () => {
  const { administration: users, directory, events, readBack } = await open();
  const rules = [{ allow: "both", filter: "bob/#" }] as const;
  const added = await users.addUser({ name: "bob", password: "one", rules, note: "by hand" });
  const expected = {
    name: "bob",
    isEnabled: true,
    hasPassword: true,
    hasScram: false,
    roles: [],
    rules,
    origin: "store",
    createdAt: 1000,
    note: "by hand",
  };
  assert.deepEqual(added, expected);
  assert.deepEqual(users.listUsers(), [expected]);
  await users.addRole({ name: "operator", rules: [{ allow: "subscribe", filter: "#" }] });
  await users.grantToUser("bob", {
    roles: ["operator"],
    rules: [{ deny: "both", filter: "x" }],
    at: 0,
  });
  assert.deepEqual(users.findRole("operator").users, 1);
  assert.deepEqual(
    users.findUser("bob").rules.map(({ filter }) => filter),
    ["x", "bob/#"],
  );
  await users.revokeFromUser("bob", { roles: ["operator"], places: [0], filters: ["bob/#"] });
  assert.deepEqual(users.findUser("bob").rules, []);
  assert.equal((await users.setEnabled("bob", false)).isEnabled, false);
  await users.setPassword("bob", { password: "two", scram: true });
  assert.equal(directory.storedUsers.get("bob")?.passwordHash, hashOf("two"));
  assert.deepEqual((await readBack()).find("bob"), directory.find("bob"));
  await users.removeUser("bob");
  await users.removeRole("operator");
  assert.deepEqual([users.listUsers(), users.listRoles()], [[], []]);
  assert.equal((await readBack()).isEmpty, true);
  const told = ["added bob", "rights bob", "rights bob", "disabled bob", "password bob"];
  assert.deepEqual(events, [...told, "removed bob"]);
});

test("user administration: a new password leaves no way in for the old one", async () => {
  const { administration: users, directory } = await open();
  const stored = () => directory.storedUsers.get("bob");
  await users.addUser({ name: "bob", password: "one", scram: true });
  await users.setPassword("bob", { password: "two" });
  assert.deepEqual(stored()?.scramKeys, keysOf("two"));
  await users.setPassword("bob", { password: "three", scram: false });
  assert.equal(stored()?.scramKeys, undefined);
  await users.setPassword("bob", { password: "four", scram: true });
  await users.setPassword("bob", { passwordHash: hashOf("five") });
  assert.deepEqual([stored()?.passwordHash, stored()?.scramKeys], [hashOf("five"), undefined]);
});

test("user administration: what is wrong is refused in words, and nothing has changed", async () => {
  const { administration: users, events } = await open([ada]);
  await users.addUser({ name: "bob", password: "one", rules: [{ allow: "both", filter: "b" }] });
  await users.addRole({ name: "r", rules: [] });
  events.length = 0;
  const before = users.exportIdentities();
  const refusals: [Promise<unknown>, string, RegExp][] = [
    [users.addUser({ name: "bob" }), "USER_EXISTS", /^there is a user "bob" already$/],
    [users.addUser({ name: "ada" }), "USER_EXISTS", /ada/],
    [users.addUser({ name: "" }), "USER_INVALID", /empty/],
    [users.addUser({ name: "a\nb" }), "USER_INVALID", /control characters/],
    [users.addUser({ name: "\uDC00" }), "USER_INVALID", /Unicode/],
    [users.addUser({ name: "é".repeat(129) }), "USER_INVALID", /more than 256 bytes/],
    [users.addUser({ name: "x", password: "" }), "USER_INVALID", /user "x" is empty/],
    [users.addUser({ name: "x", password: "x".repeat(1025) }), "USER_INVALID", /1024 bytes/],
    [users.addUser({ name: "x", passwordHash: "geheim" }), "PASSWORD_HASH_INVALID", /argon2id/],
    [
      users.addUser({ name: "x", password: "a", passwordHash: "b" }),
      "USER_INVALID",
      /which counts/,
    ],
    [users.addUser({ name: "x", scram: true }), "USER_INVALID", /SCRAM needs the password/],
    [users.addUser({ name: "x", roles: ["y"] }), "ROLE_UNKNOWN", /role "y"; make it first/],
    [users.addUser({ name: "x", roles: ["r", "r"] }), "USER_INVALID", /a role twice/],
    [users.addUser({ name: "x", note: "n".repeat(1025) }), "USER_INVALID", /note/],
    [
      users.addUser({ name: "x", rules: [{ filter: "#" }] }),
      "USER_INVALID",
      /^user "x", rule 1 needs either allow or deny/,
    ],
    [users.removeUser("x"), "USER_UNKNOWN", /"x"/],
    [users.removeUser("ada"), "USER_CONFIGURED", /users\[0\] \(tserve.yaml:3\)/],
    [users.setEnabled("ada", false), "USER_CONFIGURED", /change it there/],
    [users.setPassword("bob", {}), "USER_INVALID", /no password is given/],
    [users.grantToUser("bob", { roles: ["y"] }), "ROLE_UNKNOWN", /"y"/],
    [users.grantToUser("bob", { rules: [], at: 2 }), "USER_INVALID", /new ones go to 0 to 1/],
    [users.revokeFromUser("bob", { filters: ["b", "c"] }), "RIGHT_UNKNOWN", /filter "c"/],
    [users.revokeFromUser("bob", { places: [0, 1] }), "RIGHT_UNKNOWN", /none at place 1/],
    [users.revokeFromUser("bob", { roles: ["r"], places: [0] }), "RIGHT_UNKNOWN", /role "r"/],
    [users.addRole({ name: "r", rules: [] }), "ROLE_EXISTS", /"r"/],
    [users.removeRole("y"), "ROLE_UNKNOWN", /"y"/],
    [users.grantToRole("r", { roles: ["r"] }), "USER_INVALID", /cannot have roles/],
    [users.revokeFromRole("r", { filters: ["b"] }), "RIGHT_UNKNOWN", /role "r" has no rule/],
  ];
  for (const [refused, code, words] of refusals) await assertRefused(refused, code, words);
  assert.throws(() => users.findUser("x"), { code: "USER_UNKNOWN" });
  assert.throws(() => users.findRole("x"), { code: "ROLE_UNKNOWN" });
  await users.grantToUser("bob", { roles: ["r"] });
  await assertRefused(users.removeRole("r"), "ROLE_IN_USE", /role "r" is that of "bob"/);
  await users.revokeFromUser("bob", { roles: ["r"] });
  assert.deepEqual(users.exportIdentities(), before);
  assert.deepEqual(events, ["rights bob", "rights bob"]);
});

test("user administration: changes asked for at once are made one after the other", async () => {
  const { administration: users, readBack } = await open();
  await users.addUser({ name: "bob" });
  const filters = Array.from({ length: 20 }, (_, index) => `t/${index}`);
  const grant = (filter: string) =>
    users.grantToUser("bob", { rules: [{ allow: "both", filter }] });
  const twice = [users.addUser({ name: "eve" }), users.addUser({ name: "eve" })];
  await Promise.all(filters.map(grant));
  const outcomes = await Promise.allSettled(twice);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  const kept = (await readBack()).storedUsers.get("bob")?.rules;
  assert.deepEqual(
    kept?.map(({ filter }) => filter),
    filters,
  );
});

test("user administration: what cannot be written is not in force, and the next change is", async () => {
  const { administration: users, records, directory, events } = await open();
  await users.addUser({ name: "bob" });
  records.isFull = true;
  await assertRefused(users.removeUser("bob"), "STORAGE_FULL", /full/);
  await assertRefused(users.addUser({ name: "eve" }), "STORAGE_FULL", /full/);
  assert.equal(directory.find("eve"), undefined);
  assert.deepEqual(events, ["added bob"]);
  records.isFull = false;
  await users.removeUser("bob");
  assert.deepEqual(events, ["added bob", "removed bob"]);
});

test("user administration: a user and what belongs to it are written both or neither", async () => {
  const { administration: users, records } = await open();
  const key = { kind: "registration-key", name: "k", value: "1" };
  await users.addUserWith({ name: "device" }, [key]);
  records.isFull = true;
  const more = users.addUserWith({ name: "other" }, [{ ...key, value: "2" }]);
  await assertRefused(more, "STORAGE_FULL", /full/);
  const kept = await records.readRecords();
  assert.deepEqual(kept.map(({ kind, name }) => `${kind} ${name}`).sort(), [
    "registration-key k",
    "user device",
  ]);
  assert.deepEqual(
    kept.find(({ kind }) => kind === "registration-key"),
    key,
  );
});

test("user administration: an import is all or nothing, and replaces only when asked", async () => {
  const { administration: users, records, events } = await open([ada]);
  await users.addUser({ name: "bob", password: "one", note: "old" });
  const bob: NewUser = { name: "bob", passwordHash: hashOf("new"), roles: ["r"] };
  const roles = [{ name: "r", rules: [{ allow: "both", filter: "r/#" }] }] as const;
  const given = { users: [{ name: "first" }, bob], roles };
  const before = await records.readRecords();
  await assertRefused(users.importIdentities(given, false), "USER_EXISTS", /"bob"/);
  const wrong: [typeof given, string, RegExp][] = [
    [{ users: [{ name: "x" }, { name: "x" }] as never, roles }, "USER_INVALID", /given twice/],
    [{ ...given, roles: [] as never }, "ROLE_UNKNOWN", /"r"/],
    [{ users: [{ name: "x" }, { name: "ada" }] as never, roles }, "USER_CONFIGURED", /"ada"/],
    [{ users: [{ name: "x", scramKeys: 1 }] as never, roles }, "USER_INVALID", /SCRAM keys/],
  ];
  for (const [identities, code, words] of wrong)
    await assertRefused(users.importIdentities(identities, true), code, words);
  assert.deepEqual(await records.readRecords(), before);
  events.length = 0;
  const outcome = await users.importIdentities(given, true);
  assert.deepEqual(outcome, { added: ["first", "r"], replaced: ["bob"] });
  assert.deepEqual(events, ["password bob", "added first", "rights bob"]);
  assert.equal(users.findUser("bob").note, undefined);
  events.length = 0;
  const exported = users.exportIdentities();
  await users.importIdentities(exported, true);
  assert.deepEqual(users.exportIdentities(), exported);
  assert.deepEqual(
    events.filter((event) => !event.startsWith("rights")),
    [],
  );
});

test("user administration: a newer hash replaces only the hash that it was made for", async () => {
  const { administration: users, directory, records, events, warnings } = await open();
  await users.addUser({ name: "bob", password: "one" });
  const stored = () => directory.storedUsers.get("bob")?.passwordHash;
  directory.rehashed("bob", hashOf("one"), hashOf("newer kind"));
  await users.setEnabled("bob", true);
  assert.equal(stored(), hashOf("newer kind"));
  const change = users.setPassword("bob", { password: "two" });
  directory.rehashed("bob", hashOf("newer kind"), hashOf("too late"));
  directory.rehashed("ghost", "x", "y");
  await change;
  await users.setEnabled("bob", true);
  assert.equal(stored(), hashOf("two"));
  records.isFull = true;
  directory.rehashed("bob", hashOf("two"), hashOf("newer"));
  await assertRefused(users.setEnabled("bob", true), "STORAGE_FULL", /full/);
  assert.deepEqual(warnings, ["the newer hash of a password could not be kept"]);
  assert.deepEqual(events, ["added bob", "password bob"]);
});

test("user administration: what is broken in the store is shown, changed by nobody, and can be removed", async () => {
  const records = new Records();
  const broken = [
    { kind: "user", name: "bob", value: "{" },
    { kind: "role", name: "r", value: "{}" },
  ];
  await records.writeRecords(broken);
  const directory = new UserDirectory({ configured: [], records: broken });
  const users = new UserAdministration(directory, records, {
    clock: { now: () => 1 },
    hashPassword: async (password) => hashOf(password),
    makeScramKeys: async (password) => keysOf(password),
  });
  const [bob] = users.listUsers();
  assert.equal(bob.isEnabled, false);
  assert.match(bob.note ?? "", /^broken in the store: it is not an object of JSON/);
  assert.deepEqual(users.listRoles(), [{ name: "r", rules: [], users: 0 }]);
  await assertRefused(users.setEnabled("bob", true), "USER_INVALID", /remove it and add it anew/);
  await assertRefused(users.grantToRole("r", { rules: [] }), "USER_INVALID", /import it anew/);
  await assertRefused(users.addUser({ name: "bob" }), "USER_EXISTS", /bob/);
  await users.removeUser("bob");
  await users.removeRole("r");
  assert.deepEqual(await records.readRecords(), []);
  assert.equal(directory.isEmpty, true);
});

test("user administration: nobody waits for the passwords of an import to be hashed", async () => {
  const { promise, resolve } = Promise.withResolvers<string>();
  const directory = new UserDirectory({ configured: [], records: [] });
  const users = new UserAdministration(directory, new MemoryStorage(), {
    clock: { now: () => 1000 },
    hashPassword: () => promise,
    makeScramKeys: async (password) => keysOf(password),
  });
  await users.addUser({ name: "lost" });
  const imported = users.importIdentities(
    { users: [{ name: "new", password: "x" }], roles: [] },
    true,
  );
  assert.equal((await users.setEnabled("lost", false)).isEnabled, false);
  resolve(hashOf("x"));
  assert.deepEqual((await imported).added, ["new"]);
});
