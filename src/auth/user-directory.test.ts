import assert from "node:assert/strict";
import { test } from "node:test";
import { Grant } from "./grant.ts";
import { parsePasswordHash } from "./password-hash.ts";
import type { Right } from "./rights.ts";
import { RightsAuthorizer } from "./rights-authorizer.ts";
import type { UserChange } from "./user-change.ts";
import { type ConfiguredUser, UserDirectory } from "./user-directory.ts";

type AuthorizationRequest = Parameters<RightsAuthorizer["authorize"]>[0];

const hash = "$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA";
const otherHash = hash.replace("AAAA", "BBBB");
const everything: Right = { effect: "allow", action: "both", filter: "#", source: "rights[0]" };
const ada: ConfiguredUser = {
  name: "ada",
  credential: { password: "secret" },
  rights: [everything],
  source: "users[0] (tserve.yaml:3)",
};
const plainUser = { roles: [], rules: [], isEnabled: true, createdAt: 1 };

function record(kind: string, name: string, value: unknown) {
  return { kind, name, value: typeof value === "string" ? value : JSON.stringify(value) };
}

function ask(directory: UserDirectory, userName: string | undefined, topic: string, grant?: Grant) {
  const client = {
    clientIdentifier: "c",
    userName,
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:1",
    listener: "mqtt://127.0.0.1:1883",
    grant,
  } as const;
  const request: AuthorizationRequest = {
    client,
    action: "publish",
    topic,
    qos: 0,
    retain: false,
  };
  return new RightsAuthorizer(directory).authorize(request);
}

test("user directory: users of the configuration and of the store are found, each with its source", () => {
  const records = [
    record("user", "bob", { ...plainUser, passwordHash: hash, isEnabled: false }),
    record("registration-key", "x", "not for the directory"),
  ];
  const directory = new UserDirectory({ configured: [ada], records });
  assert.deepEqual(directory.find("ada"), {
    name: "ada",
    credential: { password: "secret" },
    scram: undefined,
    isEnabled: true,
    source: "users[0] (tserve.yaml:3)",
  });
  assert.deepEqual(directory.find("bob"), {
    name: "bob",
    credential: { hash: parsePasswordHash(hash) },
    scram: undefined,
    isEnabled: false,
    source: "the broker's store",
  });
  for (const name of ["eve", "", "__proto__", "x"]) {
    assert.equal(directory.find(name), undefined, name);
    assert.equal(directory.rightsOf(name), undefined, name);
  }
  assert.equal(directory.isEmpty, false);
  assert.equal(new UserDirectory({ configured: [], records: [] }).isEmpty, true);
});

test("user directory: a name in both is the configuration's, and that is told", () => {
  const warnings: object[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (fields: object) => warnings.push(fields),
    error() {},
  };
  const records = [record("user", "ada", { ...plainUser, passwordHash: hash })];
  const directory = new UserDirectory({ configured: [ada], records, log });
  assert.deepEqual(directory.find("ada")?.credential, { password: "secret" });
  assert.equal(ask(directory, "ada", "x").rule, "rights[0]: allow both #");
  assert.deepEqual(warnings, [{ user: "ada" }]);
});

test("user directory: rules of a user come before those of its roles, in order, and are named", () => {
  const records = [
    record("role", "reader", { rules: [{ allow: "both", filter: "news/#" }] }),
    record("role", "guard", { rules: [{ deny: "both", filter: "news/x" }] }),
    record("user", "bob", {
      ...plainUser,
      roles: ["guard", "reader"],
      rules: [{ allow: "both", filter: "news/x/1" }],
    }),
    record("user", "cyd", { ...plainUser, roles: ["reader", "guard"] }),
    record("user", "dan", { ...plainUser, roles: ["reader"] }),
    record("user", "eve", { ...plainUser, roles: ["reader"] }),
  ];
  const directory = new UserDirectory({ configured: [], records });
  const table = [
    ["bob", "news/x/1", true, 'user "bob", rule 1: allow both news/x/1'],
    ["bob", "news/x", false, 'role "guard", rule 1: deny both news/x'],
    ["bob", "news/y", true, 'role "reader", rule 1: allow both news/#'],
    ["cyd", "news/x", true, 'role "reader", rule 1: allow both news/#'],
    ["bob", "y", false, 'no right of user "bob" allows to publish this'],
    ["ghost", "y", false, 'there is no user "ghost" any more'],
    [undefined, "y", false, "nothing gives rights to a client without a user name"],
  ] as const;
  for (const [user, topic, allowed, rule] of table)
    assert.deepEqual(ask(directory, user, topic), { allowed, rule });
  assert.equal(directory.rightsOf("dan")?.rights, directory.rightsOf("eve")?.rights);
});

test("user directory: rights that came with the login count instead of those of the name", () => {
  const directory = new UserDirectory({ configured: [ada], records: [] });
  const grant = new Grant('the token of "ada"', () => []);
  const rule = 'no right of the token of "ada" allows to publish this';
  assert.deepEqual(ask(directory, "ada", "x", grant), { allowed: false, rule });
  const open = new Grant("anonymous clients", () => [everything]);
  assert.equal(ask(directory, undefined, "x", open).allowed, true);
});

