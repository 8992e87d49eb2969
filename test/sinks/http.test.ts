/** Webhooks: the suite, what a post looks like, and what follows from each kind of answer. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { type TestContext, test } from "node:test";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { httpSink } from "../../src/sinks/http/index.ts";
import { type Sink, SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import type { SinkValues } from "../../src/sinks/sink.ts";
import { readJsonValues } from "./json-values.ts";
import { type Answer, WebhookServer } from "./webhook-server.ts";

const say = () => undefined;

for (const values of [{ "http-format": "json" }, { "http-format": "jsonl", "http-gzip": "true" }]) {
  const traits = { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: false };
  testSink(`http as ${values["http-format"]}`, traits, async () => {
    const server = await WebhookServer.start();
    return {
      sink: await httpSink.configure({ "http-url": server.url, ...values }),
      readBack: async () =>
        server.taken.flatMap(({ text }) =>
          text
            .split(/,?\n/)
            .filter((line) => line.startsWith("{"))
            .flatMap(readJsonValues),
        ),
      interrupt: () => server.stop(),
      resume: () => server.resume(),
      end: () => server.stop(),
    };
  });
}

async function openHook(t: TestContext, values: SinkValues = {}) {
  const server = await WebhookServer.start();
  t.after(() => server.stop());
  const configured = await httpSink.configure({ "http-url": server.url, ...values });
  const sink = await configured.open({ stdout: process.stdout, say });
  t.after(() => sink.close());
  return { server, sink, configured };
}

test("a post is JSON to the path and query that were given, over one connection", async (t) => {
  const { server, sink, configured } = await openHook(t);
  assert.doesNotMatch(configured.destination, /hidden|\/hook/, "which may be a secret");
  const batch = new MessageMaker().numbers(6);
  for (const start of [0, 2, 4]) assert.equal(await sink.write(batch.slice(start, start + 2)), 2);
  assert.equal(server.connections, 1);
  const [post] = server.posts;
  assert.equal(post.path, "/hook?key=hidden");
  assert.equal(post.headers["content-type"], "application/json");
  assert.equal(post.headers.authorization, undefined);
  assert.equal(post.headers["tstack-signature"], undefined);
  assert.deepEqual(
    JSON.parse(post.text).map(({ fields }: { fields: unknown }) => fields),
    [{ value: 0.5 }, { value: 1.5 }],
  );
  assert.equal(configured.explain(batch[0]), `[\n${post.text.split(/,?\n/)[1]}\n]`);
});

test("a secret signs time and bytes, and a token is sent", async (t) => {
  const values = { "http-secret": "shared secret", "http-token": "bearer", "http-gzip": "true" };
  const { server, sink } = await openHook(t, values);
  await sink.write(new MessageMaker().numbers(2));
  const [{ headers, body, text }] = server.posts;
  assert.equal(headers.authorization, "Bearer bearer");
  assert.equal(headers["content-encoding"], "gzip");
  assert.equal(JSON.parse(text).length, 2);
  const [, seconds, signature] =
    /^t=(\d+),v1=([\da-f]{64})$/.exec(String(headers["tstack-signature"])) ?? [];
  assert.ok(Math.abs(Number(seconds) - Date.now() / 1000) < 30);
  const hmac = createHmac("sha256", "shared secret").update(`${seconds}.`).update(body);
  assert.equal(signature, hmac.digest("hex"));
});

test("the same batch has the same key, also of a sink that was opened anew, and another has another", async (t) => {
  const { server, sink, configured } = await openHook(t, { "http-gzip": "true" });
  const batch = new MessageMaker().numbers(4);
  server.answer = () => ({ status: 503 });
  await assert.rejects(sink.write(batch), SinkUnavailable);
  server.answer = () => ({ status: 200 });
  await sink.write(batch);
  const again = await configured.open({ stdout: process.stdout, say });
  await again.write(batch);
  await again.close();
  await sink.write(batch.slice(0, 2));
  const keys = server.posts.map(({ headers }) => headers["idempotency-key"]);
  assert.match(String(keys[0]), /^[\da-f]{32}$/);
  assert.deepEqual(keys.slice(1, 3), [keys[0], keys[0]]);
  assert.notEqual(keys[3], keys[0]);
});

async function answerOf(sink: Sink, server: WebhookServer, answer: Answer): Promise<Error> {
  server.answer = () => answer;
  try {
    await sink.write(new MessageMaker().numbers(2));
  } catch (error) {
    return error as Error;
  }
  throw new Error(`${answer.status} was taken for an answer`);
}

test("what may be mended is waited for, a verdict on the batch is a refusal of nobody knows what", async (t) => {
  const { server, sink } = await openHook(t, { "http-token": "never-shown" });
  for (const status of [
    302, 307, 401, 402, 403, 404, 405, 408, 410, 415, 423, 426, 429, 431, 451, 500, 502, 503, 504,
  ]) {
    const headers = status < 400 ? { location: "http://127.0.0.1:1/" } : undefined;
    const error = await answerOf(sink, server, { status, headers });
    assert.ok(error instanceof SinkUnavailable, `${status}`);
    assert.match(
      error.message,
      new RegExp(`^webhook at http://127\\.0\\.0\\.1:\\d+ .*\\b${status}\\b`),
    );
    assert.doesNotMatch(error.message, /never-shown|hidden/);
  }
  for (const status of [400, 409, 413, 422]) {
    const error = await answerOf(sink, server, { status, text: "no such\nplace" });
    assert.ok(error instanceof SinkRefusal, `${status}`);
    assert.equal(error.refused, undefined);
    assert.match(error.message, new RegExp(`refuses it \\(${status}\\): no such place$`));
  }
  assert.equal(server.taken.length, 0);
});

test("it comes back no sooner than it is asked to", async (t) => {
  const { server, sink } = await openHook(t);
  const later = { status: 429, headers: { "retry-after": "17" } };
  const error = await answerOf(sink, server, later);
  assert.ok(error instanceof SinkUnavailable);
  assert.equal(error.retryAfterSeconds, 17);
});

test("who breaks off or never answers is unavailable", async (t) => {
  const { server, sink } = await openHook(t, { "http-timeout": "1s" });
  const batch = new MessageMaker().numbers(2);
  server.answer = () => undefined;
  await assert.rejects(sink.write(batch), SinkUnavailable);
  server.answer = () => ({ status: 204 });
  assert.equal(await sink.write(batch), 2);
  await server.stop();
  await assert.rejects(sink.write(batch), {
    code: "SINK_UNAVAILABLE",
    message: /^webhook at http:\/\/127\.0\.0\.1:\d+ cannot be reached: connection refused/,
  });
  await server.resume();
});

test("a token that others on the way could read is worth a word", async () => {
  for (const [url, count] of [
    ["http://example.com", 1],
    ["http://localhost", 0],
    ["https://example.com", 0],
  ] as const) {
    const said: string[] = [];
    const hook = await httpSink.configure({ "http-url": url, "http-token": "secret" });
    const sink = await hook.open({ stdout: process.stdout, say: (line) => void said.push(line) });
    await sink.close();
    assert.equal(said.length, count, url);
  }
});

test("mistakes in the settings are told, without secrets", async () => {
  const url = "http://localhost/";
  const mistakes: readonly (readonly [SinkValues, RegExp])[] = [
    [{}, /^--http-url is needed: a URL that begins with http:\/\/ or https:\/\/$/],
    [{ "http-url": "mqtt://localhost" }, /^--http-url is a URL that begins with/],
    [{ "http-url": "http://u:secret@localhost" }, /^--http-url is a URL without user and password/],
    [{ "http-url": url, "http-token": "secret\n" }, /^--http-token is of ASCII characters/],
    [{ "http-url": url, "http-timeout": "0" }, /^--http-timeout is a time from 1s to 1h, not "0"$/],
    [{ "http-url": url, "http-format": "xml" }, /^--http-format is json or jsonl, not "xml"$/],
  ];
  for (const [values, message] of mistakes) {
    await assert.rejects(httpSink.configure(values), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});
