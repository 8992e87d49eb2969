import assert from "node:assert/strict";
import { test } from "node:test";
import { readMqttSettings } from "./settings.ts";

const read = (url: string, more: Readonly<Record<string, string>> = {}) =>
  readMqttSettings({ "mqtt-url": url, ...more });

test("a URL says where and who, and people are told without the password", async () => {
  const settings = await read("mqtts://ada:ge%3Aheim@[::1]");
  assert.equal(settings.destination, "MQTT broker at mqtts://[::1]:8883");
  assert.deepEqual(
    [settings.host, settings.username, settings.password],
    ["::1", "ada", "ge:heim"],
  );
  const { destination, path } = await read("ws://h/mqtt?signature=geheim");
  assert.equal(destination, "MQTT broker at ws://h:80/mqtt");
  assert.equal(path, "/mqtt?signature=geheim");
  assert.equal((await read("mqtt://u:100%@h")).password, "100%");
});

test("a bridge has a name of its own for each place, unless it is given one", async () => {
  const names = await Promise.all(
    ["mqtt://one", "mqtt://one:1883", "mqtt://ada:pw@one", "mqtt://two"].map((url) => read(url)),
  );
  const [one, same, also, other] = names.map(({ bridge }) => bridge);
  assert.deepEqual([same, also], [one, one]);
  assert.notEqual(other, one);
  assert.equal((await read("mqtt://one", { "mqtt-bridge": "both" })).bridge, "both");
});

test("mistakes name the option, and never repeat a password", async () => {
  const mistakes: readonly [string, Readonly<Record<string, string>>, RegExp][] = [
    ["http://u:geheim@h", {}, /^--mqtt-url is a URL that begins with mqtt:/],
    ["mqtt://:geheim@h", {}, /^--mqtt-url is a URL with the user name of the password/],
    ["mqtt://h", { "mqtt-password": "geheim" }, /^--mqtt-url is a URL with the user name/],
    ["mqtt://h", { "mqtt-qos": "3" }, /^--mqtt-qos is 0, 1, 2 or keep, not "3"/],
    ["mqtt://h", { "mqtt-version": "4" }, /^--mqtt-version is 5, 311 or any, not "4"/],
    ["mqtt://h", { "mqtt-add": "a/#" }, /^--mqtt-add is the beginning of topics/],
    ["mqtt://h", { "mqtt-cafile": "/nowhere" }, /^--mqtt-cafile cannot be read/],
  ];
  for (const [url, more, words] of mistakes) {
    await assert.rejects(read(url, more), (error: Error) => {
      assert.match(error.message, words);
      assert.doesNotMatch(`${error.stack}`, /geheim/);
      return true;
    });
  }
  await assert.rejects(readMqttSettings({}), /^TstackError: --mqtt-url is needed/);
});
