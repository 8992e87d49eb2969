import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { formatListenUrl, isLoopbackUrl, parseListenUrl } from "./listen-url.ts";

const understood: readonly (readonly [string, object, string])[] = [
  ["mqtt://127.0.0.1:1884", { kind: "tcp", isEncrypted: false, host: "127.0.0.1", port: 1884 }, ""],
  [
    "mqtt://localhost",
    { kind: "tcp", isEncrypted: false, host: "localhost", port: 1883 },
    "mqtt://localhost:1883",
  ],
  ["mqtt://:1883", { kind: "tcp", isEncrypted: false, host: undefined, port: 1883 }, ""],
  [
    "mqtt://0.0.0.0/",
    { kind: "tcp", isEncrypted: false, host: "0.0.0.0", port: 1883 },
    "mqtt://0.0.0.0:1883",
  ],
  ["MQTT://[::1]:0", { kind: "tcp", isEncrypted: false, host: "::1", port: 0 }, "mqtt://[::1]:0"],
  [
    "ws://h",
    { kind: "websocket", isEncrypted: false, host: "h", port: 80, path: "/" },
    "ws://h:80/",
  ],
  [
    "ws://[::]:8083/mqtt",
    { kind: "websocket", isEncrypted: false, host: "::", port: 8083, path: "/mqtt" },
    "",
  ],
  ["mqtts://h", { kind: "tcp", isEncrypted: true, host: "h", port: 8883 }, "mqtts://h:8883"],
  ["mqtts://[::1]:0/", { kind: "tcp", isEncrypted: true, host: "::1", port: 0 }, "mqtts://[::1]:0"],
  [
    "wss://h",
    { kind: "websocket", isEncrypted: true, host: "h", port: 443, path: "/" },
    "wss://h:443/",
  ],
  [
    "wss://:9443/mqtt",
    { kind: "websocket", isEncrypted: true, host: undefined, port: 9443, path: "/mqtt" },
    "",
  ],
  ["unix:///run/tstack.sock", { kind: "unix", path: "/run/tstack.sock" }, ""],
];

for (const [url, address, written] of understood) {
  test(`understands ${url}`, () => {
    assert.deepEqual(parseListenUrl(url), address);
    assert.equal(formatListenUrl(parseListenUrl(url)), written === "" ? url : written);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ["", /mqtt:\/\/host:port/],
  ["1883", /mqtt:\/\/host:port/],
  ["127.0.0.1:1883", /mqtt:\/\/host:port/],
  ["http://127.0.0.1:80", /"http" is not a kind of listener/],
  ["mqtts://127.0.0.1/mqtt", /use wss:\/\//],
  ["mqttss://127.0.0.1", /"mqttss" is not a kind of listener/],
  ["mqtt://127.0.0.1:65536", /port 65536 is beyond 65535/],
  ["mqtt://127.0.0.1:x", /is not host:port/],
  ["mqtt://::1:1883", /in brackets/],
  ["mqtt://[127.0.0.1]:1883", /not an IPv6 address/],
  ["mqtt://*:1883", /write 0\.0\.0\.0/],
  ["mqtt://anna:secret@127.0.0.1", /no user and password/],
  ["mqtt://127.0.0.1/mqtt", /use ws:\/\//],
  ["ws://127.0.0.1:80/mqtt?x=1", /must not hold/],
  ["unix://run/tstack.sock", /three slashes/],
  ["unix:///", /three slashes/],
];

for (const [url, message] of refused) {
  test(`refuses "${url}" with a sentence`, () => {
    assert.throws(
      () => parseListenUrl(url),
      (error) =>
        error instanceof TstackError &&
        error.code === "LISTEN_URL_INVALID" &&
        message.test(error.message),
    );
  });
}

const reach: readonly (readonly [string, boolean])[] = [
  ["mqtt://127.0.0.1", true],
  ["mqtt://127.255.3.4", true],
  ["mqtt://LocalHost", true],
  ["ws://[::1]:80", true],
  ["ws://[0:0:0:0:0:0:0:1]:80", true],
  ["mqtt://[::ffff:127.0.0.1]", true],
  ["mqtts://127.0.0.1", true],
  ["wss://0.0.0.0", false],
  ["unix:///run/x", true],
  ["mqtt://", false],
  ["mqtt://:1883", false],
  ["mqtt://0.0.0.0", false],
  ["ws://[::]:80", false],
  ["mqtt://192.168.1.2", false],
  ["mqtt://[::ffff:192.168.1.2]", false],
  ["mqtt://127.0.0.1.example.com", false],
  ["mqtt://localhost.example.com", false],
  ["mqtt://127.1", false],
];

for (const [url, expected] of reach) {
  test(`${url} is ${expected ? "" : "not "}for this machine only`, () => {
    assert.equal(isLoopbackUrl(parseListenUrl(url)), expected);
  });
}
