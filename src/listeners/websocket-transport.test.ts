import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { WebSocket } from "ws";
import type { ListenOptions } from "./index.ts";
import {
  connectPeer,
  countedBytes,
  firstConnection,
  listenForTest,
  nextEvent,
  portOf,
  type RecordedConnection,
  until,
} from "./recording.ts";

const manyBytes = 16_777_216;
const url = "ws://127.0.0.1:0/mqtt";

interface Pair {
  readonly client: WebSocket;
  /** The socket below the client. */
  readonly peer: Socket;
  readonly connection: RecordedConnection;
  readonly messages: Buffer[];
}

async function openPair(context: TestContext, options: ListenOptions = {}): Promise<Pair> {
  const { listener, acceptor } = await listenForTest(context, url, options);
  const sockets: Socket[] = [];
  const client = new WebSocket(listener.url, "mqtt", {
    createConnection: () => {
      sockets.push(connect(portOf(listener), "127.0.0.1"));
      return sockets[0];
    },
  });
  context.after(() => client.terminate());
  const messages: Buffer[] = [];
  client.on("message", (bytes, isBinary) => {
    assert.ok(isBinary, "only binary messages are sent");
    messages.push(bytes as Buffer);
  });
  await nextEvent(client, "open");
  return { client, peer: sockets[0], connection: await firstConnection(acceptor), messages };
}

/** A peer that speaks just enough to become a WebSocket, and then does nothing by itself. */
async function openSilentPair(context: TestContext, options: ListenOptions) {
  const { listener, acceptor } = await listenForTest(context, url, options);
  const peer = await connectPeer(context, { host: "127.0.0.1", port: portOf(listener) });
  peer.write(
    "GET /mqtt HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
  );
  return { peer, connection: await firstConnection(acceptor) };
}

/** Numbers from 0 to below `limit`, the same for the same seed (a linear congruential generator). */
function drawFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

test("5.0 [MQTT-6.0.0-1] 3.1.1 [MQTT-6.0.0-1] a text message closes the connection and is not received", async (context) => {
  const { client, connection } = await openPair(context);
  client.send("text");
  client.send(Buffer.from("binary, too late"));
  const [code] = await nextEvent(client, "close");
  assert.equal(code, 1003);
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(connection.chunks.length, 0);
});

test("5.0 [MQTT-6.0.0-1] 3.1.1 [MQTT-6.0.0-1] what is written goes out as binary messages, in order", async (context) => {
  const { messages, connection } = await openPair(context);
  const pieces = [Buffer.from([0xd0, 0]), countedBytes(200), countedBytes(100_000)];
  for (const piece of pieces) connection.transport.write(piece);
  await until(() => messages.length === 3, "three messages");
  assert.deepEqual(messages, pieces);
});

test("5.0 [MQTT-6.0.0-2] 3.1.1 [MQTT-6.0.0-2] bytes are one stream however they are cut into messages and fragments", async (context) => {
  const { client, connection } = await openPair(context);
  const seed = randomInt(2 ** 32);
  context.diagnostic(`seed ${seed}`);
  const draw = drawFrom(seed);
  const sent = countedBytes(40_000);
  for (let at = 0; at < sent.length; ) {
    const length = Math.min(draw(900), sent.length - at);
    const fin = at + length === sent.length || draw(3) > 0;
    client.send(sent.subarray(at, at + length), { binary: true, fin });
    at += length;
  }
  await until(() => connection.received.length >= sent.length, "all bytes");
  assert.equal(Buffer.compare(connection.received, sent), 0, `seed ${seed}`);
});

test("the memory of what has been received is given back, however messages were cut", async (context) => {
  const { client, peer, connection } = await openPair(context);
  const frees = context.mock.method(ArrayBuffer.prototype, "transfer").mock;
  peer.cork(); // `ws` writes the head and the payload of a frame apart: they go as one chunk
  client.send(countedBytes(1000));
  peer.uncork();
  await until(() => connection.chunks.length === 1, "the first message");
  await until(() => frees.callCount() === 1, "its chunk given back");
  assert.deepEqual(
    [...connection.memory].map(({ byteLength }) => byteLength),
    [0],
  );
  client.send(countedBytes(300_000));
  await until(() => connection.chunks.length === 2, "the second message");
  await until(() => frees.callCount() > 4, "its chunks given back, all but the last of 64 KB each");
});

test("a pong that waits for a slow peer keeps the payload of its ping", async (context) => {
  const { peer, connection } = await openSilentPair(context, {});
  const { transport } = connection;
  const received: Buffer[] = [];
  peer.on("data", (bytes) => received.push(bytes));
  peer.pause();
  while (transport.pendingBytes === 0) transport.write(Buffer.alloc(65_536));
  // Masked with zeros: a ping, and in the same chunk a message that ends it.
  peer.write(Buffer.from("\x89\x85\0\0\0\0hello\x82\x81\0\0\0\0m", "latin1"));
  await until(() => connection.chunks.length === 1, "the message");
  peer.resume();
  await until(() => transport.pendingBytes === 0, "all is written");
  transport.end();
  const close = Buffer.from([0x88, 2, 1000 >> 8, 1000 & 0xff]);
  await until(
    () => Buffer.concat(received.slice(-2)).subarray(-4).equals(close),
    "the close frame",
  );
  assert.deepEqual(
    Buffer.concat(received).subarray(-11, -4),
    Buffer.from("\x8a\x05hello", "latin1"),
  );
});

