import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { type TestContext, test } from "node:test";
import { HttpTarget, quoteAnswer } from "./http-post.ts";
import { SinkUnavailable } from "./sink.ts";

const secret = "s3cret-token";

async function serve(
  t: TestContext,
  listener: RequestListener,
): Promise<{ server: Server; url: URL }> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { server, url: new URL(`http://127.0.0.1:${port}/write?token=${secret}`) };
}

function openTarget(t: TestContext, timeoutSeconds = 5): HttpTarget {
  const target = new HttpTarget({
    destination: "the test at 127.0.0.1",
    timeoutSeconds,
    headers: { authorization: `Bearer ${secret}` },
    credentialsAdvice: "mend --test-token-file",
  });
  t.after(() => target.close());
  return target;
}

async function catchUnavailable(asked: Promise<unknown>): Promise<SinkUnavailable> {
  try {
    await asked;
  } catch (error) {
    assert.ok(error instanceof SinkUnavailable, String(error));
    assert.ok(!error.message.includes(secret), "a secret in a message");
    return error;
  }
  return assert.fail("nothing was thrown");
}

const body = Buffer.from("a body");

test("Bodies go out on one connection, and 2xx and 4xx come back with what was said", async (t) => {
  const answers = [204, 400, 413, 404];
  const asked: (string | undefined)[] = [];
  let connections = 0;
  const { server, url } = await serve(t, async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    asked.push(request.headers.authorization, request.headers["x-kind"]?.toString());
    response.statusCode = answers.shift() ?? 500;
    response.end(response.statusCode === 204 ? undefined : `got ${Buffer.concat(chunks)}`);
  });
  server.on("connection", () => {
    connections += 1;
  });
  const target = openTarget(t);
  const headers = { "x-kind": "test" };
  assert.deepEqual(await target.post({ url, body, headers }), { status: 204, text: "" });
  assert.deepEqual(await target.post({ url, body }), { status: 400, text: "got a body" });
  assert.deepEqual(await target.post({ url, body }), { status: 413, text: "got a body" });
  assert.deepEqual(await target.post({ url, body }), { status: 404, text: "got a body" });
  assert.deepEqual(asked.slice(0, 4), [`Bearer ${secret}`, "test", `Bearer ${secret}`, undefined]);
  assert.equal(connections, 1);
});

for (const [status, message] of [
  [401, "the test at 127.0.0.1 does not accept these credentials (401): mend --test-token-file"],
  [403, "the test at 127.0.0.1 does not accept these credentials (403): mend --test-token-file"],
  [302, "the test at 127.0.0.1 sends us elsewhere (302): give the URL where it leads"],
  [408, "the test at 127.0.0.1 is not ready (408): wait a little"],
  [429, "the test at 127.0.0.1 is not ready (429): wait a little"],
  [500, "the test at 127.0.0.1 is not ready (500): wait a little"],
  [503, "the test at 127.0.0.1 is not ready (503): wait a little"],
] as const) {
  test(`${status} is for later`, async (t) => {
    const { url } = await serve(t, (request, response) => {
      request.resume();
      response
        .writeHead(status, { location: "http://elsewhere.example" })
        .end(" wait\na\u0000little\r\n");
    });
    const error = await catchUnavailable(openTarget(t).post({ url, body }));
    assert.equal(error.message, message);
    assert.equal(error.retryAfterSeconds, undefined);
  });
}

test("Retry-After is seconds or a date, and never more than an hour", async (t) => {
  const inAMinute = new Date(Date.now() + 60_000).toUTCString();
  const values = ["7", "99999999", "Mon, 01 Jan 2024 00:00:00 GMT", inAMinute, "soon"];
  const { url } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(429, { "retry-after": values.shift() }).end();
  });
  const target = openTarget(t);
  const waits: (number | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    waits.push((await catchUnavailable(target.post({ url, body }))).retryAfterSeconds);
  }
  assert.deepEqual(waits.slice(0, 3), [7, 3600, 0]);
  assert.ok(waits[3] !== undefined && waits[3] > 50 && waits[3] <= 60, String(waits[3]));
  assert.equal(waits[4], undefined);
});

test("A server that says nothing is left after the time, and one that is not there at once", async (t) => {
  const { server, url } = await serve(t, (request) => request.resume());
  const silent = await catchUnavailable(openTarget(t, 0.05).post({ url, body }));
  assert.equal(silent.message, "the test at 127.0.0.1 did not answer within 0.05 s");
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const gone = await catchUnavailable(openTarget(t).post({ url, body }));
  assert.match(gone.message, /^the test at 127.0.0.1 cannot be reached: connection refused: /);
});

test("An answer that begins and does not end is left after the time", async (t) => {
  const { url } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(200, { "content-length": 10 }).write("begin");
  });
  const error = await catchUnavailable(openTarget(t, 0.1).post({ url, body }));
  assert.match(error.message, /did not answer within/);
});

test("A connection that the server closes while it waits is replaced without a word", async (t) => {
  let asked = 0;
  // No HTTP server of Node closes so rudely: it takes the second question and resets the connection.
  const server = createTcpServer((socket) => {
    let onThis = 0;
    socket.on("error", () => socket.destroy());
    socket.on("data", () => {
      onThis += 1;
      asked += 1;
      if (onThis === 1) socket.write("HTTP/1.1 204 No Content\r\n\r\n");
      else socket.resetAndDestroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  const target = openTarget(t);
  assert.equal((await target.post({ url, body: Buffer.from("") })).status, 204);
  assert.equal((await target.post({ url, body: Buffer.from("") })).status, 204);
  assert.equal(asked, 3);
});

test("What is no HTTP, and no TLS, is told so", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.end("SSH-2.0-OpenSSH\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const target = openTarget(t);
  const plain = await catchUnavailable(
    target.post({ url: new URL(`http://127.0.0.1:${port}`), body }),
  );
  assert.match(plain.message, /speaks no HTTP/);
  const tls = await catchUnavailable(
    target.post({ url: new URL(`https://127.0.0.1:${port}`), body }),
  );
  assert.match(tls.message, /speaks no TLS/);
});

test("A server that wants to speak something else than HTTP is left at once", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("error", () => socket.destroy());
    socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const error = await catchUnavailable(openTarget(t).post({ url, body }));
  assert.match(error.message, /cannot be reached: it wants to speak something else \(101\)/);
});

test("Of a long answer the begin is kept, and the connection is used again", async (t) => {
  const { url } = await serve(t, (request, response) => {
    request.resume();
    response.writeHead(400).end("x".repeat(300_000));
  });
  const target = openTarget(t);
  for (let i = 0; i < 2; i++) {
    assert.equal((await target.post({ url, body })).text.length, 65_536);
  }
});

test("What a server said is one line of at most 300 characters", () => {
  assert.equal(quoteAnswer(" \r\n\u0007"), "");
  assert.equal(quoteAnswer(" a\u2028b\u001b[31m\tc "), ": a b [31m c");
  assert.equal(quoteAnswer("y".repeat(400)), `: ${"y".repeat(300)} ...`);
});
