import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { explain, listWhoCan } from "./explain.ts";
import { Grant } from "./grant.ts";
import { decide, type Right } from "./rights.ts";
import type { Rule } from "./rule.ts";
import { type ConfiguredUser, UserDirectory } from "./user-directory.ts";

const ada: ConfiguredUser = {
  name: "ada",
  credential: { password: "secret" },
  rights: [
    { effect: "allow", action: "both", filter: "home/#", source: "rights[0]", place: "t.yaml:4" },
  ],
  source: "users[0] (t.yaml:3)",
};
const anonymousRights: Right[] = [
  { effect: "allow", action: "subscribe", filter: "news/#", source: "anonymous.rights[0]" },
];
const anonymous = () => new Grant("anonymous clients", () => anonymousRights);
const refused = () => undefined;

function user(name: string, rules: readonly Rule[], more: object = {}) {
  const value = { roles: [], rules, isEnabled: true, createdAt: 1, ...more };
  return { kind: "user", name, value: JSON.stringify(value) };
}

const directory = new UserDirectory({
  configured: [ada],
  records: [
    { kind: "role", name: "operator", value: '{"rules":[{"allow":"subscribe","filter":"#"}]}' },
    user("bob", [{ deny: "both", filter: "home/secret" }], { roles: ["operator"] }),
    user("cyd", [{ allow: "both", filter: "%u/#", qos: [0] }], { isEnabled: false }),
    user("dan", [{ allow: "both", filter: "home/%c/#" }]),
    user("lamp", [{ allow: "both", filter: "home/%c/#" }]),
    { kind: "user", name: "eve", value: "{" },
  ],
});

test("explain: the deciding rule with its user, role or file and place", () => {
  const table = [
    ["ada", "publish", "home/x", "rights[0]: allow both home/# (t.yaml:4)"],
    ["bob", "subscribe", "home/x", 'role "operator", rule 1: allow subscribe #'],
    ["bob", "subscribe", "home/+", 'user "bob", rule 1: deny both home/secret'],
    ["bob", "subscribe", "$share/g/x", 'role "operator", rule 1: allow subscribe #'],
    ["bob", "publish", "x", 'no right of user "bob" allows to publish this'],
    ["ada", "publish", "$SYS/x", "nobody may publish to $SYS or $tstack: they are the broker's"],
    ["lamp", "publish", "home/lamp/on", 'user "lamp", rule 1: allow both home/%c/#'],
    [undefined, "subscribe", "news/#", "anonymous.rights[0]: allow subscribe news/#"],
  ] as const;
  for (const [name, action, topic, rule] of table) {
    const question = { user: name, action, topic };
    const { allowed } = explain(question, { directory, anonymous });
    assert.deepEqual(explain(question, { directory, anonymous }), { allowed, rule });
    assert.equal(allowed, rule.includes(": allow"), rule);
  }
});

test("explain: the client identifier, QoS and RETAIN may be given", () => {
  const asked = { directory, anonymous: refused };
  const dan = { user: "dan", action: "publish", topic: "home/door/on" } as const;
  assert.equal(explain(dan, asked).allowed, false);
  assert.equal(explain({ ...dan, clientIdentifier: "door" }, asked).allowed, true);
  const cyd = { user: "cyd", action: "publish", topic: "cyd/x" } as const;
  assert.equal(explain(cyd, asked).allowed, true);
  assert.match(explain({ ...cyd, qos: 1 }, asked).rule, /rule 1 is only for what is with QoS 0/);
});

