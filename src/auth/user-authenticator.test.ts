import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { ReasonCode } from "../base/index.ts";
import type { AuthenticationRequest } from "../broker/index.ts";
import type { KnownUser } from "./known-user.ts";
import { parsePasswordHash } from "./password-hash.ts";
import type { Credential } from "./password-verifier.ts";
import { PasswordVerifier } from "./password-verifier.ts";
import { UserAuthenticator } from "./user-authenticator.ts";

const ada = newUser("ada", { password: "secret" });
const eve = { ...newUser("eve", { password: "secret" }), isEnabled: false };
const gate = newUser("gate", undefined);

function newUser(name: string, credential: Credential | undefined): KnownUser {
  return { name, credential, scram: undefined, isEnabled: true, source: "the broker's store" };
}

function newSource(...users: KnownUser[]) {
  return {
    isEmpty: users.length === 0,
    find: (wanted: string) => users.find(({ name }) => name === wanted),
    rehashed() {},
  };
}

class CountingVerifier extends PasswordVerifier {
  count = 0;
  rehashCount = 0;

  override rehash(password: Uint8Array, credential: Credential | undefined) {
    this.rehashCount++;
    return super.rehash(password, credential);
  }

  override verify(password: Uint8Array, credential: Credential | undefined, userName: string) {
    this.count++;
    return super.verify(password, credential, userName);
  }
}

const verifier = new CountingVerifier(undefined);
const link = new UserAuthenticator({ users: newSource(ada, eve, gate), verifier });

function login(userName?: string, password?: string): AuthenticationRequest {
  return {
    clientIdentifier: "c",
    userName,
    password: password === undefined ? undefined : Buffer.from(password),
    protocolVersion: 5,
    remoteAddress: "127.0.0.1:50000",
    listener: "mqtt://127.0.0.1:1883",
  };
}

test("users: the right password lets in under the user's name, without a grant", async () => {
  assert.deepEqual(await link.authenticate(login("ada", "secret")), {
    allowed: true,
    userName: "ada",
    rule: 'user "ada", the broker\'s store',
  });
});

test("users: wrong, missing, disabled are one and the same outside, and cost the same", async () => {
  for (const [name, password, rule] of [
    ["ada", "wrong", /^wrong password for user "ada"/],
    ["ada", "", /^no password for user "ada"/],
    ["ada", undefined, /^no password for user "ada"/],
    ["eve", "secret", /^user "eve", the broker's store is disabled$/],
    ["eve", "wrong", /^user "eve", the broker's store is disabled$/],
    ["gate", "secret", /^user "gate", the broker's store has no password$/],
    ["gate", undefined, /^user "gate", the broker's store has no password$/],
  ] as const) {
    const before = verifier.count;
    const result = await link.authenticate(login(name, password));
    assert.ok(result !== undefined && !result.allowed, name);
    assert.equal(result.reasonCode, ReasonCode.badUserNameOrPassword);
    assert.match(result.rule, rule);
    assert.equal(verifier.count, before + 1);
  }
});

test("users: a right password that is remembered tells nothing of a user that was disabled since", async () => {
  const users = newSource({ ...eve, isEnabled: true });
  const remembering = new PasswordVerifier();
  const before = new UserAuthenticator({ users, verifier: remembering });
  assert.equal((await before.authenticate(login("eve", "secret")))?.allowed, true);
  const after = new UserAuthenticator({ users: newSource(eve), verifier: remembering });
  let isAnswered = false;
  const answer = after.authenticate(login("eve", "secret")).finally(() => {
    isAnswered = true;
  });
  // What is remembered is answered by now, what takes a derivation in the thread pool is not.
  await setImmediate();
  assert.equal(isAnswered, false);
  assert.equal((await answer)?.allowed, false);
});

test("users: who is unknown costs the same work, and passes to the next link", async () => {
  for (const name of ["bob", "", "ADA", "__proto__"]) {
    const before = verifier.count;
    assert.equal(await link.authenticate(login(name, "secret")), undefined);
    assert.equal(verifier.count, before + 1);
  }
});

test("users: without a user name, or without any user, it passes at once", async () => {
  const before = verifier.count;
  assert.equal(await link.authenticate(login(undefined, "secret")), undefined);
  const nobody = new UserAuthenticator({ users: newSource(), verifier });
  assert.equal(await nobody.authenticate(login("ada", "secret")), undefined);
  assert.equal(verifier.count, before);
});

test("users: too many at once are told to come back, known or not", async () => {
  const narrow = new PasswordVerifier(undefined, { verificationsMax: 1, waitingMax: 0 });
  const users = new UserAuthenticator({ users: newSource(ada), verifier: narrow });
  const [first, ...others] = await Promise.all([
    users.authenticate(login("ada", "secret")),
    users.authenticate(login("ada", "secret")),
    users.authenticate(login("bob", "secret")),
  ]);
  assert.equal(first?.allowed, true);
  for (const result of others) {
    assert.ok(result !== undefined && !result.allowed);
    assert.equal(result.reasonCode, ReasonCode.serverBusy);
  }
});

test("users: a right password with an old hash is hashed anew, once for a hash that stays", async () => {
  // The password is "secret"; as cheap as a hash can be.
  const text = "$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$kEWOBwBkBftjEFqZA43Gzg";
  const old = newUser("old", { hash: parsePasswordHash(text) });
  const told: string[][] = [];
  let tell = () => {};
  const users = {
    ...newSource(ada, old),
    rehashed: (...change: string[]) => {
      told.push(change);
      tell();
    },
  };
  const rehasher = new CountingVerifier(undefined);
  const rehashing = new UserAuthenticator({ users, verifier: rehasher });
  const isTold = new Promise<void>((resolve) => {
    tell = resolve;
  });
  assert.equal((await rehashing.authenticate(login("old", "wrong")))?.allowed, false);
  assert.equal((await rehashing.authenticate(login("ada", "secret")))?.allowed, true);
  assert.equal((await rehashing.authenticate(login("old", "secret")))?.allowed, true);
  await isTold;
  assert.equal((await rehashing.authenticate(login("old", "secret")))?.allowed, true);
  assert.equal(rehasher.rehashCount, 1);
  assert.equal(told.length, 1);
  const [name, oldHash, newHash] = told[0];
  assert.deepEqual([name, oldHash], ["old", text]);
  const renewed = { hash: parsePasswordHash(newHash) };
  const verdict = await verifier.verify(Buffer.from("secret"), renewed, "old");
  assert.equal(verdict, "right");
});
