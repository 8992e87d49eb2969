import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesFilter } from "../topics/index.ts";
import { decide, findMistakeInRight, type Right } from "./rights.ts";

type AuthorizationRequest = Parameters<typeof decide>[2];

interface Asked {
  readonly action: AuthorizationRequest["action"];
  readonly topic: string;
  readonly clientIdentifier?: string;
  readonly userName?: string;
}

function ask(rights: readonly Right[], asked: Asked) {
  const { action, topic, clientIdentifier = "lamp", userName = "ada" } = asked;
  const client = {
    clientIdentifier,
    userName,
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:50000",
    listener: "mqtt://127.0.0.1:1883",
  } as const;
  return decide(rights, "users[0] ada", { client, action, topic, qos: 0, retain: false });
}

/** `deny publish a/#` as a right, so that tables can be read. */
function readRights(lines: readonly string[]): Right[] {
  return lines.map((line, index) => {
    const [effect, action, filter] = line.split(" ") as [Right["effect"], Right["action"], string];
    return { effect, action, filter, source: `users[0].rights[${index}]` };
  });
}

const table: [rights: string[], asked: string, allowed: boolean][] = [
  // The action must be the right's.
  [["allow publish a/b"], "publish a/b", true],
  [["allow publish a/b"], "will a/b", true],
  [["allow publish a/b"], "subscribe a/b", false],
  [["allow subscribe a/b"], "subscribe a/b", true],
  [["allow subscribe a/b"], "publish a/b", false],
  [["allow subscribe a/b"], "will a/b", false],
  [["allow both a/b"], "publish a/b", true],
  [["allow both a/b"], "subscribe a/b", true],
  // No match refuses.
  [[], "publish a", false],
  [["allow both a/#"], "publish b", false],
  // The first match decides.
  [["deny both a/secret", "allow both a/#"], "publish a/secret", false],
  [["allow both a/#", "deny both a/secret"], "publish a/secret", true],
  [["deny publish a/#", "allow both a/#"], "subscribe a/x", true],
  // An allowed subscription lies inside the right.
  [["allow both a/+"], "subscribe a/+", true],
  [["allow both a/+"], "subscribe a/x", true],
  [["allow both a/+"], "subscribe a/#", false],
  [["allow both a/+"], "subscribe +/x", false],
  [["allow both a/+"], "subscribe a/+/b", false],
  [["allow both a/#"], "subscribe a", true],
  [["allow both a/#"], "subscribe a/+/c/#", true],
  [["allow both a/#"], "subscribe #", false],
  [["allow both #"], "subscribe +/+", true],
  // A subscription is denied as soon as it could deliver something denied.
  [["deny both a/secret", "allow both a/#"], "subscribe a/#", false],
  [["deny both a/secret", "allow both a/#"], "subscribe a/+", false],
  [["deny both a/secret", "allow both a/#"], "subscribe a/+/b", true],
  [["deny both a/secret", "allow both a/#"], "subscribe a/open", true],
  // `#` does not reach $SYS, and nobody publishes there.
  [["allow both #"], "subscribe $SYS/#", false],
  [["allow both #"], "subscribe $SYS/broker/uptime", false],
  [["allow both $SYS/#"], "subscribe $SYS/#", true],
  [["allow both $SYS/#"], "publish $SYS/broker/uptime", false],
  [["allow both $SYS/#"], "will $SYS", false],
  [["deny both $SYS/#", "allow both #"], "subscribe #", true],
  [["allow both #"], "publish $tstack/gaps/x", false],
  [["allow both $tstack/#"], "publish $tstack/gaps/x", false],
  [["allow both $tstack/#"], "subscribe $tstack/gaps/x", true],
  [["allow both #", "allow both +/#"], "subscribe $tstack/#", false],
  [["allow both #"], "publish $share/g/x", false],
  [["allow both #"], "publish $SYSTEM/x", false],
  [["allow both $SYSTEM/#"], "publish $SYSTEM/x", true],
  // Names in place of %c (lamp) and %u (ada).
  [["allow both dev/%c/#"], "publish dev/lamp/on", true],
  [["allow both dev/%c/#"], "publish dev/door/on", false],
  [["allow both dev/%c/#"], "subscribe dev/#", false],
  [["allow both %u/#"], "subscribe ada/#", true],
  [["allow both %u/#"], "subscribe +/#", false],
  [["allow both x-%u-%c/+"], "publish x-ada-lamp/a", true],
  [["allow both 100%/%d"], "publish 100%/%d", true],
];

test("rights: the first that applies decides, none refuses", () => {
  for (const [lines, asked, allowed] of table) {
    const [action, topic] = asked.split(" ") as [Asked["action"], string];
    const decision = ask(readRights(lines), { action, topic });
    assert.equal(decision.allowed, allowed, `${lines.join(", ")}: ${asked} (${decision.rule})`);
  }
});

test("rights: a name with wildcards, slashes, or none at all, allows nothing", () => {
  for (const clientIdentifier of ["", "+", "#", "a/b", "a+", "#a", "/"]) {
    const rights = readRights(["allow both dev/%c/#", "allow both %c"]);
    for (const topic of ["dev/x", "dev/+/y", "dev/#", `dev/${clientIdentifier}/y`, "#", "+"]) {
      const decision = ask(rights, { action: "subscribe", topic, clientIdentifier });
      assert.equal(decision.allowed, false, `${topic} as ${clientIdentifier}`);
      assert.match(
        decision.rule,
        /users\[0\]\.rights\[1\] not usable: the name for %c or %u is empty/,
      );
    }
  }
});