test("explain: says what keeps a user out altogether, and what cannot be asked", () => {
  const asked = { directory, anonymous: refused };
  const x = { action: "publish", topic: "x" } as const;
  const disabled = explain({ ...x, user: "cyd" }, asked);
  assert.equal(disabled.warning, 'user "cyd" is disabled and cannot connect');
  const broken = explain({ ...x, user: "eve" }, asked);
  assert.deepEqual(
    [broken.allowed, broken.warning],
    [false, 'user "eve" is broken in the store and cannot connect'],
  );
  assert.deepEqual(explain(x, asked), {
    allowed: false,
    rule: "anonymous clients are not accepted",
  });
  assert.throws(() => explain({ ...x, user: "ghost" }, asked), { code: "USER_UNKNOWN" });
  for (const topic of ["", "a/+", "#", "a\0", "\uD800", "x".repeat(65_536)]) {
    assert.throws(() => explain({ ...x, user: "ada", topic }, asked), { code: "USER_INVALID" });
  }
  for (const topic of ["", "a+", "#/a", "$share/a", "$share//a"]) {
    const question = { action: "subscribe", user: "ada", topic } as const;
    assert.throws(() => explain(question, asked), { code: "USER_INVALID" });
    assert.throws(() => listWhoCan(question, asked), { code: "USER_INVALID" });
  }
});

test("who can: everyone with the rule, and under which conditions", () => {
  const asked = { directory, anonymous };
  assert.deepEqual(listWhoCan({ action: "subscribe", topic: "news/x" }, asked), [
    { rule: "anonymous.rights[0]: allow subscribe news/#" },
    { user: "bob", rule: 'role "operator", rule 1: allow subscribe #' },
  ]);
  const condition = 'only with the client identifier "lamp"';
  assert.deepEqual(listWhoCan({ action: "publish", topic: "home/lamp/on" }, asked), [
    { user: "ada", rule: "rights[0]: allow both home/# (t.yaml:4)" },
    { user: "dan", rule: 'user "dan", rule 1: allow both home/%c/#', condition },
    { user: "lamp", rule: 'user "lamp", rule 1: allow both home/%c/#', condition },
  ]);
  assert.deepEqual(listWhoCan({ action: "publish", topic: "cyd/1" }, asked), [
    {
      user: "cyd",
      rule: 'user "cyd", rule 1: allow both %u/# with QoS 0',
      condition: "it is disabled and cannot connect",
    },
  ]);
  assert.deepEqual(listWhoCan({ action: "publish", topic: "cyd/1", qos: 1 }, asked), []);
});

const level = fc.constantFrom("a", "b", "xa", "ab", "bb");
const part = fc.oneof(level, fc.constantFrom("+", "%c", "%u", "x%c", "%c%c", "%u%c"));
const rule = fc.record({
  effect: fc.constantFrom("allow", "allow", "deny"),
  action: fc.constant("both"),
  filter: fc.array(part, { minLength: 1, maxLength: 2 }).map((parts) => parts.join("/")),
  source: fc.constant("rule"),
}) as fc.Arbitrary<Right>;

test("who can: finds a user if and only if some client identifier lets it", () => {
  const counts = { free: 0, bound: 0, nobody: 0 };
  const identifiers = ["a", "b", "xa", "ab", "bb", "other"];
  const property = fc.property(
    fc.array(rule, { minLength: 1, maxLength: 5 }),
    fc.array(level, { minLength: 1, maxLength: 2 }).map((levels) => levels.join("/")),
    (rights, topic) => {
      const configured = [{ name: "a", credential: undefined, rights, source: "here" }];
      const few = new UserDirectory({ configured, records: [] });
      const asked = { directory: few, anonymous: refused };
      const [found] = listWhoCan({ action: "publish", topic }, asked);
      const ways = identifiers.filter((clientIdentifier) => {
        const client = { clientIdentifier, userName: "a" };
        const request = { client, action: "publish", topic, qos: 0, retain: false } as const;
        return decide(rights, "a", request).allowed;
      });
      assert.equal(found !== undefined, ways.length > 0);
      assert.equal(found?.condition === undefined, ways.includes("other") || ways.length === 0);
      if (found?.condition !== undefined) {
        for (const way of ways) assert.ok(found.condition.includes(`"${way}"`), found.condition);
      }
      counts[found === undefined ? "nobody" : found.condition === undefined ? "free" : "bound"]++;
    },
  );
  fc.assert(property, { numRuns: 5000 });
  assert.ok(Math.min(...Object.values(counts)) > 300, JSON.stringify(counts));
});
