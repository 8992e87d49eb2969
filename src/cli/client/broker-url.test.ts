import assert from "node:assert/strict";
import { test } from "node:test";
import { type BrokerUrl, parseBrokerUrl } from "./broker-url.ts";
import { UsageError } from "./failure.ts";

const urls: readonly [text: string, meaning: Partial<BrokerUrl>][] = [
  ["mqtt://host", { scheme: "mqtt", host: "host" }],
  ["MQTT://host/", { scheme: "mqtt", host: "host" }],
  ["mqtt://host:1884/a/b", { scheme: "mqtt", host: "host", port: 1884, topic: "a/b" }],
  ["mqtts://host/a/#", { scheme: "mqtts", host: "host", topic: "a/#" }],
  ["ssl://host/%20?", { scheme: "mqtts", host: "host", topic: "%20?" }],
  [
    "mqtt://u:p%40:x@host/t",
    { scheme: "mqtt", host: "host", username: "u", password: "p@:x", topic: "t" },
  ],
  ["mqtt://u@host", { scheme: "mqtt", host: "host", username: "u" }],
  ["mqtt://u:100%@host", { scheme: "mqtt", host: "host", username: "u", password: "100%" }],
  ["mqtt://[::1]:1883/t", { scheme: "mqtt", host: "::1", port: 1883, topic: "t" }],
  ["mqtt:///t", { scheme: "mqtt", host: "localhost", topic: "t" }],
  ["ws://host/mqtt?x=1", { scheme: "ws", host: "host", path: "/mqtt?x=1" }],
  ["wss://host:443", { scheme: "wss", host: "host", port: 443, path: "/" }],
  ["unix:///run/a b.sock", { scheme: "unix", host: "", path: "/run/a b.sock" }],
];
for (const [text, meaning] of urls) {
  test(`${text} is read`, () => {
    const parsed = Object.entries(parseBrokerUrl(text)).filter(([, value]) => value !== undefined);
    assert.deepEqual(Object.fromEntries(parsed), meaning);
  });
}

for (const text of [
  "",
  "host",
  "http://host",
  "mqtt:/host",
  "mqtt://h:99999",
  "mqtt://h:x",
  "unix://a/b",
  "unix://",
]) {
  test(`"${text}" is a mistake`, () => {
    assert.throws(() => parseBrokerUrl(text), UsageError);
  });
}
