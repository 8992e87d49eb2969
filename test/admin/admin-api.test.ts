/** The API over its real socket with the real store: what each route does, and what each refusal is. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Bans, RunningBroker } from "../../src/admin/index.ts";
import { TstackError } from "../../src/base/index.ts";
import { AdminFolder } from "./admin-folder.ts";

const bans: Bans = {
  listBans: () => [{ subject: "2001:db8:0:1", kind: "address", failures: 7, bannedUntil: 1 }],
  liftBan(subject) {
    if (subject !== "2001:db8:0:1") throw new TstackError("BAN_UNKNOWN", `no ban of ${subject}`);
  },
};
const client = { clientIdentifier: "c1", userName: "ada", isConnected: true };
const broker: RunningBroker = { clients: (name) => (name === "ada" ? [client] : []) };

let folder: AdminFolder;
before(async () => {
  folder = await AdminFolder.open({ bans, broker });
});
after(() => folder.close());

function codeOf(body: unknown): unknown {
  return (body as { code?: unknown } | undefined)?.code;
}

test("a user is added, shown with its sessions, changed and removed", async () => {
  const rules = [{ allow: "both", filter: "ada/#" }];
  const added = await folder.ask("POST", "/v1/users", { name: "ada", password: "x", rules });
  assert.equal(added.status, 201);
  const shown = await folder.ask("GET", "/v1/users/ada");
  assert.deepEqual(shown, { status: 200, body: { ...(added.body as object), clients: [client] } });
  const again = await folder.ask("POST", "/v1/users", { name: "ada" });
  assert.deepEqual([again.status, codeOf(again.body)], [409, "USER_EXISTS"]);

  const more = { rules: [{ deny: "publish", filter: "ada/x", qos: [0, 1], retain: false }], at: 0 };
  const granted = await folder.ask("POST", "/v1/users/ada/rights", more);
  assert.deepEqual((granted.body as { rules: unknown }).rules, [...more.rules, ...rules]);
  const revoking = { filters: ["ada/x"] };
  const revoked = await folder.ask("POST", "/v1/users/ada/rights/revoke", revoking);
  assert.deepEqual((revoked.body as { rules: unknown }).rules, rules);
  const missing = await folder.ask("POST", "/v1/users/ada/rights/revoke", revoking);
  assert.deepEqual([missing.status, codeOf(missing.body)], [404, "RIGHT_UNKNOWN"]);

  const disabled = await folder.ask("PUT", "/v1/users/ada/enabled", { isEnabled: false });
  assert.equal((disabled.body as { isEnabled: unknown }).isEnabled, false);
  const password = await folder.ask("PUT", "/v1/users/ada/password", {
    password: "y",
    scram: true,
  });
  assert.equal((password.body as { hasScram: unknown }).hasScram, true);

  assert.deepEqual(await folder.ask("DELETE", "/v1/users/ada"), { status: 204, body: undefined });
  const gone = await folder.ask("DELETE", "/v1/users/ada");
  assert.deepEqual([gone.status, codeOf(gone.body)], [404, "USER_UNKNOWN"]);
});

test("a role is added, given, kept while it is in use, and removed", async () => {
  const rules = [{ allow: "subscribe", filter: "#" }];
  assert.equal((await folder.ask("POST", "/v1/roles", { name: "reader", rules })).status, 201);
  await folder.ask("POST", "/v1/users", { name: "rita", roles: ["reader"] });
  const role = { name: "reader", rules, users: 1 };
  assert.deepEqual((await folder.ask("GET", "/v1/roles")).body, [role]);
  const inUse = await folder.ask("DELETE", "/v1/roles/reader");
  assert.deepEqual([inUse.status, codeOf(inUse.body)], [409, "ROLE_IN_USE"]);
  await folder.ask("POST", "/v1/users/rita/rights/revoke", { roles: ["reader"] });
  assert.equal((await folder.ask("DELETE", "/v1/roles/reader")).status, 204);
  assert.equal((await folder.ask("GET", "/v1/roles/reader")).status, 404);
  await folder.ask("DELETE", "/v1/users/rita");
});

test("explain and who-can answer, and are no change for the log", async () => {
  await folder.ask("POST", "/v1/users", {
    name: "eve",
    rules: [{ allow: "publish", filter: "e/%c" }],
  });
  const lines = folder.logged.length;
  const question = { user: "eve", action: "publish", topic: "e/dev", clientIdentifier: "dev" };
  const explained = (await folder.ask("POST", "/v1/explain", question)).body;
  assert.equal((explained as { allowed: unknown }).allowed, true);
  const who = (await folder.ask("POST", "/v1/who-can", { action: "publish", topic: "e/x" })).body;
  assert.equal((who as { user: unknown }[])[0].user, "eve");
  const unknown = await folder.ask("POST", "/v1/explain", { ...question, user: "nobody" });
  assert.equal(unknown.status, 404);
  assert.equal(folder.logged.length, lines);
  await folder.ask("DELETE", "/v1/users/eve");
});

test("bans are listed and lifted; without a broker there are none to ask for", async () => {
  const list = (await folder.ask("GET", "/v1/bans")).body;
  assert.deepEqual(list, bans.listBans());
  assert.equal((await folder.ask("DELETE", "/v1/bans/2001%3Adb8%3A0%3A1")).status, 204);
  assert.equal((await folder.ask("DELETE", "/v1/bans/ada")).status, 404);
  const atRest = await AdminFolder.open();
  try {
    const answer = await atRest.ask("GET", "/v1/bans");
    assert.deepEqual([answer.status, codeOf(answer.body)], [409, "BROKER_NOT_RUNNING"]);
  } finally {
    await atRest.close();
  }
});

test("what was exported comes in again, with hashes, all or nothing", async () => {
  await folder.ask("POST", "/v1/users", { name: "ida", password: "x", scram: true });
  const { body } = await folder.ask("GET", "/v1/identities");
  assert.match(JSON.stringify(body), /argon2id.*storedKey/);
  const refused = await folder.ask("POST", "/v1/identities", body);
  assert.deepEqual([refused.status, codeOf(refused.body)], [409, "USER_EXISTS"]);
  const replaced = await folder.ask("POST", "/v1/identities?replace=true", body);
  assert.deepEqual(replaced, { status: 200, body: { added: [], replaced: ["ida"] } });
  assert.deepEqual((await folder.ask("GET", "/v1/identities")).body, body);
  const half = { users: [{ name: "jon" }, { name: "kim", passwordHash: "wrong" }], roles: [] };
  const hash = await folder.ask("POST", "/v1/identities", half);
  assert.deepEqual([hash.status, codeOf(hash.body)], [400, "PASSWORD_HASH_INVALID"]);
  assert.equal((await folder.ask("GET", "/v1/users/jon")).status, 404);
  await folder.ask("DELETE", "/v1/users/ida");
});

test("a device registers with a key, until that is revoked", async () => {
  const made = (await folder.ask("POST", "/v1/registration-keys", { name: "workshop" })).body;
  const { key } = made as { key: string };
  const registered = await folder.ask("POST", "/v1/registrations", { key });
  assert.equal(registered.status, 201);
  await folder.ask("POST", "/v1/registration-keys/workshop/revoke");
  const refused = await folder.ask("POST", "/v1/registrations", { key });
  assert.deepEqual([refused.status, codeOf(refused.body)], [403, "REGISTRATION_KEY_REFUSED"]);
  assert.equal(folder.logged.join().includes(key), false);
});

test("neither passwords nor hashes are in an answer or in the log, but in the export", async () => {
  const secret = "correct-horse-battery";
  const { body: exported } = await (async () => {
    await folder.ask("POST", "/v1/users", { name: "sam", password: secret, scram: true });
    return folder.ask("GET", "/v1/identities");
  })();
  const sam = (exported as { users: { name: string; passwordHash: string }[] }).users.find(
    ({ name }) => name === "sam",
  );
  assert.ok(sam?.passwordHash.startsWith("$argon2id$"));
  const answers = [
    await folder.ask("GET", "/v1/users"),
    await folder.ask("GET", "/v1/users/sam"),
    await folder.ask("PUT", "/v1/users/sam/password", { password: secret }),
    await folder.ask("PUT", "/v1/users/sam/password", { passwordHash: secret }),
    await folder.ask("POST", "/v1/users", { name: "sam", password: secret }),
    await folder.ask("POST", "/v1/users", {
      name: "tom",
      password: secret,
      [secret.slice(0, 3)]: 1,
    }),
    await folder.askRaw("POST", "/v1/users", `{"name":"tom","password":"${secret}"`),
    await folder.ask("POST", "/v1/users", { name: 5, password: secret }),
  ];
  const told = JSON.stringify(answers) + folder.logged.join("\n");
  assert.equal(told.includes(secret), false);
  assert.doesNotMatch(told, /argon2id\$v=19\$m=/);
  assert.match(folder.logged.join("\n"), /API: addUser "sam"/);
  await folder.ask("DELETE", "/v1/users/sam");
});

test("an error that nobody foresaw is 500 without its words, which are in the log", async () => {
  const broken = await AdminFolder.open({
    wrap: (users) => ({
      ...users,
      listUsers() {
        throw new Error("the inner workings");
      },
      findUser() {
        throw new TstackError("STORAGE_FULL", "the disk is full");
      },
    }),
  });
  try {
    const answer = await broken.ask("GET", "/v1/users");
    assert.deepEqual([answer.status, codeOf(answer.body)], [500, "INTERNAL_ERROR"]);
    assert.equal(JSON.stringify(answer.body).includes("inner workings"), false);
    assert.match(broken.logged.join("\n"), /inner workings/);
    const full = await broken.ask("GET", "/v1/users/x");
    assert.deepEqual(full, {
      status: 507,
      body: { code: "STORAGE_FULL", message: "the disk is full" },
    });
  } finally {
    await broken.close();
  }
});
