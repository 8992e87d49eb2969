import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isFilterInside } from "../topics/index.ts";
import type { Observation } from "./learning.ts";
import { leastRules } from "./least-rules.ts";
import { decide } from "./rights.ts";
import { findMistakeInRule, type Rule, toRight } from "./rule.ts";

/** `lamp publish a/b 1 r`: client identifier, action, topic, QoS and RETAIN, all by user ada and allowed. */
function read(line: string, more: Partial<Observation> = {}): Observation {
  const [clientIdentifier, action, topic, qos = "0", retain] = line.split(" ");
  return {
    user: "ada",
    clientIdentifier,
    action: action as Observation["action"],
    topic,
    qos: Number(qos) as Observation["qos"],
    retain: retain === "r",
    allowed: true,
    ...more,
  };
}

function say({ allow, filter, qos, retain }: Rule): string {
  const conditions = [qos?.join(""), retain === undefined ? undefined : retain ? "r" : "-"];
  return [allow, filter, ...conditions].filter((word) => word !== undefined).join(" ");
}

function learn(lines: readonly string[], exact = false): string[] {
  const observations = lines.map((line) => read(line));
  return leastRules(observations, { exact }).get("ada")?.rules.map(say) ?? [];
}

test("least rules: what was done is allowed, with the names that are one", () => {
  const table: [seen: string[], rules: string[]][] = [
    [["c publish a/b"], ["publish a/b"]],
    [["c publish a/b", "c subscribe a/b"], ["both a/b"]],
    [["c publish a/b 0", "c publish a/b 2 r"], ["publish a/b"]],
    [["c publish ada/x"], ["publish %u/x"]],
    [["lamp publish dev/lamp/x"], ["publish dev/%c/x"]],
    [["ada publish ada/x"], ["publish %u/x"]],
    // Both clients did the same under their names, or one of them did not.
    [["c1 publish d/c1", "c2 publish d/c2"], ["publish d/%c"]],
    [
      ["c1 publish d/c1", "c2 publish e"],
      ["publish d/c1", "publish e"],
    ],
    [
      ["c1 publish d/c1", "c2 publish d/c2", "c1 publish d/c2"],
      ["publish d/%c", "publish d/c2"],
    ],
    // Wildcards stay as they were asked for, and cover what lies inside.
    [["c subscribe a/+", "c subscribe a/b", "c subscribe a/#"], ["subscribe a/#"]],
    [["c subscribe #", "c subscribe +/#"], ["subscribe #"]],
    [
      ["c subscribe a/#", "c publish a/x", "c subscribe $SYS/#"],
      ["subscribe $SYS/#", "subscribe a/#", "publish a/x"],
    ],
    [["c subscribe c/+/x", "c subscribe c/#"], ["subscribe %c/#"]],
    // A name that a right would not believe.
    [["$c publish $c/x"], ["publish $c/x"]],
    [["$c publish x/$c"], ["publish x/%c"]],
  ];
  for (const [seen, rules] of table) assert.deepEqual(learn(seen), rules, seen.join(", "));
});

test("least rules: with exact they say which QoS and RETAIN", () => {
  const table: [seen: string[], rules: string[]][] = [
    [["c publish a 1", "c publish a 0"], ["publish a 01 -"]],
    [["c publish a 1", "c publish a 1 r"], ["publish a 1"]],
    [
      ["c publish a 1", "c publish a 0 r"],
      ["publish a 1 -", "publish a 0 r"],
    ],
    [
      ["c publish a 1", "c subscribe a 1"],
      ["publish a 1 -", "subscribe a 1"],
    ],
    [
      ["c subscribe a/b 1", "c subscribe a/# 0"],
      ["subscribe a/# 0", "subscribe a/b 1"],
    ],
    [["c subscribe a/b 0", "c subscribe a/# 0"], ["subscribe a/# 0"]],
  ];
  for (const [seen, rules] of table) assert.deepEqual(learn(seen, true), rules, seen.join(", "));
});

