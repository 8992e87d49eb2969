/**
 * `decide` against a model that knows nothing of how filters relate: it holds for each filter the set of topics that it
 * matches, of all topics that few letters can make, and finds out what lies inside and what overlaps by looking.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decide, type Right, type RightsRequest } from "./rights.ts";

/** `z` is in no filter, so that wildcards reach further than words do. */
const letters = ["a", "b", "$x", "", "xa", "xb", "x$x", "z"];
/** Filters have three parts at most: two that differ differ in a topic of three levels. */
const topics = letters
  .flatMap((one) => [[one], ...letters.flatMap((two) => extend([one, two]))])
  .filter((levels) => levels.length > 1 || levels[0] !== "");

function extend(levels: string[]): string[][] {
  return [levels, ...letters.map((three) => [...levels, three])];
}

const allTopics = (1n << BigInt(topics.length)) - 1n;
const knownSets = new Map<string, bigint>();

/** The topics that a filter matches, one bit each. */
function topicsOf(filter: readonly string[]): bigint {
  const key = JSON.stringify(filter);
  let set = knownSets.get(key);
  if (set === undefined) {
    const bits = topics.map((topic) => (isMatch(filter, topic) ? "1" : "0"));
    set = BigInt(`0b${bits.reverse().join("")}`);
    knownSets.set(key, set);
  }
  return set;
}

function isMatch(filter: readonly string[], topic: readonly string[]): boolean {
  if (topic[0].startsWith("$") && /^[+#]$/.test(filter[0])) return false;
  return isMatchFrom(filter, topic);
}

function isMatchFrom([part, ...parts]: readonly string[], topic: readonly string[]): boolean {
  if (part === "#") return true;
  if (part === undefined || topic.length === 0) return part === undefined && topic.length === 0;
  return (part === "+" || part === topic[0]) && isMatchFrom(parts, topic.slice(1));
}

/** The topics of a right for a client; undefined when a name in it could mean more than one level. */
function topicsOfRight({ filter, effect }: Right, { client }: RightsRequest): bigint | undefined {
  const parts = filter.split("/");
  const named = parts.findIndex((part) => /%[cu]/.test(part));
  if (named === -1) return topicsOf(parts);
  let isUsable = true;
  const filled = parts.map((part, index) => {
    const pieces = part.split(/(%[cu])/).map((piece, at) => {
      if (!/^%[cu]$/.test(piece)) return piece;
      const name = piece === "%c" ? client.clientIdentifier : (client.userName ?? "");
      const isFirst = index === 0 && part.split(/(%[cu])/).indexOf(piece) === at;
      if (name === "" || /[+#/]/.test(name)) isUsable = false;
      if (isFirst && part.startsWith(piece) && name.startsWith("$")) isUsable = false;
      return name;
    });
    return pieces.join("");
  });
  if (isUsable) return topicsOf(filled);
  if (effect === "allow") return undefined;
  return named === 0 ? allTopics : topicsOf([...parts.slice(0, named), "#"]);
}

function decideByModel(rights: readonly Right[], request: RightsRequest): boolean {
  const isSubscribe = request.action === "subscribe";
  const asked = topicsOf(request.topic.split("/"));
  for (const right of rights) {
    if (right.action === (isSubscribe ? "publish" : "subscribe")) continue;
    if (right.qos !== undefined && !right.qos.some((qos) => qos === request.qos)) continue;
    if (right.retain !== undefined && (isSubscribe || right.retain !== request.retain)) continue;
    const covered = topicsOfRight(right, request);
    if (covered === undefined) continue;
    const isInside = (asked & ~covered) === 0n;
    const overlaps = (asked & covered) !== 0n;
    if (right.effect === "allow" ? isInside : overlaps) return right.effect === "allow";
  }
  return false;
}

const word = fc.constantFrom("a", "b", "$x", "", "xa");
const part = fc.oneof(word, fc.constantFrom("+", "+", "%c", "%u", "x%c"));
function filterOf(parts: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(fc.array(parts, { maxLength: 3 }), fc.boolean())
    .map(([few, isOpen]) => (isOpen || few.length === 0 ? [...few.slice(0, 2), "#"] : few))
    .map((parts) => parts.join("/"))
    .filter((filter) => filter !== "");
}
const right: fc.Arbitrary<Right> = fc.record(
  {
    effect: fc.constantFrom("allow", "allow", "deny"),
    action: fc.constantFrom("publish", "subscribe", "both"),
    filter: fc.oneof(
      filterOf(part),
      filterOf(part),
      fc.constantFrom("#", "+/#", "%c/#", "$x/#", "%u/#", "a/#"),
    ),
    qos: fc.constantFrom([0], [0, 1], [1, 2], undefined, undefined) as fc.Arbitrary<
      (0 | 1 | 2)[] | undefined
    >,
    retain: fc.constantFrom(true, false, undefined, undefined),
    source: fc.constant("rule"),
  },
  { requiredKeys: ["effect", "action", "filter", "source"] },
);
const name = fc.constantFrom("a", "b", "$x", "+", "#", "", "a/b", "a+");
const client = fc.record({ clientIdentifier: name, userName: fc.option(name, { nil: undefined }) });
const asking: fc.Arbitrary<RightsRequest> = fc.oneof(
  fc.record({
    action: fc.constant("subscribe" as const),
    topic: filterOf(fc.oneof(word, fc.constantFrom("+"))),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.constant(false),
    client,
  }),
  fc.record({
    action: fc.constantFrom("publish" as const, "will" as const),
    topic: fc.constantFrom(...topics.map((levels) => levels.join("/"))),
    qos: fc.constantFrom(0, 1, 2),
    retain: fc.boolean(),
    client,
  }),
);

test("rights: 60,000 random lists of rules decide as a model does that enumerates topics", () => {
  const counts = { allowed: 0, refused: 0 };
  const property = fc.property(
    fc.array(right, { minLength: 1, maxLength: 8 }),
    asking,
    (rights, request) => {
      const { allowed, rule } = decide(rights, "ada", request);
      counts[allowed ? "allowed" : "refused"]++;
      assert.equal(allowed, decideByModel(rights, request), rule);
    },
  );
  // A failure prints its seed.
  fc.assert(property, { numRuns: 60_000 });
  assert.ok(counts.allowed > 3000 && counts.refused > 3000, JSON.stringify(counts));
});

test("rights: whatever a granted subscription delivers is granted by its own topic", () => {
  let deliveries = 0;
  const subscribing = asking.filter(({ action }) => action === "subscribe");
  const property = fc.property(
    fc.array(right, { minLength: 1, maxLength: 8 }),
    subscribing,
    (rights, request) => {
      if (!decide(rights, "ada", request).allowed) return;
      const filter = request.topic.split("/");
      for (const levels of topics.filter((topic) => isMatch(filter, topic))) {
        const topic = levels.join("/");
        deliveries++;
        const { allowed, rule } = decide(rights, "ada", { ...request, topic });
        assert.ok(allowed, `${request.topic} delivers ${topic}: ${rule}`);
      }
    },
  );
  fc.assert(property, { numRuns: 5000 });
  assert.ok(deliveries > 10_000, `only ${deliveries} deliveries`);
});
