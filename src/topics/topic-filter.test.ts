import assert from "node:assert/strict";
import { test } from "node:test";
import {
  filtersOverlap,
  isFilterInside,
  matchesFilter,
  matchesFrom,
  parseTopicFilter,
} from "./topic-filter.ts";

function isValid(filter: string): boolean {
  return parseTopicFilter(filter, 128) !== undefined;
}

test("5.0 [MQTT-4.7.1-1] 3.1.1 [MQTT-4.7.1-2] # stands alone or after a slash, and last", () => {
  for (const filter of ["#", "/#", "a/#", "a/b/#", "+/#", "//#", "$SYS/#"]) {
    assert.equal(parseTopicFilter(filter, 128)?.hasWildcard, true, filter);
  }
  for (const filter of ["a#", "#a", "#/a", "a/#/b", "a/b#", "##", "#/", "a/##", "+#", "#+"]) {
    assert.equal(isValid(filter), false, filter);
  }
});

test("5.0 [MQTT-4.7.1-2] 3.1.1 [MQTT-4.7.1-3] + has a level for itself, anywhere", () => {
  for (const filter of ["+", "/+", "+/", "a/+", "+/a", "a/+/b", "+/+", "+/+/#", "//+//"]) {
    assert.equal(parseTopicFilter(filter, 128)?.hasWildcard, true, filter);
  }
  for (const filter of ["a+", "+a", "a/b+", "a/+b", "a/+b/c", "++", "a+/b"]) {
    assert.equal(isValid(filter), false, filter);
  }
});

test("5.0 [MQTT-4.7.3-1] [MQTT-4.7.3-2] a filter is not empty and has no U+0000", () => {
  for (const filter of ["", "\0", "a/\0", "$share/g/\0", "$share/\0/a"]) {
    assert.equal(isValid(filter), false, filter);
  }
});

test("5.0 [MQTT-4.7.3-4] filters without wildcards are kept as they stand", () => {
  for (const filter of ["a", "/", "//", " ", "a/ b", "$SYS", "$share", "$shares/g/a", "é\uFFFF"]) {
    const expected = { filter, group: undefined, hasWildcard: false };
    assert.deepEqual(parseTopicFilter(filter, 128), expected);
  }
});

test("5.0 [MQTT-4.8.2-1] [MQTT-4.8.2-2] $share/group/filter comes apart, or is refused", () => {
  const whole = [
    ["$share/g/a", "g", "a", false],
    ["$share/g/a/+", "g", "a/+", true],
    ["$share/g/#", "g", "#", true],
    ["$share/g//", "g", "/", false],
    ["$share/g//a", "g", "/a", false],
    ["$share/$ /$SYS/#", "$ ", "$SYS/#", true],
  ] as const;
  for (const [text, group, filter, hasWildcard] of whole) {
    assert.deepEqual(parseTopicFilter(text, 128), { filter, group, hasWildcard });
  }
  const broken = [
    "$share/",
    "$share//",
    "$share//a",
    "$share/g",
    "$share/group",
    "$share/g/",
    "$share/#",
    "$share/+",
  ];
  for (const filter of [...broken, "$share/+/a", "$share/g#/a", "$share/a+b/c", "$share/g/a#"]) {
    assert.equal(isValid(filter), false, filter);
  }
});

test("levels are counted without those of $share/group/, up to the maximum and no further", () => {
  assert.equal(parseTopicFilter("a/+/#", 3)?.filter, "a/+/#");
  assert.equal(parseTopicFilter("a/+/#", 2), undefined);
  assert.equal(parseTopicFilter("$share/g/a/b", 2)?.filter, "a/b");
  assert.equal(parseTopicFilter("$share/g/a/b/c", 2), undefined);
  assert.equal(parseTopicFilter("/".repeat(10_000), 10_000), undefined);
});

const matching = [
  ["sport/tennis/player1/#", "sport/tennis/player1"],
  ["sport/tennis/player1/#", "sport/tennis/player1/ranking"],
  ["sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon"],
  ["sport/#", "sport"],
  ["sport/#", "sport/"],
  ["#", "sport"],
  ["#", "/"],
  ["/#", "/"],
  ["/#", "/a"],
  ["sport/tennis/+", "sport/tennis/player1"],
  ["sport/+", "sport/"],
  ["+/+", "/finance"],
  ["/+", "/finance"],
  ["+/tennis/#", "sport/tennis"],
  ["sport/+/player1", "sport/tennis/player1"],
  ["+/+/+", "//"],
  ["+/#", "a"],
  ["+", "a"],
  ["/", "/"],
  ["a//b", "a//b"],
  ["a/+/b", "a//b"],
  ["$SYS/#", "$SYS"],
  ["$SYS/#", "$SYS/broker"],
  ["$SYS/monitor/+", "$SYS/monitor/Clients"],
  ["a/+", "a/$b"],
  ["a/#", "a/$b"],
] as const;

const notMatching = [
  ["sport/tennis/+", "sport/tennis/player1/ranking"],
  ["sport/+", "sport"],
  ["+", "/finance"],
  ["+", "/"],
  ["/#", "a"],
  ["/+", "/a/b"],
  ["a/b", "a"],
  ["a", "a/b"],
  ["a", "a/"],
  ["a/", "a"],
  ["a", "A"],
  ["a", "ab"],
  ["ab", "a"],
  ["a/+/#", "a"],
  ["sport/#", "sports"],
  ["+/+", "a"],
  ["a//b", "a/b"],
] as const;

