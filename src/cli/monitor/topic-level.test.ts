import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { topicNameMistake } from "../client/index.ts";
import { TopicLevels, toTopicLevel } from "./topic-level.ts";

test("names of parts become one level of a topic that people recognize", () => {
  const levels = [
    ["eth0.100", "eth0.100"],
    ["/mnt/my data", "mnt-my-data"],
    ["C:", "C:"],
    ["a+b#c/d\0e\nf", "a-b-c-d-e-f"],
    ["$SYS", "SYS"],
    ["Größe", "Größe"],
    ["/", "unnamed"],
    ["", "unnamed"],
    ["\u200b\u2028", "unnamed"],
    ["\ud800", "�"],
  ];
  for (const [name, level] of levels) assert.equal(toTopicLevel(name), level);
});

test("no name makes anything but one level, and a level stays what it is", () => {
  const names = fc.string({ unit: "binary", maxLength: 300 });
  fc.assert(
    fc.property(names, (name) => {
      const level = toTopicLevel(name);
      assert.equal(topicNameMistake(level), undefined);
      assert.doesNotMatch(level, /^\$|[/\s]|^$/);
      assert.equal(toTopicLevel(level), level);
    }),
  );
});

test("two names that would be the same level get two", () => {
  const levels = new TopicLevels();
  const taken = ["root", "/root", "/mnt/a", "/mnt-a", "root"].map((name) => levels.take(name));
  assert.deepEqual(taken, ["root", "root-2", "mnt-a", "mnt-a-2", "root-3"]);
});
