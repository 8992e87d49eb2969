/** A service that hangs, lies, floods or leads elsewhere: nobody comes in, no other link is asked, nothing grows. */
import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { test } from "node:test";
import { AuthenticatorChain } from "../../src/auth/authenticator-chain.ts";
import { HttpAnswerCache } from "../../src/auth/http-answer-cache.ts";
import { type HttpSettings, openHttpAuthenticator } from "../../src/auth/http-authenticator.ts";
import { ReasonCode, silentLog } from "../../src/base/index.ts";
import { VirtualClock } from "../conformance/harness/index.ts";
import { type Question, startService } from "./service.ts";
import { login, newFile } from "./tokens.ts";

type Answer = (question: Question, response: ServerResponse) => unknown;

function newChain(link: ConstructorParameters<typeof AuthenticatorChain>[0][number]) {
  const logged: unknown[] = [];
  const log = { ...silentLog, error: (fields: object) => logged.push(fields) };
  const next = { name: "next", authenticate: () => assert.fail("another link was asked") };
  return { chain: new AuthenticatorChain([link, next], log), logged };
}

const allow = JSON.stringify({ result: "allow" });

const lies: Record<string, Answer> = {
  "500 with an allow": (_, response) => void response.writeHead(500).end(allow),
  "201 with an allow": (_, response) => void response.writeHead(201).end(allow),
  "204": (_, response) => void response.writeHead(204).end(),
  "no JSON": (_, response) => void response.end("allow"),
  "half of an answer": (_, response) => void response.end(allow.slice(0, -1)),
  "an answer cut off": (_, response) => {
    response.writeHead(200, { "content-length": "100" });
    response.write(allow, () => response.destroy());
  },
  nothing: (_, response) => void response.end(),
  hangup: (_, response) => void response.destroy(),
  null: () => null,
  true: () => true,
  "a list": () => [{ result: "allow" }],
  "no result": () => ({}),
  "another result": () => ({ result: "allowed" }),
  "a result in capitals": () => ({ result: "ALLOW" }),
  "an unknown member": () => ({ result: "allow", rule: ["#"] }),
  "a prototype": (_, response) =>
    void response.end('{"__proto__":{"result":"allow"},"result":"x"}'),
  "a name that is none": () => ({ result: "allow", userName: "" }),
  "a name with NUL": () => ({ result: "allow", userName: "a\0" }),
  "a number as name": () => ({ result: "allow", userName: 7 }),
  "a wrong rule": () => ({ result: "allow", rules: ["ok", { allow: "both", filter: "a#" }] }),
  "an unknown condition": () => ({
    result: "allow",
    rules: [{ deny: "both", filter: "#", if: 1 }],
  }),
  "no list of rules": () => ({ result: "allow", rules: "#" }),
  "null for rules": () => ({ result: "allow", rules: null }),
  "a text as end": () => ({ result: "allow", expiresAt: "2030" }),
  "a cache for ever": () => ({ result: "allow", cacheSeconds: 1e9 }),
  "a cache into the past": () => ({ result: "allow", cacheSeconds: -1 }),
  "an answer of more than 64 KB": (_, response) =>
    void response.end(`${allow}${" ".repeat(65_536)}`),
};

for (const [name, answer] of Object.entries(lies)) {
  test(`http attacks: ${name} lets nobody in`, async (context) => {
    const { url, questions } = await startService(context, answer);
    const clock = new VirtualClock();
    const link = await openHttpAuthenticator({ url }, { clock, log: silentLog });
    const { chain, logged } = newChain(link);
    for (const count of [1, 2]) {
      const result = await chain.authenticate(login("hidden"));
      assert.ok(!result.allowed);
      assert.equal(result.reasonCode, ReasonCode.serverUnavailable);
      assert.equal(questions.length, count, "it was remembered");
      assert.equal(logged.length, count);
    }
    assert.equal(clock.timerCount, 0);
  });
}

test("http attacks: a redirect is not followed, and takes no password elsewhere", async (context) => {
  const elsewhere = await startService(context, () => ({ result: "allow" }));
  for (const status of [301, 302, 303, 307, 308]) {
    const { url } = await startService(
      context,
      (_, response) => void response.writeHead(status, { location: elsewhere.url }).end(),
    );
    const clock = new VirtualClock();
    const { chain } = newChain(await openHttpAuthenticator({ url }, { clock, log: silentLog }));
    assert.equal((await chain.authenticate(login("hidden"))).allowed, false);
  }
  assert.equal(elsewhere.questions.length, 0);
});