test("5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] 3.1.1 [MQTT-4.7.1-2] [MQTT-4.7.1-3] the examples of the standard, and the corners between them", () => {
  for (const [filter, topic] of matching) {
    assert.equal(matchesFilter(filter, topic), true, `${filter} ${topic}`);
  }
  for (const [filter, topic] of notMatching) {
    assert.equal(matchesFilter(filter, topic), false, `${filter} ${topic}`);
  }
});

test("5.0 [MQTT-4.7.2-1] a filter that begins with a wildcard does not match $ topics", () => {
  for (const filter of ["#", "+", "+/#", "+/monitor/Clients", "+/+/+"]) {
    for (const topic of ["$SYS", "$", "$SYS/monitor/Clients", "$SYS/"]) {
      assert.equal(matchesFilter(filter, topic), false, `${filter} ${topic}`);
    }
  }
});

test("5.0 [MQTT-4.7.3-4] characters are not folded: composed and decomposed letters differ", () => {
  assert.equal(matchesFilter("caf\u00e9", "cafe\u0301"), false);
  assert.equal(matchesFilter("\uFEFFa", "a"), false);
});

test("a match can begin inside both texts", () => {
  assert.equal(matchesFrom("x/+/b", 2, "a/b", 0), true);
  assert.equal(matchesFrom("x/b", 2, "a/b", 0), false);
  assert.equal(matchesFrom("x/#", 2, "x", 2), true);
  assert.equal(matchesFrom("x", 2, "x", 2), true);
  assert.equal(matchesFrom("x/y", 2, "x", 2), false);
  assert.equal(matchesFrom("x", 2, "x/", 2), false);
});

test("10,000 levels are matched and compared like any others", () => {
  const topic = "a/".repeat(9_999);
  for (const filter of [`${"+/".repeat(9_999)}+`, `${topic}#`, topic]) {
    assert.equal(matchesFilter(filter, topic), true);
    assert.equal(isFilterInside(topic, filter), true);
    assert.equal(filtersOverlap(filter, topic), true);
  }
});

/** Every sequence of one to `depth` levels, as text. */
function sequences(levels: readonly string[], depth: number): string[] {
  let longest = [...levels];
  const all = [...longest];
  for (let count = 2; count <= depth; count++) {
    longest = longest.flatMap((text) => levels.map((level) => `${text}/${level}`));
    all.push(...longest);
  }
  return all.filter((text) => text !== "");
}

function isNaiveMatch(filter: string, topic: string): boolean {
  if (/^[+#]/.test(filter) && topic.startsWith("$")) return false;
  const source = filter
    .replaceAll("$", "\\$")
    .replaceAll("+", "[^/]*")
    .replace(/^#$/, ".*")
    .replace(/\/#$/, "(/.*)?");
  return new RegExp(`^${source}$`, "s").test(topic);
}

const closed = sequences(["", "a", "+", "$a"], 3);
const shorter = sequences(["", "a", "+", "$a"], 2);
const filters = [...closed, "#", "/#", ...shorter.map((filter) => `${filter}/#`)];
// "c" stands for every level that no filter names; one level more than the longest filter.
const topics = sequences(["", "a", "c", "$a", "$c"], 4);
const matches = new Map(
  filters.map((filter) => [filter, topics.map((topic) => isNaiveMatch(filter, topic))]),
);

test(`5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.2-1] ${filters.length} filters against ${topics.length} topics as a regular expression has it`, () => {
  for (const filter of filters) {
    const found = topics.map((topic) => matchesFilter(filter, topic));
    assert.deepEqual(found, matches.get(filter), filter);
  }
});

test("every pair of these filters lies inside and overlaps as their topics have it", () => {
  for (const [a, ofA] of matches) {
    for (const [b, ofB] of matches) {
      const isInside = ofA.every((isMatch, index) => !isMatch || ofB[index]);
      const isOverlap = ofA.some((isMatch, index) => isMatch && ofB[index]);
      if (isFilterInside(a, b) !== isInside) assert.fail(`${a} inside ${b}: ${isInside}`);
      if (filtersOverlap(a, b) !== isOverlap) assert.fail(`${a} overlaps ${b}: ${isOverlap}`);
    }
  }
});

const insideTable = [
  ["a/+", "a/b", false],
  ["a/#", "a/+", false],
  ["a", "a/#", true],
  ["a/#", "a/#", true],
  ["a/+/#", "a/#", true],
  ["a/#", "a/+/#", false],
  ["$SYS/#", "#", false],
  ["$SYS/a", "#", false],
  ["$SYS/a", "+/a", false],
  ["#", "$SYS/#", false],
  ["+/x", "#", true],
  ["#", "+/#", true],
  ["a/$b", "a/+", true],
] as const;

test("5.0 [MQTT-4.7.2-1] a right covers a subscription only when it covers all its topics", () => {
  for (const [inner, outer, expected] of insideTable) {
    assert.equal(isFilterInside(inner, outer), expected, `${inner} inside ${outer}`);
  }
});
