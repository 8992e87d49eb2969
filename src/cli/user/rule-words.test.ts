/** Rules as words: what is written is read back as the same rule, and what is wrong is said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Rule } from "../../admin/index.ts";
import { findMistakeInRule } from "../../auth/index.ts";
import { formatRule, isSameRule, parseRule } from "./rule-words.ts";

const readings: readonly (readonly [string, Rule])[] = [
  ["a/#", { allow: "both", filter: "a/#" }],
  ["allow publish a/b", { allow: "publish", filter: "a/b" }],
  ["publish a/b", { allow: "publish", filter: "a/b" }],
  ["deny a", { deny: "both", filter: "a" }],
  ["deny subscribe %u/+", { deny: "subscribe", filter: "%u/+" }],
  ["allow subscribe b qos 0,1", { allow: "subscribe", filter: "b", qos: [0, 1] }],
  [
    "allow publish a/b qos 0, 2 retain no",
    { allow: "publish", filter: "a/b", qos: [0, 2], retain: false },
  ],
  ["deny publish a retain yes", { deny: "publish", filter: "a", retain: true }],
  ['"allow"', { allow: "both", filter: "allow" }],
  ['"a room/light"', { allow: "both", filter: "a room/light" }],
  ['"a qos 1"', { allow: "both", filter: "a qos 1" }],
  ['deny publish "deny \\"x\\"" qos 1', { deny: "publish", filter: 'deny "x"', qos: [1] }],
];

for (const [words, rule] of readings) {
  test(`${words} is read`, () => {
    assert.deepEqual(parseRule(words), rule);
    assert.ok(isSameRule(parseRule(formatRule(rule)), rule), formatRule(rule));
  });
}

test("the plain case is printed plainly", () => {
  assert.equal(formatRule({ allow: "both", filter: "a/#" }), "a/#");
  assert.equal(
    formatRule({ allow: "publish", filter: "a", qos: [0, 1] }),
    "allow publish a qos 0,1",
  );
  assert.equal(formatRule({ allow: "both", filter: "a room/#" }), '"a room/#"');
  assert.equal(formatRule({ allow: "both", filter: "deny" }), '"deny"');
  assert.equal(
    formatRule({ deny: "publish", filter: "a qos 1", qos: [1] }),
    'deny publish "a qos 1" qos 1',
  );
  assert.equal(formatRule({ allow: "both", filter: "a\u001b[2J\u009b" }), '"a\\u001b[2J\\u009b"');
});

const mistakes: readonly (readonly [string, RegExp])[] = [
  ["", /filter is empty/],
  ["a/#/b", /not a topic filter/],
  ["deny publish $SYS/#", /nobody may publish to \$SYS/],
  ["$share/g/a", /shared subscription/],
  ["allow subscribe a retain yes", /retain is for publish/],
  ["allow publish a qos 1,1", /qos has a number twice/],
  ['allow "a\\x"', /written as in JSON/],
  // A denial that is mistyped, or without quotes around it, must not become a right.
  ["deny pulish a/b", /"pulish a\/b" is no filter.*in double quotes/],
  ["allow publish living room/#", /"living room\/#" is no filter/],
  ["publish a/b qos 3", /"a\/b qos 3" is no filter/],
  ["deny", /"deny" is no filter.*one argument/],
  ["publish", /"publish" is no filter/],
  ["qos", /"qos" is no filter/],
];

for (const [words, message] of mistakes) {
  test(`"${words}" is refused with the reason`, () => {
    assert.throws(() => parseRule(words), { name: "UsageError", message });
  });
}

test("--deny with allow in its words contradicts itself", () => {
  assert.throws(() => parseRule("allow publish a", "deny"), { message: /contradicts/ });
  assert.deepEqual(parseRule("publish a", "deny"), { deny: "publish", filter: "a" });
});

test("every rule is printed as words that are read as the same rule", () => {
  const word = fc.constantFrom(
    "allow",
    "deny",
    "both",
    "publish",
    "qos",
    "retain",
    "yes",
    "0,1",
    " ",
  );
  const odd = fc.constantFrom('"', "\\", "\u009b", "\n", "\t", "%u", "+", "#", "/", "日本", "a b");
  const filter = fc
    .array(fc.oneof(word, odd, fc.string({ maxLength: 5 })), { minLength: 1, maxLength: 8 })
    .map((parts) => parts.join(""));
  const action = fc.constantFrom("publish", "subscribe", "both");
  const rule = fc.record(
    {
      filter,
      allow: action,
      deny: action,
      qos: fc.uniqueArray(fc.constantFrom(0, 1, 2), { minLength: 1 }),
      retain: fc.boolean(),
    },
    { requiredKeys: ["filter"] },
  ) as fc.Arbitrary<Rule>;
  let counted = 0;
  fc.assert(
    fc.property(rule, (any) => {
      if (findMistakeInRule(any) !== undefined) return;
      counted++;
      const words = formatRule(any);
      assert.ok(isSameRule(parseRule(words), any), words);
      assert.doesNotMatch(words, /\p{Cc}/u);
    }),
    { numRuns: 20_000 },
  );
  assert.ok(counted > 500, `${counted}`);
});
