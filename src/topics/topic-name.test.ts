import assert from "node:assert/strict";
import { test } from "node:test";
import { isValidTopicName } from "./topic-name.ts";

const valid = [
  "a",
  "/",
  "//",
  "/a",
  "a/",
  "a//b",
  " ",
  "a b/c d",
  "$SYS/broker",
  "$share/group/a",
  "\u0001\uFFFE\uFFFF",
  "käse/🧀",
];

test("5.0 [MQTT-4.7.3-4] names with empty levels, spaces, $ and odd characters are taken as they stand", () => {
  for (const topic of valid) assert.equal(isValidTopicName(topic, 128), true, topic);
});

test("5.0 [MQTT-4.7.3-1] an empty name is refused", () => {
  assert.equal(isValidTopicName("", 128), false);
});

test("5.0 [MQTT-4.7.0-1] [MQTT-3.3.2-2] a name with a wildcard character anywhere is refused", () => {
  for (const topic of ["+", "#", "a/+", "a/#", "a+", "+a", "a#b", "a/b+/c", "#/a"]) {
    assert.equal(isValidTopicName(topic, 128), false, topic);
  }
});

test("5.0 [MQTT-4.7.3-2] a name with U+0000 is refused", () => {
  for (const topic of ["\0", "a\0", "a/\0/b"]) assert.equal(isValidTopicName(topic, 128), false);
});

test("levels are counted with the empty ones, up to the maximum and no further", () => {
  assert.equal(isValidTopicName("a/b/c", 3), true);
  assert.equal(isValidTopicName("a/b/c", 2), false);
  assert.equal(isValidTopicName("//", 3), true);
  assert.equal(isValidTopicName("//", 2), false);
  assert.equal(isValidTopicName("/".repeat(9_999), 10_000), true);
  assert.equal(isValidTopicName("/".repeat(10_000), 10_000), false);
});
