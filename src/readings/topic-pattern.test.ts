/** Which topics a pattern is for, and what it has of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { coversPattern, matchTopic, parseTopicPattern } from "./topic-pattern.ts";

const matches: readonly (readonly [
  pattern: string,
  topic: string,
  plain: string | undefined,
  named?: Record<string, string>,
])[] = [
  ["a/b", "a/b", "a/b"],
  ["a/b", "a/b/c", undefined],
  ["a/b", "a", undefined],
  ["a/b", "A/b", undefined],
  ["a/+/c", "a/b/c", "a/c"],
  ["a/+/c", "a//c", "a/c"],
  ["a/+x/c", "a/b/c", "a/c", { x: "b" }],
  ["a/+x/c", "a//c", "a/c", { x: "" }],
  ["+a/+b", "1/2", "", { a: "1", b: "2" }],
  ["#", "a/b", "a/b"],
  ["#", "$SYS/uptime", "$SYS/uptime"],
  ["a/#", "a", "a"],
  ["a/#", "a/b/c", "a/b/c"],
  ["a/#", "ab", undefined],
  ["a/#rest", "a/b/c", "a", { rest: "b/c" }],
  ["a/#rest", "a", "a", { rest: "" }],
  ["+", "$SYS", undefined],
  ["homie/+device/+node", "homie/d/$state", undefined],
  ["homie/+device/$state", "homie/d/$state", "homie/$state", { device: "d" }],
  ["/a", "/a", "/a"],
  ["a/+é_-1", "a/x", "a", { "é_-1": "x" }],
];
for (const [pattern, topic, plain, named = {}] of matches) {
  test(`the pattern ${pattern} and the topic ${topic}`, () => {
    const matched = matchTopic(parseTopicPattern(pattern), topic.split("/"));
    assert.equal(matched?.plain, plain);
    if (matched !== undefined) assert.deepEqual(Object.fromEntries(matched.named), named);
  });
}

const mistakes: readonly (readonly [pattern: string, message: RegExp])[] = [
  ["a/#/b", /has "#" before its end/],
  ["a/#x/b", /has "#x" before its end/],
  ["a/b+", /has \+ or # inside a level: "b\+"/],
  ["a/b#", /inside a level/],
  ["a/+b c", /names have letters/],
  ["a/+b/+b", /names two levels b/],
  ["a/+b/#b", /names two levels b/],
  ["a/\0", /inside a level/],
  [Array(129).fill("a").join("/"), /more than 128 levels/],
];
for (const [pattern, message] of mistakes) {
  test(`${JSON.stringify(pattern.slice(0, 20))} is no pattern`, () => {
    assert.throws(() => parseTopicPattern(pattern), { code: "CONFIGURATION_INVALID", message });
  });
}

const covers: readonly (readonly [outer: string, inner: string, covers: boolean])[] = [
  ["#", "a/b/+/#x", true],
  ["a/#", "a", true],
  ["a/#", "a/+b", true],
  ["a/#", "b", false],
  ["a/+", "a/b", true],
  ["a/b", "a/+", false],
  ["a/+", "a/$b", false],
  ["a/+", "a/#", false],
  ["a/+/#", "a/#", false],
  ["a/+x/c", "a/+y/c", true],
  ["a/+x/c", "a/+y/d", false],
];
for (const [outer, inner, isCovered] of covers) {
  test(`${outer} ${isCovered ? "takes" : "does not take"} all that ${inner} is for`, () => {
    const [one, other] = [parseTopicPattern(outer), parseTopicPattern(inner)];
    assert.equal(coversPattern(one, other), isCovered);
  });
}
