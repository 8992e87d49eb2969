import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { silentLog, TstackError } from "../base/index.ts";
import { listen } from "./index.ts";
import {
  connectPeer,
  firstConnection,
  listenForTest,
  nextEvent,
  portOf,
  RecordingAcceptor,
} from "./recording.ts";
import { guardServer } from "./server.ts";

async function connectTcp(context: TestContext, host: string, port: number) {
  return connectPeer(context, { host, port });
}

test("names the real port when 0 was asked for, and the peer by its address", async (context) => {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0");
  assert.match(listener.url, /^mqtt:\/\/127\.0\.0\.1:[1-9]\d*$/);
  const peer = await connectTcp(context, "127.0.0.1", portOf(listener));
  const { transport } = await firstConnection(acceptor);
  assert.equal(transport.listener, listener.url);
  assert.equal(transport.remoteAddress, `127.0.0.1:${peer.localPort}`);
});

test("listens on IPv6 and writes its peers in brackets", async (context) => {
  if (!(await hasIpv6())) return context.skip("this machine has no IPv6 loopback");
  const { listener, acceptor } = await listenForTest(context, "mqtt://[::1]:0");
  const peer = await connectTcp(context, "::1", portOf(listener));
  const { transport } = await firstConnection(acceptor);
  assert.equal(transport.remoteAddress, `[::1]:${peer.localPort}`);
});

test("names an IPv4 peer of an IPv6 listener by its IPv4 address", async (context) => {
  if (!(await hasIpv6())) return context.skip("this machine has no IPv6 loopback");
  const { listener, acceptor } = await listenForTest(context, "mqtt://[::ffff:127.0.0.1]:0");
  const peer = await connectTcp(context, "127.0.0.1", portOf(listener));
  const { transport } = await firstConnection(acceptor);
  assert.equal(transport.remoteAddress, `127.0.0.1:${peer.localPort}`);
});

test("a port in use is refused with a sentence that says what to do", async (context) => {
  const { listener } = await listenForTest(context, "mqtt://127.0.0.1:0");
  const port = portOf(listener);
  await assert.rejects(listenForTest(context, listener.url), {
    code: "LISTEN_ADDRESS_IN_USE",
    message:
      `port ${port} of 127.0.0.1 is in use by another program; ` +
      `choose another with --listen mqtt://127.0.0.1:${port + 1}`,
  });
});

test("an address of another machine is refused with a sentence", async () => {
  await assert.rejects(
    listen("mqtt://192.0.2.1:0", new RecordingAcceptor()),
    (error) =>
      error instanceof TstackError &&
      error.code === "LISTEN_FAILED" &&
      /192\.0\.2\.1 is not an address of this machine/.test(error.message) &&
      error.cause instanceof Error,
  );
});

test("close stops accepting at once and leaves open transports alone", async (context) => {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0");
  const peer = await connectTcp(context, "127.0.0.1", portOf(listener));
  const connection = await firstConnection(acceptor);
  connection.onReceive = (bytes) => connection.transport.write(bytes);
  await listener.close();
  await listener.close();
  const late = connect(portOf(listener), "127.0.0.1");
  const [error] = await nextEvent(late, "error");
  assert.match(String(error), /ECONNREFUSED/);
  peer.write("still here");
  assert.equal(String((await nextEvent(peer, "data"))[0]), "still here");
  assert.equal(connection.causes.length, 0);
  const again = await listen(listener.url, acceptor);
  await again.close();
});

test("a connection that cannot be accepted is told to the log, not too often, and ends nothing", () => {
  const server = createServer();
  const warnings: object[] = [];
  const log = { ...silentLog, warn: (fields: object) => warnings.push(fields) };
  guardServer(server, { kind: "tcp", isEncrypted: false, host: "127.0.0.1", port: 1883 }, log);
  for (let count = 0; count < 100; count += 1) server.emit("error", new Error("EMFILE"));
  assert.equal(warnings.length, 1);
});

async function hasIpv6(): Promise<boolean> {
  const server = createServer();
  const outcome = Promise.race([nextEvent(server, "listening"), nextEvent(server, "error")]);
  server.listen(0, "::1");
  await outcome.catch(() => undefined);
  const { listening } = server;
  server.close();
  return listening;
}