test("http attacks: of 100 MB little more than 64 KB is read", async (context) => {
  const { promise: isOver, resolve: over } = Promise.withResolvers<number>();
  const chunk = Buffer.alloc(65_536, " ");
  const { url } = await startService(context, (_, response) => {
    let sent = 0;
    const send = () => {
      while (sent < 104_857_600 && !response.destroyed) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", send);
          return;
        }
      }
      response.end();
    };
    response.once("close", () => over(sent));
    send();
  });
  const clock = new VirtualClock();
  const { chain } = newChain(await openHttpAuthenticator({ url }, { clock, log: silentLog }));
  const result = await chain.authenticate(login("x"));
  assert.match(result.rule, /more than 65536 bytes/);
  // The rest lay in the buffers of sockets when the broker hung up.
  const sent = await isOver;
  assert.ok(sent < 52_428_800, `${sent} bytes went out`);
});

test("http attacks: a service that hangs, before or in its answer, costs its time-out and no more", async (context) => {
  const hangs: Answer[] = [
    () => undefined,
    (_, response) => void response.writeHead(200).flushHeaders(),
    (_, response) => void response.writeHead(200).write(allow.slice(0, 5)),
  ];
  for (const hang of hangs) {
    const { promise: isAsked, resolve: asked } = Promise.withResolvers<void>();
    const { url } = await startService(context, (question, response) => {
      hang(question, response);
      asked();
    });
    const clock = new VirtualClock();
    const settings = { url, questionsMax: 1, waitingMax: 1 };
    const { chain } = newChain(await openHttpAuthenticator(settings, { clock, log: silentLog }));
    const first = chain.authenticate(login("first"));
    const waiting = chain.authenticate(login("second"));
    await isAsked;
    clock.advanceSeconds(5);
    for (const result of await Promise.all([first, waiting])) {
      assert.ok(!result.allowed);
      assert.equal(result.reasonCode, ReasonCode.serverUnavailable);
      assert.match(result.rule, /in time/);
    }
    assert.equal(clock.timerCount, 0);
  }
});

test("http attacks: a service that comes back is asked again at once", async (context) => {
  let isBroken = true;
  const { url } = await startService(context, (_, response) => {
    if (isBroken) return void response.destroy();
    return { result: "allow" };
  });
  const clock = new VirtualClock();
  const settings = { url, questionsMax: 1, waitingMax: 0 };
  const { chain } = newChain(await openHttpAuthenticator(settings, { clock, log: silentLog }));
  assert.equal((await chain.authenticate(login("x"))).allowed, false);
  isBroken = false;
  assert.equal((await chain.authenticate(login("x"))).allowed, true);
});

test("http attacks: what is remembered is bounded in number and bytes, and holds no password", () => {
  const cache = new HttpAnswerCache(new VirtualClock());
  const answer = {
    result: "allow",
    userName: undefined,
    rights: undefined,
    expiresAt: undefined,
    cacheSeconds: undefined,
  } as const;
  const until = Number.MAX_SAFE_INTEGER;
  const keys = Array.from({ length: 10_001 }, (_, n) => cache.keyOf(`question ${n}`));
  for (const key of keys) cache.keep(key, answer, { bytes: 100, until });
  assert.equal(cache.find(keys[0]), undefined);
  assert.equal(cache.find(keys[1]), answer);
  assert.equal(cache.find(keys[10_000]), answer);
  cache.keep("large", answer, { bytes: 16_777_216, until });
  assert.equal(cache.find(keys[10_000]), undefined);
  assert.equal(cache.find("large"), answer);
  assert.doesNotMatch(keys[0], /question/);
  assert.notEqual(new HttpAnswerCache(new VirtualClock()).keyOf("question 0"), keys[0]);
});

test("http: settings that would give passwords away are refused", async (context) => {
  const world = { clock: new VirtualClock(), log: silentLog };
  const empty = await newFile(context, "\n");
  const lines = await newFile(context, "hidden\r\nx-admin: 1\n");
  const wrong: [HttpSettings, RegExp][] = [
    [{ url: "http://users.example.org/mqtt" }, /not encrypted/],
    [{ url: "http://localhost.example.org/" }, /not encrypted/],
    [{ url: "http://[::2]/" }, /not encrypted/],
    [{ url: "ftp://127.0.0.1/" }, /not a URL/],
    [{ url: "users.example.org" }, /not a URL/],
    [{ url: "https://ada:hidden@users.example.org/" }, /holds a user name/],
    [{ url: "https://users.example.org/", secretFile: empty }, /empty/],
    [{ url: "https://users.example.org/", secretFile: lines }, /other characters/],
    [{ url: "https://users.example.org/", secretFile: `${empty}-not-there` }, /cannot be used/],
  ];
  for (const [settings, message] of wrong) {
    const opened = openHttpAuthenticator(settings, world);
    await assert.rejects(opened, { code: "CONFIGURATION_INVALID", message });
    await assert.rejects(opened, (error: Error) => !error.message.includes("hidden"));
  }
  for (const url of [
    "https://users.example.org/",
    "http://127.1/",
    "http://[::1]:1/",
    "http://localhost/",
  ]) {
    await openHttpAuthenticator({ url }, world);
  }
  await openHttpAuthenticator({ url: "http://users.example.org/", allowUnencrypted: true }, world);
});
