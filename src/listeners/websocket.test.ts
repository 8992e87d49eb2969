import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import { text as readText } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { defaultLimits } from "../base/index.ts";
import type { Listener } from "./index.ts";
import {
  connectPeer,
  firstConnection,
  listenForTest,
  nextEvent,
  portOf,
  until,
} from "./recording.ts";
import { messageBytesMax } from "./websocket.ts";

const url = "ws://127.0.0.1:0/mqtt";

interface Answer {
  readonly status: number | undefined;
  readonly subprotocol: string | undefined;
  readonly extensions: string | undefined;
  readonly text: string;
}

/** Asks for an upgrade by hand, so that nothing of a WebSocket library stands between. */
async function ask(listener: Listener, path: string, headers: object): Promise<Answer> {
  const asked = request({
    host: "127.0.0.1",
    port: portOf(listener),
    path,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  }).end();
  const answered = Promise.race([nextEvent(asked, "response"), nextEvent(asked, "upgrade")]);
  const response = (await answered)[0] as IncomingMessage;
  const upgraded = response.statusCode === 101;
  if (upgraded) response.socket.destroy();
  return {
    status: response.statusCode,
    subprotocol: response.headers["sec-websocket-protocol"],
    extensions: response.headers["sec-websocket-extensions"],
    text: upgraded ? "" : await readText(response),
  };
}

const subprotocolChoices: readonly (readonly [string, string])[] = [
  ["mqtt", "mqtt"],
  ["mqttv3.1", "mqttv3.1"],
  ["chat, mqtt", "mqtt"],
  ["mqttv3.1,mqtt", "mqtt"],
  ["mqtt, mqttv3.1", "mqtt"],
];

for (const [offered, selected] of subprotocolChoices) {
  test(`5.0 [MQTT-6.0.0-4] 3.1.1 [MQTT-6.0.0-4] of the subprotocols "${offered}" it selects ${selected}`, async (context) => {
    const { listener } = await listenForTest(context, url);
    const answer = await ask(listener, "/mqtt", { "sec-websocket-protocol": offered });
    assert.equal(answer.status, 101);
    assert.equal(answer.subprotocol, selected);
  });
}

for (const headers of [{}, { "sec-websocket-protocol": "chat, MQTT" }]) {
  test(`5.0 [MQTT-6.0.0-3] 3.1.1 [MQTT-6.0.0-3] refuses ${JSON.stringify(headers)} and says why`, async (context) => {
    const { listener, acceptor } = await listenForTest(context, url);
    const answer = await ask(listener, "/mqtt", headers);
    assert.equal(answer.status, 400);
    assert.match(answer.text, /must offer the WebSocket subprotocol mqtt/);
    assert.equal(acceptor.connections.length, 0);
  });
}

test("another path is not found, with a line that names the right one", async (context) => {
  const { listener, acceptor } = await listenForTest(context, url);
  for (const path of ["/", "/mqtt/", "/mqtt2", "/MQTT"]) {
    const answer = await ask(listener, path, { "sec-websocket-protocol": "mqtt" });
    assert.equal(answer.status, 404, path);
    assert.equal(answer.text, "Not found: MQTT over WebSocket is at /mqtt\n");
  }
  assert.equal(acceptor.connections.length, 0);
});

test("a query behind the path does not matter", async (context) => {
  const { listener } = await listenForTest(context, url);
  const answer = await ask(listener, "/mqtt?token=1", { "sec-websocket-protocol": "mqtt" });
  assert.equal(answer.status, 101);
});

test("a browser that opens the address is told what it is", async (context) => {
  const { listener } = await listenForTest(context, url);
  const base = listener.url.replace("ws:", "http:");
  const found = await fetch(base);
  assert.equal(found.status, 426);
  assert.match(await found.text(), /MQTT over WebSocket/);
  assert.equal((await fetch(`${base}/other`)).status, 404);
});

test("compression is not negotiated", async (context) => {
  const { listener } = await listenForTest(context, url);
  const answer = await ask(listener, "/mqtt", {
    "sec-websocket-protocol": "mqtt",
    "sec-websocket-extensions": "permessage-deflate",
  });
  assert.equal(answer.status, 101);
  assert.equal(answer.extensions, undefined);
});

for (const beginning of ["", "GET /mqtt HTTP/1.1\r\nHost: x\r\n"]) {
  test(`a handshake that stops after ${beginning.length} bytes ends in bounded time`, async (context) => {
    const { listener } = await listenForTest(context, url, { limits: { connectSecondsMax: 0.3 } });
    const peer = await connectPeer(context, { host: "127.0.0.1", port: portOf(listener) });
    const startedAt = performance.now();
    peer.write(beginning);
    await nextEvent(peer.resume(), "close");
    const waited = performance.now() - startedAt;
    assert.ok(waited >= 200 && waited < 3000, `waited ${waited} ms`);
  });
}

test("transports name the listener and the peer", async (context) => {
  const { listener, acceptor } = await listenForTest(context, url);
  assert.match(listener.url, /^ws:\/\/127\.0\.0\.1:[1-9]\d*\/mqtt$/);
  const client = await openClient(context, listener);
  const { transport } = await firstConnection(acceptor);
  assert.equal(transport.listener, listener.url);
  assert.match(transport.remoteAddress, /^127\.0\.0\.1:\d+$/);
  client.terminate();
});

test("close stops accepting and leaves open WebSockets, but not half-made ones", async (context) => {
  const { listener, acceptor } = await listenForTest(context, url);
  const client = await openClient(context, listener);
  const halfMade = await connectPeer(context, { host: "127.0.0.1", port: portOf(listener) });
  halfMade.write("GET /mqtt HTTP/1.1\r\n");
  const connection = await firstConnection(acceptor);
  halfMade.resume();
  await listener.close();
  await until(() => halfMade.closed, "the end of the half-made one");
  client.send("still here", { binary: true });
  await until(() => connection.received.length > 0, "the message");
  await assert.rejects(openClient(context, listener), /ECONNREFUSED/);
});

test("a port in use is refused with the URL to use instead", async (context) => {
  const { listener } = await listenForTest(context, url);
  const next = portOf(listener) + 1;
  await assert.rejects(listenForTest(context, listener.url), {
    code: "LISTEN_ADDRESS_IN_USE",
    message: new RegExp(`choose another with --listen ws://127\\.0\\.0\\.1:${next}/mqtt$`),
  });
});

test("a message holds any packet that may come, and always an end", () => {
  assert.equal(messageBytesMax(defaultLimits), 2_097_152);
  assert.equal(messageBytesMax({ ...defaultLimits, packetBytesMax: 1000 }), 1_048_576);
  assert.equal(messageBytesMax({ ...defaultLimits, packetBytesMax: 268_435_460 }), 536_870_920);
});

async function openClient(context: TestContext, listener: Listener): Promise<WebSocket> {
  const client = new WebSocket(listener.url, "mqtt");
  context.after(() => client.terminate());
  await nextEvent(client, "open");
  return client;
}
