import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import type { ListenOptions } from "./index.ts";
import {
  connectPeer,
  countedBytes,
  firstConnection,
  listenForTest,
  nextEvent,
  portOf,
  RecordedLog,
  until,
} from "./recording.ts";

const from = ["127.0.0.0/8"];
const text = Buffer.from("PROXY TCP4 192.0.2.1 198.51.100.1 5000 1883\r\n");
const binary = Buffer.from(
  "0d0a0d0a000d0a515549540a21110013c0000201c63364011388188304000401020304",
  "hex",
);

async function open(context: TestContext, options: ListenOptions = {}, url = "mqtt://127.0.0.1:0") {
  const log = new RecordedLog();
  const all = { proxyProtocol: { from }, log, ...options };
  const { listener, acceptor } = await listenForTest(context, url, all);
  const connect = (): Promise<Socket> =>
    connectPeer(context, { host: "127.0.0.1", port: portOf(listener), noDelay: true });
  return { listener, acceptor, log, connect };
}

for (const [name, header] of Object.entries({ text, binary })) {
  test(`the client's address and its bytes come through behind a ${name} header`, async (context) => {
    const { acceptor, connect } = await open(context);
    const peer = await connect();
    const bytes = countedBytes(300_000);
    peer.write(Buffer.concat([header, bytes]));
    const connection = await firstConnection(acceptor);
    assert.equal(connection.transport.remoteAddress, "192.0.2.1:5000");
    await until(() => connection.received.length >= bytes.length, "the bytes");
    assert.deepEqual(connection.received, bytes);
    connection.transport.write(Buffer.from("answer"));
    assert.equal(String((await nextEvent(peer, "data"))[0]), "answer");
    peer.end();
    await until(() => connection.causes.length > 0, "the end");
  });

  test(`a ${name} header may come byte by byte, and be cut anywhere`, async (context) => {
    const { acceptor, connect } = await open(context);
    const sent = Buffer.concat([header, Buffer.from("MQTT")]);
    for (let cut = 1; cut < sent.length; cut += 1) {
      const peer = await connect();
      peer.write(sent.subarray(0, cut));
      await new Promise(setImmediate);
      peer.write(sent.subarray(cut));
    }
    const slow = await connect();
    for (const byte of sent) {
      slow.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
    const isDone = () => acceptor.connections.length === sent.length;
    await until(isDone, "all of them");
    const complete = () => acceptor.connections.every(({ received }) => received.length === 4);
    await until(complete, "their bytes");
    for (const { transport, received } of acceptor.connections) {
      assert.equal(transport.remoteAddress, "192.0.2.1:5000");
      assert.equal(String(received), "MQTT");
    }
  });
}

test("what comes with the header waits while the transport is paused", async (context) => {
  const { acceptor, connect } = await open(context);
  acceptor.onAccept = ({ transport }) => setImmediate(() => transport.pause());
  const peer = await connect();
  peer.write(Buffer.concat([text, Buffer.from("first")]));
  const connection = await firstConnection(acceptor);
  await until(() => connection.received.length === 5, "what was there");
  peer.write("second");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(String(connection.received), "first");
  connection.transport.resume();
  await until(() => connection.received.length === 11, "the rest");
});

for (const header of ["PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n \0\0\0"]) {
  test(`a proxy that speaks for itself (${JSON.stringify(header)}) has its own address`, async (context) => {
    const { acceptor, connect } = await open(context);
    const peer = await connect();
    peer.write(Buffer.from(header, "latin1"));
    await new Promise(setImmediate);
    peer.write("MQTT");
    const { transport } = await firstConnection(acceptor);
    assert.equal(transport.remoteAddress, `127.0.0.1:${peer.localPort}`);
  });
}

test("a health probe that sends nothing, or LOCAL, and goes is not worth a line", async (context) => {
  const { listener, acceptor, log, connect } = await open(context);
  const silent = await connect();
  silent.end();
  await nextEvent(silent.resume(), "close");
  for (const header of [Buffer.from("\r\n\r\n\0\r\nQUIT\n \0\0\0", "latin1"), text, binary]) {
    const local = await connect();
    local.end(header);
    await nextEvent(local.resume(), "close");
  }
  await listener.close();
  assert.deepEqual([log.lines, acceptor.connections], [[], []]);
});

test("a header that breaks off, and one that is none, are refused with a line each", async (context) => {
  const { log, acceptor, connect } = await open(context);
  const broken = await connect();
  broken.end(text.subarray(0, 20));
  await nextEvent(broken.resume(), "close");
  const other = await connect();
  other.write("GET / HTTP/1.1\r\n\r\n");
  await nextEvent(other.resume(), "close");
  assert.match(log.lines[0], /^info a connection was refused .*ended before it was ready/);
  assert.match(log.lines[1], /^debug .*does not begin with a PROXY header.*"times":2/);
  assert.equal(acceptor.connections.length, 0);
});

test("a proxy that does not send its header has connectSecondsMax for it", async (context) => {
  const { acceptor, log, connect } = await open(context, { limits: { connectSecondsMax: 0.3 } });
  const peer = await connect();
  peer.write(text.subarray(0, 20));
  const startedAt = performance.now();
  await nextEvent(peer.resume(), "close");
  const waited = performance.now() - startedAt;
  assert.ok(waited >= 200 && waited < 3000, `waited ${waited} ms`);
  assert.match(log.told.join(), /took too long/);
  assert.equal(acceptor.connections.length, 0);
});

test("who is none of the proxies may not pretend to be one, nor come without a header", async (context) => {
  const { acceptor, log, connect } = await open(context, {
    proxyProtocol: { from: ["192.0.2.7", "fd00::/8"] },
  });
  for (const bytes of [text, Buffer.from("100c00044d515454", "hex")]) {
    const peer = await connect();
    peer.write(bytes);
    await nextEvent(peer.resume(), "close");
  }
  assert.equal(acceptor.connections.length, 0);
  assert.equal(log.told.length, 1);
  assert.match(log.told[0], /^warn .*none of the proxies.*"remote":"127\.0\.0\.1:\d+"/);
});

test("ws has the client's address too", async (context) => {
  const { listener, acceptor, connect } = await open(context, {}, "ws://127.0.0.1:0/mqtt");
  const peer = await connect();
  peer.write(binary);
  const client = new WebSocket(listener.url, "mqtt", { createConnection: () => peer });
  context.after(() => client.terminate());
  await nextEvent(client, "open");
  client.send(Buffer.from("hello"));
  const connection = await firstConnection(acceptor);
  assert.equal(connection.transport.remoteAddress, "192.0.2.1:5000");
  await until(() => connection.received.length === 5, "the message");
});

const mistakes: readonly (readonly [string, ListenOptions["proxyProtocol"], RegExp])[] = [
  ["mqtt://127.0.0.1:0", { from: [] }, /CONFIGURATION_INVALID.*from is empty/],
  ["mqtt://127.0.0.1:0", { from: ["localhost"] }, /CONFIGURATION_INVALID.*"localhost" in/],
  ["mqtt://127.0.0.1:0", { from: ["10.0.0.0/33"] }, /neither an address nor a subnet/],
  ["mqtt://127.0.0.1:0", { from: ["10.0.0.0/"] }, /neither an address nor a subnet/],
  ["mqtt://127.0.0.1:0", { from: ["fd00::/129"] }, /neither an address nor a subnet/],
  ["mqtt://127.0.0.1:0", { from: [""] }, /neither an address nor a subnet/],
  ["unix:///tmp/never-made.sock", { from }, /LISTEN_URL_INVALID.*proxies with an address/],
];

for (const [url, proxyProtocol, why] of mistakes) {
  test(`${url} with proxyProtocol.from ${JSON.stringify(proxyProtocol?.from)} does not open`, async (context) => {
    await assert.rejects(listenForTest(context, url, { proxyProtocol }), (error) => {
      const { code, message } = error as { code: string; message: string };
      assert.match(`${code} ${message}`, why);
      return true;
    });
  });
}
