/** Connections of the sinks that speak HTTP: TLS with a CA of one's own, and what is heard when a server goes. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { HttpTarget } from "../../src/sinks/http-post.ts";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { TestAuthority } from "../listeners/test-authority.ts";

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const settings = {
  destination: "the test",
  timeoutSeconds: 5,
  headers: {},
  credentialsAdvice: "",
} as const;

const body = Buffer.from("a body");

async function open(t: TestContext, listener: RequestListener) {
  const server = createServer(listener);
  const url = new URL(`http://127.0.0.1:${await listen(t, server)}`);
  const lost: boolean[] = [];
  const heard = Promise.withResolvers<void>();
  const target = new HttpTarget({
    ...settings,
    lost(isSeen) {
      lost.push(isSeen);
      heard.resolve();
    },
  });
  t.after(() => target.close());
  return { server, target, lost, heard: heard.promise, post: () => target.post({ url, body }) };
}

const answerWith =
  (status: number, headers = {}): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end();
  };

test("a certificate is trusted when its CA was given, and otherwise the words say what to do", async (t) => {
  const authority = await TestAuthority.make();
  const altNames = [{ type: "ip", value: "127.0.0.1" }] as const;
  const { certificate, key } = await authority.issue("server", { altNames: [...altNames] });
  const server = createTlsServer({ cert: certificate, key }, answerWith(204));
  const url = new URL(`https://127.0.0.1:${await listen(t, server)}`);
  const trusting = new HttpTarget({ ...settings, ca: authority.certificate });
  const other = new HttpTarget(settings);
  t.after(() => {
    trusting.close();
    other.close();
  });
  assert.equal((await trusting.post({ url, body })).status, 204);
  await assert.rejects(other.post({ url, body }), (error) => {
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, /^the test cannot be reached: its certificate is not trusted: /);
    return true;
  });
});

test("a server that goes while nothing is asked is heard of at once", async (t) => {
  const { server, lost, heard, post } = await open(t, answerWith(204));
  await post();
  assert.deepEqual(lost, []);
  server.closeAllConnections();
  await heard;
  assert.deepEqual(lost, [true]);
});

test("a server that is away, or answers no more, is lost at a time that nobody knows", async (t) => {
  const broken = await open(t, (request) => request.socket.destroy());
  await assert.rejects(broken.post(), SinkUnavailable);
  assert.equal(broken.lost[0], false);
  const away = await open(t, answerWith(204));
  away.server.close();
  await once(away.server, "close");
  await assert.rejects(away.post(), SinkUnavailable);
  assert.deepEqual(away.lost, [false]);
});

for (const status of [502, 503, 504]) {
  test(`a proxy that answers ${status} has lost it`, async (t) => {
    const { lost, post } = await open(t, answerWith(status));
    await assert.rejects(post(), SinkUnavailable);
    assert.deepEqual(lost, [false]);
  });
}

test("what was announced, and what we do, is no loss", async (t) => {
  const { server, target, lost, post } = await open(t, answerWith(204, { connection: "close" }));
  await post();
  // Both sides have closed: the server knows of no connection any more.
  while ((await countConnections(server)) > 0) await turn();
  const kept = await open(t, answerWith(429));
  await assert.rejects(kept.post(), SinkUnavailable);
  kept.target.close();
  target.close();
  while ((await countConnections(kept.server)) > 0) await turn();
  assert.deepEqual([...lost, ...kept.lost], []);
});

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
