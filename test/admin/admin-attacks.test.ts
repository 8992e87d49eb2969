/** What somebody who reaches the socket may try: heads and bodies that are too large or too slow, and odd names. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { AdminFolder } from "./admin-folder.ts";

let folder: AdminFolder;
before(async () => {
  folder = await AdminFolder.open();
});
after(() => folder.close());

/** Writes `text` on a connection of its own; all that comes back until it is closed. */
async function send(text: string): Promise<string> {
  const socket = folder.connect();
  let answer = "";
  socket.setEncoding("utf8").on("data", (chunk) => {
    answer += chunk;
  });
  socket.on("error", () => undefined);
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test("a head beyond 16 KB is 431, as one header, as many, and as a path", async () => {
  const many = Array.from({ length: 2000 }, (_, index) => `x-${index}: y\r\n`).join("");
  for (const head of [
    `GET /v1/users HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
    `GET /v1/users HTTP/1.1\r\nhost: x\r\n${many}\r\n`,
    `GET /v1/users/${"y".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
  ]) {
    const answer = await send(head);
    assert.match(answer, /^HTTP\/1\.1 431 .*"REQUEST_INVALID"/s);
  }
});

test("a body beyond 1 MB is 413, an import's beyond 64 MB, and as much as that is taken", async () => {
  const fill = (bytes: number) => JSON.stringify({ name: "x".repeat(bytes) });
  const large = await folder.askRaw("POST", "/v1/users", fill(1024 * 1024));
  assert.equal(large.status, 413);
  const taken = await folder.askRaw("POST", "/v1/identities", fill(20 * 1024 * 1024));
  assert.equal(taken.status, 400);
  const bomb = await send(
    "POST /v1/identities HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{",
  );
  assert.match(bomb, /^HTTP\/1\.1 413 /);
});

test("what is not HTTP is 400, and closed", async () => {
  assert.match(
    await send("\u0010\u000c\u0000\u0004MQTT\u0004\r\n\r\n"),
    /^HTTP\/1\.1 400 .*"this is no HTTP"/s,
  );
});

test("a head that never ends is closed within seconds, and so is a body", {
  timeout: 30_000,
}, async () => {
  const started = performance.now();
  const head = send("GET /v1/users HTTP/1.1\r\nhost: x\r\n");
  const body = send(
    "POST /v1/users HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{",
  );
  assert.match(await head, /^HTTP\/1\.1 408 .*"REQUEST_INVALID"/s);
  assert.ok(performance.now() - started < 15_000);
  assert.match(await body, /^HTTP\/1\.1 408 /);
  assert.ok(performance.now() - started < 20_000);
});

test("__proto__ and constructor in a body reach nothing", async () => {
  for (const body of [
    '{"name":"p","__proto__":{"isEnabled":false}}',
    '{"name":"p","constructor":{"prototype":{"polluted":1}}}',
    '{"name":"p","rules":[{"allow":"both","filter":"a","__proto__":{"deny":"both"}}]}',
  ]) {
    const { status } = await folder.askRaw("POST", "/v1/users", body);
    assert.equal(status, 400, body);
  }
  assert.equal("polluted" in {}, false);
  for (const name of ["__proto__", "constructor", "toString"]) {
    const shown = await folder.ask("GET", `/v1/users/${name}`);
    assert.equal(shown.status, 404, name);
    assert.equal((await folder.ask("POST", "/v1/users", { name })).status, 201);
    assert.equal((await folder.ask("DELETE", `/v1/users/${name}`)).status, 204);
  }
});

test("any name is a name and nothing else: slashes, percent signs, dots, other scripts", async () => {
  const names = [
    "a/b",
    "../roles",
    "a/../b",
    "%2F",
    "100%",
    "%00",
    "a%",
    "...",
    "a?b#c",
    "日本",
    "🦆",
    " ",
  ];
  for (const name of [...names, "/", "users/ada/password", "x".repeat(256)]) {
    const path = `/v1/users/${encodeURIComponent(name)}`;
    assert.equal((await folder.ask("POST", "/v1/users", { name })).status, 201, name);
    const shown = await folder.ask("GET", path);
    assert.equal((shown.body as { name: unknown }).name, name);
    const enabled = await folder.ask("PUT", `${path}/enabled`, { isEnabled: false });
    assert.equal((enabled.body as { isEnabled: unknown }).isEnabled, false, name);
    assert.equal((await folder.ask("DELETE", path)).status, 204, name);
  }
  assert.deepEqual((await folder.ask("GET", "/v1/users")).body, []);
});

test("names that no path can carry, and controls, are refused", async () => {
  for (const name of ["", ".", "..", "a\u0000b", "\n", "\u007f", "x".repeat(257)]) {
    const { status, body } = await folder.ask("POST", "/v1/users", { name });
    assert.equal(status, 400, JSON.stringify(body));
    const rest = { users: [{ name }], roles: [] };
    assert.equal((await folder.ask("POST", "/v1/identities", rest)).status, 400);
    assert.equal((await folder.ask("POST", "/v1/roles", { name, rules: [] })).status, 400);
  }
  assert.equal((await folder.ask("GET", "/v1/users/%00")).status, 404);
  assert.equal((await folder.ask("GET", "/v1/users/%ZZ")).status, 400);
});

test("a wrong type, an unknown key and another kind of body are refused, not made to fit", async () => {
  for (const body of [
    { name: 5 },
    { name: ["x"] },
    { name: "x", isEnabled: "yes" },
    { name: "x", isAdmin: true },
    { name: "x", rules: [{ allow: "both", filter: "a", qos: ["1"] }] },
    { name: "x", rules: [{ allow: "all", filter: "a" }] },
    { name: "x", rules: [{ filter: "a" }] },
    { name: "x", rules: [{ allow: "both", deny: "both", filter: "a" }] },
    [],
    "x",
    null,
  ]) {
    const { status } = await folder.ask("POST", "/v1/users", body);
    assert.equal(status, 400, JSON.stringify(body));
  }
  const form = { "content-type": "application/x-www-form-urlencoded" };
  assert.equal((await folder.askRaw("POST", "/v1/users", "name=x", form)).status, 415);
  const plain = { "content-type": "text/plain" };
  assert.equal((await folder.askRaw("POST", "/v1/users", '{"name":"x"}', plain)).status, 415);
  assert.equal((await folder.ask("PATCH", "/v1/users", { name: "x" })).status, 404);
  assert.deepEqual((await folder.ask("GET", "/v1/users")).body, []);
});