test("rights: a name that starts with $ does not reach the broker's topics", () => {
  const rights = readRights(["allow both %c/#"]);
  const asked = { action: "subscribe", topic: "$SYS/#", clientIdentifier: "$SYS" } as const;
  assert.equal(ask(rights, asked).allowed, false);
  const behind = readRights(["allow both dev/%c/#"]);
  const within = { action: "subscribe", topic: "dev/$SYS/#", clientIdentifier: "$SYS" } as const;
  assert.equal(ask(behind, within).allowed, true);
});

test("rights: a name that is not usable never makes a deny right narrower", () => {
  const rights = readRights(["deny both private/%c/#", "allow both #"]);
  for (const clientIdentifier of ["a/b", "+", "", "#"]) {
    const inside = ask(rights, { action: "publish", topic: "private/a/b/x", clientIdentifier });
    assert.equal(inside.allowed, false, clientIdentifier);
    assert.match(inside.rule, /denies all of that level/);
    assert.equal(ask(rights, { action: "publish", topic: "open", clientIdentifier }).allowed, true);
  }
  const first = readRights(["deny both %c/x", "allow both $secret/#"]);
  const asked = { action: "publish", topic: "$secret/x", clientIdentifier: "$secret" } as const;
  assert.equal(ask(first, asked).allowed, false);
});

test("rights: a name is not read as a placeholder again", () => {
  const rights = readRights(["allow both %c/%u"]);
  const asked = { action: "publish", clientIdentifier: "%u", userName: "ada" } as const;
  assert.equal(ask(rights, { ...asked, topic: "%u/ada" }).allowed, true);
  assert.equal(ask(rights, { ...asked, topic: "ada/ada" }).allowed, false);
});

test("rights: the rule names the entry, what it says, and its file and line", () => {
  const right: Right = {
    effect: "allow",
    action: "publish",
    filter: "home/#",
    source: "users[2].rights[1]",
    place: "tstack.yaml:14",
  };
  assert.deepEqual(ask([right], { action: "publish", topic: "home/x" }), {
    allowed: true,
    rule: "users[2].rights[1]: allow publish home/# (tstack.yaml:14)",
  });
  assert.deepEqual(ask([right], { action: "subscribe", topic: "home/x" }), {
    allowed: false,
    rule: "no right of users[0] ada allows to subscribe this",
  });
});

test("rights: mistakes are found before they would silently never apply", () => {
  const mistakes: [Right["action"], string, RegExp | undefined][] = [
    ["both", "", /is empty/],
    ["both", "a/#/b", /not a topic filter/],
    ["both", "a+", /not a topic filter/],
    ["both", "+%c", /not a topic filter/],
    ["both", "$share/group/a", /shared subscription/],
    ["publish", "$SYS/#", /nobody may publish/],
    ["both", "$SYS/#", undefined],
    ["both", "%c", undefined],
    ["both", "/", undefined],
    ["both", "+/x-%u/#", undefined],
  ];
  for (const [action, filter, expected] of mistakes) {
    const mistake = findMistakeInRight({ action, filter });
    if (expected === undefined) assert.equal(mistake, undefined, filter);
    else assert.match(mistake ?? "", expected, filter);
  }
});

/** Few levels and letters, so that filters, rights and topics meet often. */
const level = fc.constantFrom("a", "b", "$SYS", "");
const topic = fc
  .array(level, { minLength: 1, maxLength: 3 })
  .map((levels) => levels.join("/"))
  .filter((text) => text !== "");
const filter = fc
  .tuple(
    fc.array(fc.oneof(level, fc.constantFrom("+", "%c", "%u")), { minLength: 1, maxLength: 3 }),
    fc.boolean(),
  )
  .map(([levels, isOpen]) => [...levels, ...(isOpen ? ["#"] : [])].join("/"))
  .filter((text) => text !== "");
const right = fc.record({
  effect: fc.constantFrom("allow", "deny"),
  action: fc.constantFrom("publish", "subscribe", "both"),
  filter: fc.oneof(filter, fc.constant("#")),
  source: fc.constant("rights"),
}) as fc.Arbitrary<Right>;
const name = fc.constantFrom("a", "b", "+", "#", "", "a/b", "$SYS");

test("rights: all that a granted subscription can deliver is granted by its topic", () => {
  let granted = 0;
  const property = fc.property(
    fc.array(right, { maxLength: 4 }),
    filter.filter((text) => !text.includes("%")),
    fc.array(topic, { minLength: 20, maxLength: 20 }),
    fc.record({ clientIdentifier: name, userName: name }),
    (rights, subscription, topics, names) => {
      const asked = { action: "subscribe", ...names } as const;
      if (!ask(rights, { ...asked, topic: subscription }).allowed) return;
      granted++;
      for (const delivered of topics.filter((text) => matchesFilter(subscription, text))) {
        const decision = ask(rights, { ...asked, topic: delivered });
        assert.ok(decision.allowed, `${subscription} delivers ${delivered}: ${decision.rule}`);
      }
    },
  );
  // A failure prints its seed.
  fc.assert(property, { numRuns: 5000 });
  assert.ok(granted > 300, `only ${granted} subscriptions were granted`);
});
