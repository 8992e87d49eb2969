import assert from "node:assert/strict";
import { type AddressInfo, createServer, Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import type { ListenOptions } from "./index.ts";
import { resolveContext } from "./listener.ts";
import {
  connectPeer,
  countedBytes,
  firstConnection,
  listenForTest,
  nextEvent,
  portOf,
  type RecordedConnection,
  RecordingAcceptor,
  readAll,
  until,
} from "./recording.ts";
import { acceptSocket, newSharedReads } from "./socket-transport.ts";

const manyBytes = 16_777_216;

/** Both ends of one connection. The peer reads nothing until it is told to. */
async function openPair(context: TestContext, options: ListenOptions = {}): Promise<Pair> {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0", options);
  const peer = await connectPeer(context, {
    host: "127.0.0.1",
    port: portOf(listener),
    allowHalfOpen: true,
  });
  return { peer, connection: await firstConnection(acceptor) };
}
interface Pair {
  readonly peer: Socket;
  readonly connection: RecordedConnection;
}

/** Writes small pieces until the operating system takes no more. Returns how many bytes went in. */
async function fillUp({ transport }: RecordedConnection): Promise<number> {
  let bytesWritten = 0;
  while (transport.pendingBytes === 0) {
    assert.ok(bytesWritten < manyBytes * 4, "the operating system takes everything");
    transport.write(countedBytes(1024, bytesWritten));
    bytesWritten += 1024;
  }
  return bytesWritten;
}

test("bytes arrive in order and uncut in both directions", async (context) => {
  const { peer, connection } = await openPair(context);
  connection.onReceive = (bytes) => connection.transport.write(bytes);
  const sent = countedBytes(4_000_000);
  peer.write(sent);
  const echoed: Buffer[] = [];
  peer.on("data", (bytes) => echoed.push(bytes));
  await until(() => peer.bytesRead === sent.length, "the echo");
  assert.equal(Buffer.compare(connection.received, sent), 0);
  assert.equal(Buffer.compare(Buffer.concat(echoed), sent), 0);
});

test("a write that the operating system takes at once leaves nothing pending and drains nothing", async (context) => {
  const { peer, connection } = await openPair(context);
  connection.transport.write(Buffer.from("x"));
  assert.equal(connection.transport.pendingBytes, 0);
  await nextEvent(peer, "data");
  assert.equal(connection.drainedCount, 0);
});

test("drained follows when pending bytes below the high water mark have gone", async (context) => {
  const { peer, connection } = await openPair(context);
  for (let round = 1; round <= 3; round += 1) {
    peer.pause();
    await fillUp(connection);
    assert.ok(connection.transport.pendingBytes <= 1024);
    assert.equal(connection.drainedCount, round - 1);
    peer.resume();
    await until(() => connection.drainedCount === round, "drained");
    assert.equal(connection.transport.pendingBytes, 0);
  }
});

test("pending bytes grow while the peer does not read, and drained comes once, at 0", async (context) => {
  const { peer, connection } = await openPair(context);
  const bytesWritten = await fillUp(connection);
  for (let count = 0; count < 100; count += 1) {
    connection.transport.write(countedBytes(65_536, bytesWritten + count * 65_536));
  }
  assert.ok(connection.transport.pendingBytes > 6_000_000);
  await setTimeout(20);
  assert.equal(connection.drainedCount, 0);
  const all = readAll(peer);
  await until(() => connection.drainedCount > 0, "drained");
  assert.equal(connection.pendingBytesWhenDrained, 0);
  connection.transport.end();
  peer.once("end", () => peer.end());
  const expected = countedBytes(bytesWritten + 6_553_600);
  assert.equal(Buffer.compare(await all, expected), 0);
  assert.equal(connection.drainedCount, 1);
});

test("drained never comes while bytes that were written meanwhile are pending", async (context) => {
  const { peer, connection } = await openPair(context);
  const { transport } = connection;
  await fillUp(connection);
  transport.write(Buffer.alloc(manyBytes));
  const pendingBytes = transport.pendingBytes;
  peer.resume();
  await until(() => transport.pendingBytes < pendingBytes, "the first bytes to go");
  assert.ok(transport.pendingBytes > 0, "the others are under way");
  transport.write(Buffer.alloc(manyBytes));
  await until(() => transport.pendingBytes === 0, "nothing pending");
  await until(() => connection.drainedCount > 0, "drained");
  assert.equal(connection.pendingBytesWhenDrained, 0);
});

test("connections that share a buffer to read into do not see each other's bytes", async (context) => {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0");
  const where = { host: "127.0.0.1", port: portOf(listener) };
  const peers = [await connectPeer(context, where), await connectPeer(context, where)];
  await until(() => acceptor.connections.length === peers.length, "two connections");
  const sent = [countedBytes(2_000_000), countedBytes(2_000_000, 7_000_000)];
  peers.forEach((peer, index) => {
    peer.write(sent[index]);
  });
  const received = () => acceptor.connections.map((connection) => connection.received);
  await until(() => received().every(({ length }) => length === sent[0].length), "all bytes");
  const [first, second] = received().sort(Buffer.compare);
  assert.equal(Buffer.compare(first, sent[0]), 0);
  assert.equal(Buffer.compare(second, sent[1]), 0);
});

test("all reads of a listener go into the same memory", async (context) => {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0");
  const where = { host: "127.0.0.1", port: portOf(listener) };
  for (const text of ["one", "two"]) (await connectPeer(context, where)).write(text);
  await until(() => acceptor.connections.every(({ chunks }) => chunks.length > 0), "the bytes");
  assert.equal(acceptor.connections.length, 2);
  const memory = new Set(acceptor.connections.flatMap(({ memory }) => [...memory]));
  assert.equal(memory.size, 1);
});

test("a socket without a handle stays as it is", () => {
  const socket = new Socket();
  assert.equal(newSharedReads().take(socket), socket);
});

test("a socket whose reads cannot be shared works all the same, and its reads are freed at once", async (context) => {
  const acceptor = new RecordingAcceptor();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  server.on("connection", (socket) => {
    const names = { remoteAddress: "peer", listener: "mqtt://127.0.0.1" };
    acceptSocket(socket, names, resolveContext(acceptor, {}));
  });
  server.listen(0, "127.0.0.1");
  context.after(() => server.close());
  await nextEvent(server, "listening");
  const { port } = server.address() as AddressInfo;
  const peer = await connectPeer(context, { host: "127.0.0.1", port });
  const sent = countedBytes(1_000_000);
  peer.write(sent);
  const connection = await firstConnection(acceptor);
  await until(() => connection.received.length === sent.length, "the bytes");
  assert.equal(Buffer.compare(connection.received, sent), 0);
  assert.ok(connection.memory.size > 1);
  for (const { byteLength } of connection.memory) assert.equal(byteLength, 0);
});

test("pause stops receive and resume brings everything in order", async (context) => {
  const { peer, connection } = await openPair(context);
  connection.onReceive = () => connection.transport.pause();
  const sent = countedBytes(2_000_000);
  peer.end(sent);
  await until(() => connection.chunks.length === 1, "the first bytes");
  await setTimeout(30);
  assert.equal(connection.chunks.length, 1);
  connection.onReceive = () => {};
  connection.transport.resume();
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(Buffer.compare(connection.received, sent), 0);
});

test("end delivers all pending bytes, then closes", async (context) => {
  const { peer, connection } = await openPair(context);
  const sent = countedBytes(manyBytes);
  connection.transport.write(sent);
  connection.transport.end();
  connection.transport.write(Buffer.from("ignored"));
  assert.ok(connection.transport.pendingBytes > 0);
  peer.once("end", () => peer.end());
  assert.equal(Buffer.compare(await readAll(peer), sent), 0);
  await until(() => connection.causes.length === 1, "closed");
  assert.deepEqual(connection.causes, [undefined]);
});

test("end waits a bounded time for a peer that never closes, and hears it no more", async (context) => {
  const { peer, connection } = await openPair(context, { limits: { endSecondsMax: 0.3 } });
  peer.resume();
  const startedAt = performance.now();
  connection.transport.end();
  peer.write("too late");
  await until(() => connection.causes.length === 1, "closed");
  const waited = performance.now() - startedAt;
  assert.ok(waited >= 250 && waited < 2000, `waited ${waited} ms`);
  assert.equal(connection.chunks.length, 0);
});

test("end waits a bounded time for a peer that never reads", async (context) => {
  const { connection } = await openPair(context, { limits: { endSecondsMax: 0.2 } });
  connection.transport.write(countedBytes(manyBytes));
  connection.transport.end();
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(connection.drainedCount, 0);
});

test("end sees a peer close even when it was paused with bytes unread", async (context) => {
  const { peer, connection } = await openPair(context);
  connection.onReceive = () => connection.transport.pause();
  peer.write(countedBytes(300_000));
  await until(() => connection.chunks.length === 1, "the first bytes");
  const startedAt = performance.now();
  connection.transport.end();
  peer.resume();
  peer.end();
  await until(() => connection.causes.length === 1, "closed");
  assert.ok(performance.now() - startedAt < 2000);
  assert.equal(connection.chunks.length, 1);
});

test("a peer that closes its side gets what was pending, and the connection closes", async (context) => {
  const { peer, connection } = await openPair(context);
  const sent = countedBytes(manyBytes);
  connection.transport.write(sent);
  peer.end("goodbye");
  assert.equal(Buffer.compare(await readAll(peer), sent), 0);
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(String(connection.received), "goodbye");
  assert.deepEqual(connection.causes, [undefined]);
});

test("a reset is told once, with its cause, and later calls do nothing", async (context) => {
  const { peer, connection } = await openPair(context);
  await fillUp(connection);
  peer.resetAndDestroy();
  await until(() => connection.causes.length === 1, "closed");
  assert.match(String(connection.causes[0]), /ECONNRESET|EPIPE/);
  connection.transport.write(Buffer.from("ignored"));
  connection.transport.pause();
  connection.transport.resume();
  connection.transport.end();
  connection.transport.destroy();
  await setTimeout(20);
  assert.equal(connection.causes.length, 1);
  assert.equal(connection.drainedCount, 0);
});

test("destroy closes at once, with pending bytes or without", async (context) => {
  const { connection } = await openPair(context);
  connection.transport.write(countedBytes(manyBytes));
  connection.transport.destroy();
  connection.transport.write(Buffer.from("ignored"));
  await until(() => connection.causes.length === 1, "closed");
  assert.deepEqual(connection.causes, [undefined]);
});

test("a transport destroyed while it is accepted is closed once", async (context) => {
  const { listener, acceptor } = await listenForTest(context, "mqtt://127.0.0.1:0");
  acceptor.onAccept = ({ transport }) => transport.destroy();
  const peer = await connectPeer(context, { host: "127.0.0.1", port: portOf(listener) });
  await nextEvent(peer.resume(), "close");
  const connection = await firstConnection(acceptor);
  await until(() => connection.causes.length === 1, "closed");
});
