/** A service that answers as it should: what it is asked, what its answers do, and how long they count. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { test } from "node:test";
import { Grant } from "../../src/auth/grant.ts";
import { openHttpAuthenticator } from "../../src/auth/http-authenticator.ts";
import { ReasonCode, silentLog } from "../../src/base/index.ts";
import { VirtualClock } from "../conformance/harness/index.ts";
import { startService } from "./service.ts";
import { login, newFile } from "./tokens.ts";

function newWorld() {
  const clock = new VirtualClock();
  return { clock, log: silentLog, timeOfDay: () => clock.now() };
}

const clientCertificate = {
  commonName: "ada",
  subjectAlternativeNames: ["DNS:ada.example"],
  serialNumber: "0A",
  fingerprint: "FF",
};

test("http: it is asked all that is known of the client, as JSON", async (context) => {
  const { url, questions } = await startService(context, () => ({ result: "ignore" }));
  const secretFile = await newFile(context, "first-secret\n");
  const link = await openHttpAuthenticator({ url, secretFile }, newWorld());
  const given = { userName: "ada", clientCertificate, remoteAddress: "[2001:db8::7]:50000" };
  assert.equal(await link.authenticate(login("sécret", given)), undefined);
  const [{ method, headers, body }] = questions;
  assert.equal(method, "POST");
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers.authorization, "Bearer first-secret");
  assert.deepEqual(JSON.parse(body), {
    clientIdentifier: "c",
    userName: "ada",
    password: "sécret",
    remoteAddress: "2001:db8::7",
    listener: "mqtt://127.0.0.1:1883",
    protocolVersion: 5,
    certificate: clientCertificate,
  });

  await writeFile(secretFile, "second-secret");
  const bytes = login("", { password: Buffer.from([0xff, 0x00]), remoteAddress: "unix" });
  await link.authenticate(bytes);
  await link.authenticate(login("", { password: undefined }));
  await link.authenticate(login("\ufeffx"));
  assert.equal(questions[1].headers.authorization, "Bearer second-secret");
  const bodies = questions.map((question) => JSON.parse(question.body));
  assert.partialDeepStrictEqual(bodies[1], { passwordBase64: "/wA=", remoteAddress: "unix" });
  assert.ok(!("password" in bodies[1]) && !("password" in bodies[2]));
  assert.ok(!("passwordBase64" in bodies[2]) && !("userName" in bodies[2]));
  assert.equal(bodies[3].password, "\ufeffx");
});

test("http: allow, deny and ignore; name, rules and end as the answer says", async (context) => {
  const world = newWorld();
  const at = world.clock.now() + 60_000;
  const answers: Record<string, object> = {
    plain: { result: "allow" },
    renamed: { result: "allow", userName: "device-7", rules: ["a/#"], expiresAt: at },
    powerless: { result: "allow", rules: [] },
    denied: { result: "deny", userName: "x", rules: ["#"] },
    ignored: { result: "ignore" },
    late: { result: "allow", expiresAt: world.clock.now() },
  };
  const { url } = await startService(context, ({ body }) => answers[JSON.parse(body).userName]);
  const link = await openHttpAuthenticator({ url }, world);
  const ask = (userName: string) => link.authenticate(login("x", { userName }));

  const plain = await ask("plain");
  assert.ok(plain?.allowed);
  assert.deepEqual([plain.userName, plain.grant, plain.expiresAt], ["plain", undefined, undefined]);
  const renamed = await ask("renamed");
  assert.ok(renamed?.allowed && renamed.grant instanceof Grant);
  assert.deepEqual([renamed.userName, renamed.expiresAt], ["device-7", at]);
  const right = { effect: "allow", action: "both", filter: "a/#", source: "rules[0]" };
  assert.deepEqual(renamed.grant.rights, [right]);
  const powerless = await ask("powerless");
  assert.ok(powerless?.allowed && powerless.grant instanceof Grant);
  assert.deepEqual(powerless.grant.rights, []);
  for (const name of ["denied", "late"]) {
    const result = await ask(name);
    assert.ok(result !== undefined && !result.allowed, name);
    assert.equal(result.reasonCode, ReasonCode.badUserNameOrPassword);
  }
  assert.equal(await ask("ignored"), undefined);
});

test("http: a disabled user stays out, whatever the service says", async (context) => {
  const { url } = await startService(context, () => ({ result: "allow", userName: "eve" }));
  const user = { credential: undefined, scram: undefined, source: "the broker's store" };
  let isEnabled = false;
  const users = { find: (name: string) => ({ ...user, name, isEnabled }) };
  const link = await openHttpAuthenticator({ url }, { ...newWorld(), users });
  const result = await link.authenticate(login("x"));
  assert.equal(result?.allowed, false);
  assert.match(result?.rule ?? "", /"eve" is disabled/);
  isEnabled = true;
  assert.equal((await link.authenticate(login("x")))?.allowed, true);
});

test("http: an answer counts for its time, for the very same question only", async (context) => {
  const world = newWorld();
  const { clock } = world;
  const answers: Record<string, object> = {
    allowed: { result: "allow" },
    denied: { result: "deny" },
    ignored: { result: "ignore", cacheSeconds: 60 },
    longer: { result: "allow", cacheSeconds: 3600 },
    never: { result: "allow", cacheSeconds: 0 },
    ending: { result: "allow", expiresAt: clock.now() + 2000 },
  };
  const { url, questions } = await startService(
    context,
    ({ body }) => answers[JSON.parse(body).userName],
  );
  const link = await openHttpAuthenticator({ url }, world);
  const isAsked = async (userName: string, given = {}, password = "x") => {
    const before = questions.length;
    await link.authenticate(login(password, { userName, ...given }));
    return questions.length > before;
  };
  for (const [name, seconds] of [
    ["ending", 2],
    ["allowed", 60],
    ["denied", 5],
    ["longer", 3600],
  ] as const) {
    assert.equal(await isAsked(name), true, name);
    clock.advanceSeconds(seconds - 1);
    assert.equal(await isAsked(name), false, `${name} is forgotten too early`);
    clock.advanceSeconds(1);
    assert.equal(await isAsked(name), true, `${name} is not forgotten`);
  }
  for (const name of ["ignored", "never"]) {
    assert.deepEqual([await isAsked(name), await isAsked(name)], [true, true], name);
  }
  assert.equal(await isAsked("longer", { remoteAddress: "127.0.0.1:50001" }), false);
  for (const given of [
    { remoteAddress: "127.0.0.2:50000" },
    { clientIdentifier: "other" },
    { protocolVersion: 4 },
    { listener: "ws://127.0.0.1:8080" },
    { clientCertificate },
    { password: undefined },
    { password: Buffer.from([0xff]) },
  ]) {
    assert.equal(await isAsked("longer", given), true, JSON.stringify(given));
  }
  assert.equal(await isAsked("longer", {}, "y"), true);
  assert.equal(await isAsked("longer"), false);
});

test("http: the same question at one time is asked once", async (context) => {
  const { url, questions } = await startService(context, () => ({
    result: "allow",
    cacheSeconds: 0,
  }));
  const link = await openHttpAuthenticator({ url }, newWorld());
  const results = await Promise.all([1, 2, 3, 4].map(() => link.authenticate(login("x"))));
  assert.deepEqual(
    results.map((result) => result?.allowed),
    [true, true, true, true],
  );
  assert.equal(questions.length, 1);
});

test("http: so many are asked at once, so many wait, the others are told that it is busy", async (context) => {
  const { promise: isLetGo, resolve: letGo } = Promise.withResolvers<void>();
  let atOnce = 0;
  let atOnceMost = 0;
  const { promise: areTwoThere, resolve: twoAreThere } = Promise.withResolvers<void>();
  const { url } = await startService(context, async () => {
    atOnce++;
    atOnceMost = Math.max(atOnceMost, atOnce);
    if (atOnce === 2) twoAreThere();
    await isLetGo;
    atOnce--;
    return { result: "allow" };
  });
  const link = await openHttpAuthenticator({ url, questionsMax: 2, waitingMax: 3 }, newWorld());
  const asked = [1, 2, 3, 4, 5, 6].map((n) => link.authenticate(login(`${n}`)));
  const busy = await asked[5];
  assert.ok(busy !== undefined && !busy.allowed);
  assert.equal(busy.reasonCode, ReasonCode.serverBusy);
  await areTwoThere;
  letGo();
  const results = await Promise.all(asked.slice(0, 5));
  assert.ok(results.every((result) => result?.allowed));
  assert.equal(atOnceMost, 2);
});
