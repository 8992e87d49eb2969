/** treg over real TLS, against the API of a broker on its socket. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request } from "node:https";
import path from "node:path";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { connect } from "node:tls";
import { run as runCert } from "../../src/cli/cert/cert.ts";
import { run as runTreg } from "../../src/cli/treg.ts";
import { RegistrationWorld, RunningTreg, runProgram } from "./registration-world.ts";

const world = await RegistrationWorld.open();
after(() => world.close());
const ca = world.certificate("ca");

interface Answer {
  readonly status: number | undefined;
  readonly body: Record<string, string>;
  readonly wait: string | undefined;
}

interface Asked {
  readonly headers?: Record<string, string>;
  readonly trusts?: string;
}

async function post(
  treg: RunningTreg,
  body: string,
  { headers, trusts = ca }: Asked = {},
): Promise<Answer> {
  const url = new URL("/register.json", treg.url);
  const options = {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    agent: false,
  } as const;
  const isPlain = url.protocol === "http:";
  const sent = isPlain ? requestPlain(url, options) : request(url, { ...options, ca: trusts });
  sent.end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  const content = JSON.parse(await text(answer)) as Record<string, string>;
  return { status: answer.statusCode, body: content, wait: answer.headers["retry-after"] };
}

const ask = (treg: RunningTreg, key: unknown) =>
  post(treg, JSON.stringify({ RegistrationKey: key }));

test("treg: says where it listens as it was told, with the port that was free", async () => {
  const treg = await world.startTreg("--listen", "http://localhost:0");
  assert.match(treg.url, /^http:\/\/localhost:[1-9]\d*$/);
  assert.equal((await ask(treg, "unknown")).status, 401);
  assert.equal(await treg.stop(), 0);
});

test("treg: a key makes a user, and the answer is what the first tStack gave", async () => {
  const treg = await world.startTreg();
  const { key } = await world.registrations.addKey({ name: "workshop", usesMax: 1 });
  const { status, body } = await ask(treg, key);
  assert.equal(status, 200);
  assert.deepEqual(Object.keys(body), ["Name", "Password", "Broker", "Ca"]);
  assert.equal(body.Broker, "mqtts://localhost:8883");
  assert.equal(body.Ca, ca);
  assert.deepEqual(world.directory.storedUsers.get(body.Name)?.rules, [
    { allow: "both", filter: "%u/#" },
  ]);
  const again = await ask(treg, key);
  const unknown = await ask(treg, "x");
  assert.equal(again.status, 401);
  assert.deepEqual(again, unknown, "used up and unknown are one answer");
  const lines = treg.audit();
  const address = "127.0.0.1";
  assert.deepEqual(
    lines.map(({ time: _, ...line }) => line),
    [
      { event: "registered", address, name: body.Name, key: "workshop" },
      { event: "refused", address, tries: 1 },
      { event: "refused", address, tries: 2 },
    ],
  );
  const told = JSON.stringify(lines) + treg.stderr;
  assert.ok(!told.includes(key) && !told.includes(body.Password));
  assert.equal(await treg.stop(), 0);
});

test("treg: what is no request is 400, and other paths are 404", async () => {
  const treg = await world.startTreg();
  for (const body of ["", "{", "[]", "{}", '{"RegistrationKey":""}', '{"RegistrationKey":5}']) {
    assert.equal((await post(treg, body)).status, 400, body);
  }
  assert.equal((await ask(treg, "x".repeat(1001))).status, 400);
  assert.equal((await ask(treg, "x".repeat(5000))).status, 400, "beyond the bytes of a body");
  assert.equal((await post(treg, "{}", { headers: { "content-type": "text/plain" } })).status, 400);
  await treg.stop();
});

test("treg: ten refused keys, and the address waits; a right key does too", async () => {
  const treg = await world.startTreg();
  const { key } = await world.registrations.addKey({ name: "patient" });
  for (let number = 0; number < 10; number++) assert.equal((await ask(treg, "guess")).status, 401);
  const held = await ask(treg, key);
  assert.equal(held.status, 429);
  assert.ok(Number(held.wait) > 500, `Retry-After ${held.wait}`);
  assert.equal((await ask(treg, "guess")).status, 429);
  const limited = treg.audit().filter(({ event }) => event === "limited");
  assert.equal(limited.length, 1, "told once");
  assert.equal(world.registrations.listKeys().find(({ name }) => name === "patient")?.uses, 0);
  await treg.stop();
});

test("treg: the 61st request of a minute waits, whatever it is", async () => {
  const treg = await world.startTreg("--listen", "http://127.0.0.1:0");
  for (let number = 0; number < 60; number++) assert.equal((await post(treg, "{}")).status, 400);
  const held = await post(treg, "{}");
  assert.equal(held.status, 429);
  assert.ok(Number(held.wait) <= 60 && Number(held.wait) > 0);
  await treg.stop();
});

test("treg: without the broker it answers 503, and says why to the operator alone", async () => {
  const other = await RegistrationWorld.open();
  const trusts = other.certificate("ca");
  const audit = other.file("audit.jsonl");
  const treg = await other.startTreg("--audit", audit);
  await other.stopBroker();
  const { status, body } = await post(treg, '{"RegistrationKey":"x"}', { trusts });
  assert.equal(status, 503);
  assert.doesNotMatch(JSON.stringify(body), /folder/);
  assert.match(readFileSync(audit, "utf8"), /"event":"failed".*no broker runs with the folder/);
  assert.equal(statSync(audit).mode & 0o777, 0o600);
  await treg.stop();
  await other.close();
});

test("treg: a renewed certificate is served without a restart, a broken one is not", async () => {
  const other = await RegistrationWorld.open();
  const treg = await other.startTreg();
  const port = Number(new URL(treg.url).port);
  const served = async () => {
    const socket = connect({ host: "127.0.0.1", port, ca: other.certificate("ca") });
    await once(socket, "secureConnect");
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  };
  const before = await served();
  const out = ["--out", other.file("certs")];
  await runProgram(runCert, ["server", "--host", "127.0.0.1", "--force", ...out]);
  await treg.saw("is served from now on");
  const renewed = await served();
  assert.notEqual(renewed, before);
  writeFileSync(other.file("certs/server.crt"), "broken");
  await treg.saw("what was served before is served on");
  assert.equal(await served(), renewed);
  await treg.stop();
  await other.close();
});

for (const [args, words] of [
  [["--broker", "mqtts://h"], /add --cert and --key/],
  [["--listen", "http://0.0.0.0:0", "--broker", "mqtts://h"], /--insecure-http/],
  [["--listen", "http://127.0.0.1:0"], /add --broker/],
  [["--listen", "nonsense", "--broker", "mqtts://h"], /https:\/\/host:port/],
  [["--listen", "http://127.0.0.1:0", "--broker", "mqtts://u:p@h"], /without a user/],
  [["--listen", "http://127.0.0.1:0", "--broker", "unix:///x"], /Unix socket/],
  [["key", "add", "k", "--expires", "soon"], /--expires takes a time like/],
  [["key", "add", "k", "--uses", "0"], /--uses takes a number/],
  [["key", "add", "k"], /a key for any number of devices and for ever.*--expires.*--uses/],
  [["key", "list", "--data", ""], /--data names no folder/],
  [["key"], /say what to do/],
] as const) {
  test(`treg ${args.join(" ")} is refused before anything listens`, async () => {
    const { code, stdout, stderr } = await runProgram(runTreg, args);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, words);
    assert.equal(stderr.split("\n").length, 2);
  });
}

test("treg: a private key is no CA for devices", async () => {
  const args = ["--listen", "http://127.0.0.1:0", "--broker", "mqtts://h", "--cafile"];
  const { code, stderr } = await runProgram(runTreg, [...args, world.file("certs/ca.key")]);
  assert.equal(code, 1);
  assert.match(stderr, /holds a private key/);
});

test("treg key: add tells the key alone on stdout, list does not know it, revoke ends it", async () => {
  const data = ["--data", world.data];
  const added = await runProgram(runTreg, [
    ...["key", "add", "a b", "--expires", "30d", "--uses", "3"],
    ...data,
  ]);
  assert.equal(added.code, 0);
  assert.match(added.stdout, /^[\w-]{43}\n$/);
  const key = added.stdout.trim();
  await world.registrations.register(key);
  const listed = await runProgram(runTreg, ["key", "list", ...data]);
  assert.match(listed.stdout, /^"a b": for 2 more until \d{4}-.*used 1 time$/m);
  const revoked = await runProgram(runTreg, ["key", "revoke", "a b", ...data]);
  assert.equal(revoked.code, 0);
  const { stdout } = await runProgram(runTreg, ["key", "list", "--json", ...data]);
  const keys = JSON.parse(stdout) as { name: string; isRevoked: boolean }[];
  assert.equal(keys.find(({ name }) => name === "a b")?.isRevoked, true);
  assert.ok(!`${listed.stdout}${stdout}${revoked.stderr}`.includes(key));
  await assert.rejects(world.registrations.register(key));
  const again = await runProgram(runTreg, ["key", "add", "a b", "--uses", "1", ...data]);
  assert.deepEqual([again.code, again.stdout], [1, ""]);
  assert.match(again.stderr, /there is a key for registration "a b" already/);
});

test("treg key: on a folder at rest, too", async () => {
  const data = ["--data", mkdtempSync(path.join(world.folder, "rest-"))];
  const { stdout } = await runProgram(runTreg, ["key", "add", "k", "--expires", "12h", ...data]);
  assert.match(stdout, /^[\w-]{43}\n$/);
  const listed = await runProgram(runTreg, [...data, "key", "list"]);
  assert.match(listed.stdout, /^k: for any number of devices until .*; made .*, used 0 times\n$/);
});

test("treg says at once that no broker runs with the folder", async () => {
  const rest = mkdtempSync(path.join(world.folder, "none-"));
  const args = ["--listen", "http://127.0.0.1:0", "--broker", "mqtts://h", "--data", rest];
  const treg = await RunningTreg.start(args);
  await treg.saw(`no broker runs with the folder ${rest}`);
  assert.equal(await treg.stop(), 0);
});