test("least rules: users are apart, and what was refused or cannot be said is told apart", () => {
  const refused = read("c publish secret", { allowed: false });
  const literal = read("c publish a/100%c");
  const anonymous = read("c publish x", { user: undefined });
  const found = leastRules([refused, literal, anonymous, read("c publish y")]);
  assert.deepEqual(
    [...found],
    [
      [
        "ada",
        {
          rules: [{ allow: "publish", filter: "y" }],
          refused: [refused],
          inexpressible: [literal],
        },
      ],
      [undefined, { rules: [{ allow: "publish", filter: "x" }], refused: [], inexpressible: [] }],
    ],
  );
});

const identifiers = ["a", "b", "ada", "$s", "x/y"];
const level = fc.constantFrom("a", "b", "ada", "$s", "c", "");
const topic = fc
  .array(level, { minLength: 1, maxLength: 3 })
  .map((levels) => levels.join("/"))
  .filter((text) => text !== "");
const filter = fc.oneof(
  topic,
  fc
    .tuple(fc.array(fc.oneof(level, fc.constant("+")), { maxLength: 2 }), fc.constantFrom("#", "+"))
    .map(([levels, last]) => [...levels, last].join("/")),
);
const doing: fc.Arbitrary<Observation> = fc
  .record({
    user: fc.constant("ada"),
    clientIdentifier: fc.constantFrom(...identifiers),
    action: fc.constantFrom("publish" as const, "subscribe" as const),
    topic: fc.constant(""),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    allowed: fc.constant(true),
  })
  .chain((plain) => {
    const isPublish = plain.action === "publish";
    const retain = isPublish && plain.retain;
    return (isPublish ? topic : filter).map((text) => ({ ...plain, retain, topic: text }));
  });

/** Whether the user did this, under whichever client identifier. */
function isSeen(seen: readonly Observation[], asked: Observation, exact: boolean): boolean {
  return seen.some((one) => {
    if (one.action !== asked.action) return false;
    if (exact && (one.qos !== asked.qos || one.retain !== asked.retain)) return false;
    return asked.action === "publish"
      ? one.topic === asked.topic
      : isFilterInside(asked.topic, one.topic);
  });
}

test("least rules: they allow all that was seen, and of all else nothing", () => {
  const counts = { allowed: 0, refused: 0, named: 0 };
  const property = fc.property(
    fc.array(doing, { minLength: 1, maxLength: 8 }),
    fc.array(doing, { minLength: 10, maxLength: 10 }),
    fc.boolean(),
    (seen, others, exact) => {
      const learned = leastRules(seen, { exact }).get("ada");
      assert.ok(learned);
      assert.deepEqual(learned.inexpressible, []);
      for (const rule of learned.rules) {
        assert.equal(findMistakeInRule(rule), undefined);
        if (rule.filter.includes("%c")) counts.named++;
      }
      const rights = learned.rules.map((rule) => toRight(rule, say(rule)));
      const ask = (asked: Observation) => {
        const { clientIdentifier, user: userName, ...rest } = asked;
        return decide(rights, "ada", { ...rest, client: { clientIdentifier, userName } }).allowed;
      };
      for (const one of seen) assert.ok(ask(one), JSON.stringify(one));
      const used = new Set(seen.map(({ clientIdentifier }) => clientIdentifier));
      // A rule with %c is for client identifiers that have not been seen yet, too.
      for (const other of others.filter(({ clientIdentifier }) => used.has(clientIdentifier))) {
        const allowed = ask(other);
        counts[allowed ? "allowed" : "refused"]++;
        if (allowed) assert.ok(isSeen(seen, other, exact), JSON.stringify(other));
      }
    },
  );
  // A failure prints its seed.
  fc.assert(property, { numRuns: 10_000 });
  assert.ok(Math.min(...Object.values(counts)) > 200, JSON.stringify(counts));
});
