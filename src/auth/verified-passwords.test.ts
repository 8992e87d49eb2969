import assert from "node:assert/strict";
import { test } from "node:test";
import { PasswordCosts } from "./password-costs.ts";
import { hashPassword, parsePasswordHash } from "./password-hash.ts";
import { PasswordVerifier } from "./password-verifier.ts";
import { VerifiedPasswords } from "./verified-passwords.ts";

class Memory {
  now = 0;
  readonly clock = { now: () => this.now, after: () => () => undefined, atEndOfTick() {} };
  readonly passwords: VerifiedPasswords;

  constructor(rememberedSecondsMax = 600, rememberedUsersMax = 3) {
    const { clock } = this;
    this.passwords = new VerifiedPasswords({ clock, rememberedSecondsMax, rememberedUsersMax });
  }
}

function login(userName: string, password = "secret", hashText = "$hash$") {
  const hash = { ...parsePasswordHash(`$6$c29tc2FsdHNhbHQ=$${zeros}`), text: hashText };
  return { userName, password: Buffer.from(password), credential: { hash } };
}
const zeros = Buffer.alloc(64).toString("base64");

test("verified passwords: this user, this password, this hash, and nothing else", () => {
  const { passwords } = new Memory();
  const ada = login("ada");
  assert.equal(passwords.isRemembered(ada), false);
  passwords.remember(ada);
  assert.equal(passwords.isRemembered(ada), true);
  for (const other of [
    login("bob"),
    login("ada", "secre"),
    login("ada", "secret "),
    login("ada", "secret", "$hash2$"),
    login("ada", '"]secret', "$hash$"),
    { ...ada, credential: { password: "$hash$" } },
    { ...ada, credential: undefined },
  ]) {
    assert.equal(passwords.isRemembered(other), false);
  }
  assert.equal(passwords.isRemembered(ada), true);
});

test("verified passwords: forgotten so long after they were last given", () => {
  const memory = new Memory();
  memory.passwords.remember(login("ada"));
  for (let round = 0; round < 3; round++) {
    memory.now += 599_999;
    assert.equal(memory.passwords.isRemembered(login("ada")), true);
  }
  memory.now += 600_000;
  assert.equal(memory.passwords.isRemembered(login("ada")), false);
  memory.passwords.remember(login("bob"));
  assert.equal(memory.passwords.size, 1);
});

test("verified passwords: beyond their number the one given longest ago goes", () => {
  const { passwords } = new Memory();
  for (const name of ["ada", "bob", "cyd"]) passwords.remember(login(name));
  assert.equal(passwords.isRemembered(login("ada")), true);
  passwords.remember(login("dan"));
  assert.equal(passwords.size, 3);
  assert.equal(passwords.isRemembered(login("bob")), false);
  for (const name of ["ada", "cyd", "dan"])
    assert.equal(passwords.isRemembered(login(name)), true, name);
});

test("verified passwords: with 0 seconds nothing is remembered", () => {
  const { passwords } = new Memory(0);
  passwords.remember(login("ada"));
  assert.equal(passwords.size, 0);
  assert.equal(passwords.isRemembered(login("ada")), false);
});

async function measureWork(run: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

test("password verifier: who returns costs nothing, a wrong password all", async () => {
  const hash = parsePasswordHash(await hashPassword("secret"));
  const verifier = new PasswordVerifier(new PasswordCosts());
  const verify = (password: string) => verifier.verify(Buffer.from(password), { hash }, "ada");
  const first = await measureWork(async () => assert.equal(await verify("secret"), "right"));
  const hundred = await measureWork(async () => {
    for (let count = 0; count < 100; count++) assert.equal(await verify("secret"), "right");
  });
  const wrong = await measureWork(async () => assert.equal(await verify("secreT"), "wrong"));
  assert.ok(hundred < 50 * first, `${hundred} ms for a hundred after ${first} ms`);
  assert.ok(wrong > first / 4, `${wrong} ms after ${first} ms`);
  // Nothing is remembered of the wrong one.
  assert.equal(await verify("secreT"), "wrong");
});

test("password verifier: with all places taken, who is remembered still comes in", async () => {
  const hash = parsePasswordHash(await hashPassword("secret"));
  const options = { verificationsMax: 1, waitingMax: 0 };
  const verifier = new PasswordVerifier(new PasswordCosts(), options);
  const verify = (password: string) => verifier.verify(Buffer.from(password), { hash }, "ada");
  assert.equal(await verify("secret"), "right");
  const verdicts = await Promise.all([verify("wrong"), verify("wrong"), verify("secret")]);
  assert.deepEqual(verdicts, ["wrong", "busy", "right"]);
});
