import assert from "node:assert/strict";
import { test } from "node:test";
import { topicFilterMistake, topicNameMistake } from "./topic-filter.ts";

for (const name of ["a", "/", "a//b", "$SYS/a", " ", "x".repeat(65_535)]) {
  test(`"${name.slice(0, 9)}" is a topic name`, () => {
    assert.equal(topicNameMistake(name), undefined);
  });
}
for (const name of ["", "a/+", "#", "a\0", "é".repeat(40_000)]) {
  test(`5.0 [MQTT-3.3.2-2] [MQTT-4.7.3-1] ${JSON.stringify(name.slice(0, 9))} is no topic name`, () => {
    assert.notEqual(topicNameMistake(name), undefined);
  });
}
for (const filter of ["#", "+", "a/#", "+/+/#", "/+", "$share/g/a/#", "$share/g//"]) {
  test(`"${filter}" is a topic filter`, () => {
    assert.equal(topicFilterMistake(filter), undefined);
  });
}
for (const filter of [
  "",
  "a#",
  "#/a",
  "a+/b",
  "a/#/b",
  "a\0",
  "$share/g",
  "$share//a",
  "$share/+/a",
]) {
  test(`5.0 [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.8.2-1] ${JSON.stringify(filter)} is no topic filter`, () => {
    assert.notEqual(topicFilterMistake(filter), undefined);
  });
}
