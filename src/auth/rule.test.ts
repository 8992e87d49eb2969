import assert from "node:assert/strict";
import { test } from "node:test";
import { decide } from "./rights.ts";
import { findMistakeInRule, type Rule, toRight, toRule } from "./rule.ts";

const rules: readonly Rule[] = [
  { allow: "publish", filter: "a/#" },
  { deny: "both", filter: "%u/+/%c" },
  { allow: "subscribe", filter: "#", qos: [0, 1] },
  { allow: "both", filter: "$SYS/#", qos: [2] },
  { deny: "publish", filter: "a", retain: true },
];

test("rules: those without mistakes become rights and rules again", () => {
  for (const rule of rules) {
    assert.equal(findMistakeInRule(rule), undefined, JSON.stringify(rule));
    assert.deepEqual(toRule(toRight(rule, "here", "there")), rule);
  }
});

test("rules: what would not do what its author meant is a mistake, said in words", () => {
  const mistakes: [unknown, RegExp][] = [
    [undefined, /^is not a rule such as/],
    ["a/#", /^is not a rule such as/],
    [[], /^is not a rule such as/],
    [{ filter: "a" }, /^needs either allow or deny/],
    [{ allow: "both", deny: "both", filter: "a" }, /^needs either allow or deny/],
    [{ allow: "write", filter: "a" }, /^needs either allow or deny/],
    [{ allow: true, filter: "a" }, /^needs either allow or deny/],
    [{ allow: "both" }, /^its filter is missing/],
    [{ allow: "both", filter: 7 }, /^its filter is missing, or not text/],
    [{ allow: "both", filter: "" }, /^its filter is empty/],
    [{ allow: "both", filter: "a+" }, /^its filter is not a topic filter/],
    [{ allow: "both", filter: "a\0" }, /^its filter is not a topic filter/],
    [{ allow: "both", filter: "\uD800" }, /^its filter is not valid Unicode/],
    [{ allow: "both", filter: "x".repeat(65_536) }, /^its filter has more than 65535 bytes/],
    [{ allow: "both", filter: "$share/g/a" }, /^its filter names a shared subscription/],
    [{ allow: "publish", filter: "$tstack/a" }, /^its filter is for subscribe only/],
    [{ allow: "both", filter: "a", qos: [] }, /^its qos is not a list/],
    [{ allow: "both", filter: "a", qos: 1 }, /^its qos is not a list/],
    [{ allow: "both", filter: "a", qos: [3] }, /^its qos is not a list/],
    [{ allow: "both", filter: "a", qos: [1, 1] }, /^its qos has a number twice/],
    [{ allow: "both", filter: "a", retain: 1 }, /^its retain is neither/],
    [{ allow: "subscribe", filter: "a", retain: true }, /^its retain is for publish/],
    [{ allow: "both", filter: "a", filtr: "a" }, /^has "filtr", which is not one of allow/],
  ];
  for (const [rule, expected] of mistakes) {
    assert.match(findMistakeInRule(rule) ?? "no mistake", expected, JSON.stringify(rule));
  }
});

test("rules: QoS and RETAIN decide which rule applies, and a refusal says which they would have to be", () => {
  const rights = [
    toRight({ deny: "publish", filter: "a/#", retain: true }, 'user "ada", rule 1', "t.yaml:7"),
    toRight({ allow: "both", filter: "a/#", qos: [0, 1] }, 'user "ada", rule 2'),
    toRight({ allow: "publish", filter: "b", retain: false }, 'role "x", rule 1'),
  ];
  const client = { clientIdentifier: "lamp", userName: "ada" };
  const table = [
    ["publish", "a/b", 1, false, true, /^user "ada", rule 2: allow both a\/# with QoS 0 or 1$/],
    ["publish", "a/b", 0, true, false, /rule 1: deny publish a\/# with RETAIN \(t\.yaml:7\)$/],
    ["will", "a/b", 0, true, false, /rule 1: deny publish/],
    [
      "publish",
      "a/b",
      2,
      false,
      false,
      /; user "ada", rule 2 is only for what is with QoS 0 or 1$/,
    ],
    ["subscribe", "a/+", 1, false, true, /rule 2/],
    ["subscribe", "a/+", 2, false, false, /no right of user "ada" allows to subscribe this; user/],
    ["publish", "b", 2, false, true, /^role "x", rule 1: allow publish b without RETAIN$/],
    ["publish", "b", 0, true, false, /role "x", rule 1 is only for what is without RETAIN$/],
    ["subscribe", "b", 0, false, false, /^no right of user "ada" allows to subscribe this$/],
    ["publish", "c", 0, false, false, /^no right of user "ada" allows to publish this$/],
  ] as const;
  for (const [action, topic, qos, retain, allowed, words] of table) {
    const decision = decide(rights, 'user "ada"', { client, action, topic, qos, retain });
    assert.equal(decision.allowed, allowed, `${action} ${topic} ${qos} ${retain}`);
    assert.match(decision.rule, words);
  }
});
