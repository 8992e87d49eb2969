/** What servers of remote write answer: as Prometheus, Mimir and proxies before them do, which Debian has no servers of. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { PassThrough } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { prometheusSink } from "../../src/sinks/prometheus/index.ts";

interface Asked {
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
}

/** Answers these one after the other, and 204 afterwards. */
async function open(t: TestContext, answers: [status: number, text?: string][]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    asked.push({ headers: request.headers, bytes: (await buffer(request)).length });
    const [status, text] = answers.shift() ?? [204];
    response.writeHead(status).end(text);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/push`;
  const configured = await prometheusSink.configure({
    "prometheus-url": url,
    "prometheus-token": "secret",
  });
  const sink = await configured.open({ stdout: new PassThrough(), say: () => undefined });
  t.after(() => sink.close());
  const attempt = async (count = 3) => {
    const error = await sink.write(maker.numbers(count)).catch((reason: unknown) => reason);
    assert.ok(!String(error).includes("secret"));
    return error;
  };
  return { attempt, asked };
}

const maker = new MessageMaker();

test("the headers are those of version 1", async (t) => {
  const { attempt, asked } = await open(t, []);
  assert.equal(await attempt(), 3);
  const [{ headers }] = asked;
  assert.equal(headers["content-type"], "application/x-protobuf");
  assert.equal(headers["content-encoding"], "snappy");
  assert.equal(headers["x-prometheus-remote-write-version"], "0.1.0");
  assert.equal(headers.authorization, "Bearer secret");
});

for (const [status, text] of [
  [400, "out of order sample"],
  [409, "duplicate sample for timestamp"],
  [413, "too large"],
  [422, "label limit"],
] as const) {
  test(`${status} is a refusal, of nobody knows which`, async (t) => {
    const { attempt } = await open(t, [[status, `${text}\n`]]);
    const error = await attempt();
    assert.ok(error instanceof SinkRefusal);
    assert.equal(error.refused, undefined);
    assert.match(error.message, new RegExp(`refused it \\(${status}\\): ${text}$`));
    assert.equal(await attempt(), 3);
  });
}

for (const [status, words] of [
  [404, /takes no remote write at this path \(404\): nothing here; see --prometheus-url/],
  [405, /takes no remote write at this path \(405\)/],
  [401, /does not accept these credentials \(401\): see --prometheus-user/],
  [429, /is not ready \(429\)/],
  [500, /is not ready \(500\)/],
] as const) {
  test(`${status} is for later, and nothing is sent twice after it`, async (t) => {
    const { attempt, asked } = await open(t, [[204], [status, "nothing here"]]);
    assert.equal(await attempt(), 3);
    const error = await attempt();
    assert.ok(error instanceof SinkUnavailable);
    assert.match(error.message, words);
    assert.equal(await attempt(), 3);
    assert.equal(asked.length, 3);
  });
}

test("a proxy that cannot reach it: what it had last goes first, refused or not", async (t) => {
  const { attempt, asked } = await open(t, [
    [204],
    [204],
    [502, "bad gateway"],
    [204],
    [400, "old"],
  ]);
  assert.equal(await attempt(1), 1);
  assert.equal(await attempt(50), 50);
  assert.ok((await attempt(2)) instanceof SinkUnavailable);
  assert.equal(await attempt(2), 2);
  const sizes = asked.map(({ bytes }) => bytes);
  assert.deepEqual(sizes.slice(3, 5), sizes.slice(0, 2), "again, in order");
  assert.equal(sizes.length, 6);
  assert.equal(await attempt(2), 2);
  assert.equal(asked.length, 7, "once");
});