test("user directory: what cannot be read lets nobody in, allows nothing more, and is told without secrets", () => {
  const told: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn() {},
    error: (fields: object, message: string) => told.push(JSON.stringify(fields) + message),
  };
  const broken = [
    '{"passwordHash": "secret-hash',
    "null",
    '"text"',
    {},
    { ...plainUser, passwordHash: "secret-hash" },
    { ...plainUser, rules: [{ allow: "both", filter: "#", until: "newer versions" }] },
    { ...plainUser, rules: "#" },
    { ...plainUser, roles: [7] },
    { ...plainUser, isEnabled: "yes" },
    { ...plainUser, createdAt: "today" },
    { ...plainUser, scramKeys: { salt: "secret-hash" } },
  ];
  const directory = new UserDirectory({
    configured: [],
    records: [
      ...broken.map((value, index) => record("user", `broken-${index}`, value)),
      record("user", "bad\nname", plainUser),
      record("role", "guard", { rules: [{ deny: "everything", filter: "x" }] }),
      record("role", "all", { rules: [{ allow: "both", filter: "#" }] }),
      record("user", "bob", {
        ...plainUser,
        rules: [{ allow: "both", filter: "own" }],
        roles: ["guard", "all"],
      }),
      record("user", "cyd", { ...plainUser, roles: ["missing", "all"] }),
    ],
    log,
  });
  for (const index of broken.keys()) {
    const user = directory.find(`broken-${index}`);
    assert.deepEqual([user?.isEnabled, user?.credential], [false, undefined], `${index}`);
    assert.equal(ask(directory, `broken-${index}`, "x").allowed, false);
  }
  assert.equal(told.length, broken.length + 2);
  assert.equal(told.filter((text) => text.includes("secret-hash")).length, 0);
  assert.match(told[5], /broken-5.*has \\"until\\".*cannot log in until/);
  assert.equal(ask(directory, "bob", "own").allowed, true);
  const refusal = ask(directory, "bob", "x");
  assert.match(refusal.rule, /no right of user "bob" \(its role "guard" is missing or broken\)/);
  assert.equal(ask(directory, "cyd", "x").allowed, false);
});

test("user directory: a change is in force when it is told, and says who is concerned and how", () => {
  const user = { name: "bob", ...plainUser, roles: ["r"], passwordHash: hash };
  const directory = new UserDirectory({
    configured: [ada],
    records: [record("user", "bob", user), record("role", "r", { rules: [] })],
  });
  const told: [UserChange["kind"], string[], boolean][] = [];
  directory.onChange(() => {
    throw new Error("a listener that fails keeps nothing from the others");
  });
  const stop = directory.onChange(({ kind, userNames }) =>
    told.push([kind, [...userNames], directory.find("bob")?.isEnabled ?? false]),
  );
  const apply = (change: Parameters<UserDirectory["apply"]>[0]) => {
    const { generation } = directory;
    told.length = 0;
    directory.apply(change);
    return [[...told], directory.generation !== generation];
  };
  const users = (...[entry]: [string, typeof user | undefined][]) => ({ users: new Map([entry]) });
  assert.deepEqual(apply(users(["bob", user])), [[], false]);
  assert.deepEqual(
    apply({ ...users(["bob", { ...user, passwordHash: otherHash }]), isRehash: true }),
    [[], false],
  );
  assert.deepEqual(apply(users(["bob", user])), [[["password", ["bob"], true]], false]);
  const disabled = { ...user, isEnabled: false };
  assert.deepEqual(apply(users(["bob", disabled])), [[["disabled", ["bob"], false]], false]);
  assert.deepEqual(apply(users(["bob", user])), [[], false]);
  assert.deepEqual(apply(users(["bob", { ...user, roles: [] }])), [
    [["rights", ["bob"], true]],
    true,
  ]);
  assert.deepEqual(apply(users(["bob", user])), [[["rights", ["bob"], true]], true]);
  const role = { name: "r", rules: [{ allow: "both", filter: "x" }] } as const;
  assert.equal(ask(directory, "bob", "x").allowed, false);
  assert.deepEqual(apply({ roles: new Map([["r", role]]) }), [[["rights", ["bob"], true]], true]);
  assert.equal(ask(directory, "bob", "x").allowed, true);
  const both = { ...users(["bob", user]), roles: new Map([["r", role]]) };
  assert.deepEqual(apply(both), [[["rights", ["bob"], true]], true]);
  assert.deepEqual(apply(users(["bob", undefined])), [[["removed", ["bob"], false]], true]);
  // A token may have let one of that name in already.
  const kinds = apply(users(["bob", disabled]))[0] as unknown[][];
  assert.deepEqual(kinds, [
    ["disabled", ["bob"], false],
    ["added", ["bob"], false],
  ]);
  apply(users(["bob", undefined]));
  assert.deepEqual(apply(users(["bob", user])), [[["added", ["bob"], true]], true]);
  // The one of the configuration counts, so nothing has changed for anybody.
  assert.deepEqual(apply(users(["ada", { ...user, name: "ada" }])), [[], false]);
  stop();
  assert.deepEqual(apply(users(["bob", undefined])), [[], true]);
});