test("a message beyond the bound ends the connection with 1009 and a cause", async (context) => {
  const { client, connection } = await openPair(context, { limits: { packetBytesMax: 1000 } });
  client.send(Buffer.alloc(1_048_576));
  client.send(Buffer.alloc(1_048_577));
  const [code] = await nextEvent(client, "close");
  assert.equal(code, 1009);
  await until(() => connection.causes.length === 1, "closed");
  assert.ok(connection.causes[0] instanceof Error);
  assert.equal(connection.received.length, 1_048_576);
});

test("pending bytes grow while the peer does not read, and drained comes once, at 0", async (context) => {
  const { peer, messages, connection } = await openPair(context);
  const { transport } = connection;
  peer.pause();
  let written = 0;
  while (transport.pendingBytes === 0) {
    assert.ok(written < manyBytes * 4, "the operating system takes everything");
    transport.write(countedBytes(1024, written));
    written += 1024;
  }
  transport.write(countedBytes(1_000_000, written));
  written += 1_000_000;
  assert.ok(transport.pendingBytes >= 1_000_000);
  await setTimeout(20);
  assert.equal(connection.drainedCount, 0);
  peer.resume();
  await until(() => connection.drainedCount > 0, "drained");
  assert.equal(connection.pendingBytesWhenDrained, 0);
  await until(() => Buffer.concat(messages).length === written, "all bytes");
  assert.equal(Buffer.compare(Buffer.concat(messages), countedBytes(written)), 0);
  assert.equal(connection.drainedCount, 1);
});

test("pause holds even the messages of the same chunk, and resume brings all in order", async (context) => {
  const { client, peer, connection } = await openPair(context);
  connection.onReceive = () => connection.transport.pause();
  const sent = countedBytes(400_000);
  peer.cork();
  for (let at = 0; at < sent.length; at += 100) client.send(sent.subarray(at, at + 100));
  peer.uncork();
  await until(() => connection.chunks.length === 1, "the first message");
  await setTimeout(30);
  assert.equal(connection.chunks.length, 1);
  connection.transport.resume();
  connection.transport.resume();
  await setTimeout(30);
  assert.equal(connection.chunks.length, 2);
  connection.onReceive = () => {};
  connection.transport.resume();
  await until(() => connection.received.length === sent.length, "all bytes");
  assert.equal(Buffer.compare(connection.received, sent), 0);
});

test("end delivers all pending bytes, then closes normally", async (context) => {
  const { client, peer, messages, connection } = await openPair(context);
  peer.pause();
  const sent = countedBytes(manyBytes);
  connection.transport.write(sent);
  connection.transport.end();
  connection.transport.write(Buffer.from("ignored"));
  assert.ok(connection.transport.pendingBytes > 0);
  peer.resume();
  const [code] = await nextEvent(client, "close");
  assert.equal(code, 1000);
  assert.equal(Buffer.compare(Buffer.concat(messages), sent), 0);
  await until(() => connection.causes.length === 1, "closed");
  assert.deepEqual(connection.causes, [undefined]);
});

test("end sees a peer close even when it was paused with messages held", async (context) => {
  const { client, connection } = await openPair(context);
  connection.onReceive = () => connection.transport.pause();
  for (let count = 0; count < 1000; count += 1) client.send(Buffer.alloc(100));
  await until(() => connection.chunks.length === 1, "the first message");
  const startedAt = performance.now();
  connection.transport.end();
  await until(() => connection.causes.length === 1, "closed");
  assert.ok(performance.now() - startedAt < 2000);
  assert.equal(connection.chunks.length, 1);
});

for (const pendingBytes of [0, manyBytes]) {
  test(`end with ${pendingBytes} bytes waits a bounded time for a peer that never answers`, async (context) => {
    const { connection } = await openSilentPair(context, { limits: { endSecondsMax: 0.3 } });
    connection.transport.write(Buffer.alloc(pendingBytes));
    const startedAt = performance.now();
    connection.transport.end();
    await until(() => connection.causes.length === 1, "closed");
    const waited = performance.now() - startedAt;
    assert.ok(waited >= 250 && waited < 2000, `waited ${waited} ms`);
    assert.equal(connection.drainedCount, 0);
  });
}

test("a peer that closes is told once, and later calls do nothing", async (context) => {
  const { client, connection } = await openPair(context);
  client.send(Buffer.from("goodbye"));
  client.close();
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(String(connection.received), "goodbye");
  connection.transport.write(Buffer.from("ignored"));
  connection.transport.pause();
  connection.transport.resume();
  connection.transport.end();
  connection.transport.destroy();
  await setTimeout(20);
  assert.deepEqual(connection.causes, [undefined]);
  assert.equal(connection.transport.pendingBytes, 0);
});

test("a reset and a missing close frame close the transport once", async (context) => {
  for (const leave of ["resetAndDestroy", "end"] as const) {
    const { peer, connection } = await openSilentPair(context, {});
    peer[leave]();
    await until(() => connection.causes.length === 1, "closed");
    await setTimeout(10);
    assert.equal(connection.causes.length, 1);
  }
});

test("destroy closes at once and nothing held is received any more", async (context) => {
  const { client, connection } = await openPair(context);
  connection.onReceive = () => connection.transport.pause();
  for (let count = 0; count < 1000; count += 1) client.send(Buffer.alloc(100));
  await until(() => connection.chunks.length === 1, "the first message");
  connection.transport.write(countedBytes(manyBytes));
  connection.transport.destroy();
  connection.transport.resume();
  await until(() => connection.causes.length === 1, "closed");
  assert.equal(connection.chunks.length, 1);
});
