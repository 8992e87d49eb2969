/** That the work of an answer does not tell who is a user, whatever kinds of hashes users have. Counted, not timed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../base/index.ts";
import { MemoryStorage } from "../storage/index.ts";
import { PasswordCosts } from "./password-costs.ts";
import { describeCost, hashPassword, parsePasswordHash } from "./password-hash.ts";
import { PasswordVerifier } from "./password-verifier.ts";
import { makeScramKeys } from "./scram-keys.ts";
import { UserAdministration } from "./user-administration.ts";
import { UserDirectory } from "./user-directory.ts";

const zeros = Buffer.alloc(64).toString("base64");
/** A hundredth of a second, and nothing. */
const bcryptHash = parsePasswordHash(`$2b$08$${"a".repeat(22)}${"b".repeat(31)}`);
const sha512Hash = parsePasswordHash(`$6$c29tc2FsdHNhbHQ=$${zeros}`);
const argon2idHash = parsePasswordHash(
  `$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$${zeros.slice(0, 43)}`,
);
const strangers = Array.from({ length: 400 }, (_, index) => `stranger-${index}`);

function countKinds(costs: PasswordCosts): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of strangers) {
    const { kind } = costs.choose(name);
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

test("password costs: without users with hashes a name costs what a new user's does", () => {
  const costs = new PasswordCosts();
  assert.equal(describeCost(costs.choose("ada")), "argon2id 19456 2 1");
  costs.set("ada", bcryptHash);
  assert.equal(describeCost(costs.choose("bob")), "bcrypt 8");
  costs.set("ada", undefined);
  costs.set("nobody", undefined);
  assert.equal(describeCost(costs.choose("bob")), "argon2id 19456 2 1");
});

test("password costs: strangers have each cost as often as users have it, and keep theirs", () => {
  const costs = new PasswordCosts();
  for (let index = 0; index < 100; index++) {
    costs.set(`user-${index}`, [bcryptHash, argon2idHash, argon2idHash, sha512Hash][index % 4]);
  }
  const counts = countKinds(costs);
  // Six standard deviations: the key is random.
  for (const [kind, expected] of [
    ["bcrypt", 100],
    ["argon2id", 200],
    ["sha512", 100],
  ] as const) {
    assert.ok(Math.abs(counts[kind] - expected) < 60, `${counts[kind]} of ${kind}`);
  }
  const before = strangers.map((name) => costs.choose(name));
  costs.set("user-0", bcryptHash);
  assert.deepEqual(
    strangers.map((name) => costs.choose(name)),
    before,
  );
});

test("password costs: as users move to new hashes so do strangers, and none moves back", () => {
  const costs = new PasswordCosts();
  for (let index = 0; index < 20; index++) costs.set(`user-${index}`, bcryptHash);
  let before = strangers.map((name) => costs.choose(name).kind);
  for (let index = 0; index < 20; index++) {
    costs.set(`user-${index}`, argon2idHash);
    const after = strangers.map((name) => costs.choose(name).kind);
    for (const [place, kind] of after.entries())
      if (before[place] === "argon2id") assert.equal(kind, "argon2id");
    before = after;
  }
  assert.deepEqual(countKinds(costs), { argon2id: strangers.length });
});

/** The processor time of this process, its threads included, in milliseconds: others on the machine do not count. */
async function measureWork(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("password verifier: strangers, users with plain passwords and users cost the same work, name by name", async () => {
  const costs = new PasswordCosts();
  for (let index = 0; index < 10; index++)
    costs.set(`user-${index}`, index % 2 === 0 ? bcryptHash : sha512Hash);
  const verifier = new PasswordVerifier(costs);
  const password = Buffer.from("wrong");
  await verifier.verify(password, undefined, "warm up");
  const mostOf = { bcrypt: 0, sha512: 0 };
  const leastOf = { bcrypt: Number.POSITIVE_INFINITY, sha512: Number.POSITIVE_INFINITY };
  for (const name of strangers.slice(0, 60)) {
    const { kind } = costs.choose(name);
    assert.ok(kind === "bcrypt" || kind === "sha512");
    const credential = name.endsWith("7") ? { password: "secret" } : undefined;
    const work = await measureWork(() => verifier.verify(password, credential, name));
    mostOf[kind] = Math.max(mostOf[kind], work);
    leastOf[kind] = Math.min(leastOf[kind], work);
  }
  const hash = bcryptHash;
  const known = await measureWork(() => verifier.verify(password, { hash }, "user-0"));
  assert.ok(leastOf.bcrypt > known / 3, `${leastOf.bcrypt} ms where a user costs ${known} ms`);
  assert.ok(leastOf.sha512 < known / 3, `${leastOf.sha512} ms where a user costs nothing`);
});

test("password costs: the directory counts users of the configuration and the store, as they come, change and go", async () => {
  const storage = new MemoryStorage();
  const credential = { hash: sha512Hash };
  const configured = [{ name: "ada", credential, rights: [], source: "users[0]" }];
  const directory = new UserDirectory({ configured, records: [] });
  const administration = new UserAdministration(directory, storage, {
    clock: systemClock,
    hashPassword,
    makeScramKeys,
  });
  assert.deepEqual(countKinds(directory.passwordCosts), { sha512: strangers.length });
  const passwordHash = bcryptHash.text;
  for (const name of ["bob", "cyd", "dan"]) await administration.addUser({ name, passwordHash });
  const counts = countKinds(directory.passwordCosts);
  assert.ok(Math.abs(counts.bcrypt - 300) < 60, `${counts.bcrypt} like three of four users`);
  await administration.setPassword("bob", { password: "geheim-1" });
  assert.deepEqual(Object.keys(countKinds(directory.passwordCosts)).sort(), [
    "argon2id",
    "bcrypt",
    "sha512",
  ]);
  for (const name of ["bob", "cyd", "dan"]) await administration.removeUser(name);
  assert.deepEqual(countKinds(directory.passwordCosts), { sha512: strangers.length });
});
