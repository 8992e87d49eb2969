import assert from "node:assert/strict";
import { test } from "node:test";
import { ReasonCode } from "../base/index.ts";
import { parsePasswordHash } from "./password-hash.ts";
import type { Right } from "./rights.ts";
import { type User, UserList } from "./user-list.ts";

type AuthenticationRequest = Parameters<UserList["authenticate"]>[0];

const everything: Right = {
  effect: "allow",
  action: "both",
  filter: "#",
  source: "users[0].rights[0]",
};
const ada: User = {
  name: "ada",
  credential: { password: "secret" },
  rights: [everything],
  source: "users[0] (tserve.yaml:3)",
};
const bob: User = {
  name: "bob",
  credential: {
    hash: parsePasswordHash("$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA"),
  },
  rights: [],
  source: "users[1] (tserve.yaml:7)",
};

const connection = {
  clientIdentifier: "c",
  protocolVersion: 5,
  remoteAddress: "127.0.0.1:50000",
  listener: "mqtt://127.0.0.1:1883",
} as const;

function login(userName?: string, password?: string): AuthenticationRequest {
  const bytes = password === undefined ? undefined : Buffer.from(password);
  return { ...connection, userName, password: bytes };
}

test("user list: a right password lets in under the user's name", async () => {
  const users = new UserList({ users: [ada, bob] });
  assert.deepEqual(await users.authenticate(login("ada", "secret")), {
    allowed: true,
    userName: "ada",
    rule: 'user "ada", users[0] (tserve.yaml:3)',
  });
});

test("user list: wrong, missing and empty passwords and unknown users are one and the same outside", async () => {
  const users = new UserList({ users: [ada, bob] });
  for (const [name, password, rule] of [
    ["ada", "wrong", /^wrong password for user "ada"/],
    ["ada", "", /^no password for user "ada"/],
    ["ada", undefined, /^no password for user "ada"/],
    ["bob", "secret", /^wrong password for user "bob"/],
    ["eve", "secret", /^there is no such user$/],
    ["", "secret", /^there is no such user$/],
  ] as const) {
    const result = await users.authenticate(login(name, password));
    assert.ok(!result.allowed, name);
    assert.equal(result.reasonCode, ReasonCode.badUserNameOrPassword);
    assert.match(result.rule, rule);
  }
});

test("user list: anonymous clients are refused unless they have rights", async () => {
  const closed = await new UserList({ users: [ada] }).authenticate(login());
  assert.ok(!closed.allowed);
  assert.equal(closed.reasonCode, ReasonCode.notAuthorized);

  const anonymous = { rights: [everything], source: "anonymous clients are allowed" };
  const open = new UserList({ users: [ada], anonymous });
  const expected = { allowed: true, userName: undefined, rule: "anonymous clients are allowed" };
  assert.deepEqual(await open.authenticate(login()), expected);
  // A name that is given must be proven all the same.
  assert.equal((await open.authenticate(login("eve", "x"))).allowed, false);
});

test("user list: without users a name is not checked and not believed", async () => {
  const anonymous = { rights: [everything], source: "no users are configured" };
  const result = await new UserList({ users: [], anonymous }).authenticate(login("ada", "x"));
  assert.ok(result.allowed);
  assert.equal(result.userName, undefined);
  assert.match(result.rule, /not checked/);
});

test("user list: too many at once are told to come back", async () => {
  const users = new UserList({ users: [ada] }, { verificationsMax: 1, waitingMax: 0 });
  const [first, second] = await Promise.all([
    users.authenticate(login("ada", "secret")),
    users.authenticate(login("ada", "secret")),
  ]);
  assert.equal(first.allowed, true);
  assert.ok(!second.allowed);
  assert.equal(second.reasonCode, ReasonCode.serverBusy);
});

test("user list: rights are those of the user, of anonymous clients, or none", () => {
  const anonymous = {
    rights: [{ ...everything, filter: "open/#", source: "anonymous.rights[0]" }],
    source: "anonymous clients are allowed",
  };
  const users = new UserList({ users: [ada, bob], anonymous });
  const ask = (userName: string | undefined, topic: string) => {
    const client = { ...connection, userName };
    return users.authorize({ client, action: "publish", topic, qos: 0, retain: false });
  };
  assert.equal(ask("ada", "x").allowed, true);
  assert.match(ask("bob", "x").rule, /^no right of user "bob", users\[1\] \(tserve.yaml:7\)/);
  assert.equal(ask(undefined, "open/x").allowed, true);
  assert.match(ask(undefined, "x").rule, /^no right of anonymous clients/);
  assert.equal(ask("gone", "x").allowed, false);
});
