import assert from "node:assert/strict";
import { test } from "node:test";
import { PasswordCosts } from "./password-costs.ts";
import { deriveTag, type PasswordHash, parsePasswordHash } from "./password-hash.ts";
import {
  type Credential,
  PasswordVerifier,
  type PasswordVerifierOptions,
} from "./password-verifier.ts";

/** From the reference implementation's tests: password "password", salt "somesalt"; a tenth of a second. */
const slow = parsePasswordHash(
  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
);
const cheap = parsePasswordHash(
  `$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$${Buffer.alloc(16).toString("base64").slice(0, 22)}`,
);
const cheapBcrypt = parsePasswordHash(`$2b$04$${"a".repeat(22)}${"b".repeat(31)}`);
const zeros = Buffer.alloc(64).toString("base64");
const cheapPbkdf2 = parsePasswordHash(`$7$101$c29tc2FsdHNhbHQ=$${zeros}`);
const cheapSha512 = parsePasswordHash(`$6$c29tc2FsdHNhbHQ=$${zeros}`);

/** As `hash`, but of `password`. */
async function rekey(hash: PasswordHash, password: string): Promise<PasswordHash> {
  const tag = await deriveTag(password, hash);
  return { ...hash, tag, text: `${hash.kind} of ${password}` };
}

function newVerifier(hash: PasswordHash, options: PasswordVerifierOptions = {}): PasswordVerifier {
  const costs = new PasswordCosts();
  costs.set("ada", hash);
  return new PasswordVerifier(costs, { rememberedSecondsMax: 0, ...options });
}

test("password verifier: right and wrong, for all kinds of hashes, plain passwords and nobody", async () => {
  const verifier = newVerifier(cheap);
  const verify = (password: string, credential: Credential | undefined) =>
    verifier.verify(Buffer.from(password), credential, "ada");
  for (const kind of [cheap, cheapBcrypt, cheapPbkdf2, cheapSha512]) {
    const hash = await rekey(kind, "secret");
    assert.equal(await verify("secret", { hash }), "right", hash.kind);
    assert.equal(await verify("secres", { hash }), "wrong", hash.kind);
  }
  assert.equal(await verify("secret", { password: "secret" }), "right");
  assert.equal(await verify("secrets", { password: "secret" }), "wrong");
  assert.equal(await verify("secret", undefined), "wrong");
});

test("password verifier: an empty password is never right", async () => {
  const hash = await rekey(cheap, "");
  const verifier = newVerifier(hash);
  assert.equal(await verifier.verify(Buffer.alloc(0), { hash }, "ada"), "wrong");
  assert.equal(await verifier.verify(Buffer.alloc(0), { password: "" }, "ada"), "wrong");
});

test("password verifier: two run, the rest waits, beyond the bound it is busy", async () => {
  const verifier = newVerifier(slow, { verificationsMax: 2, waitingMax: 3 });
  const verify = (password: string) =>
    verifier.verify(Buffer.from(password), { hash: slow }, "ada");
  const asked = Array.from({ length: 7 }, () => verify("password"));
  const verdicts = await Promise.all(asked);
  assert.deepEqual(verdicts, ["right", "right", "right", "right", "right", "busy", "busy"]);
  // Every place was given back.
  assert.equal(await verify("password"), "right");
  const again = await Promise.all(asked.map(() => verify("x")));
  assert.equal(again.filter((verdict) => verdict === "wrong").length, 5);
});

test("password verifier: who waited until the broker hung up costs nothing more", async () => {
  let now = 0;
  const clock = { now: () => now, after: () => () => undefined, atEndOfTick: () => undefined };
  const verifier = newVerifier(slow, { verificationsMax: 1, waitingSecondsMax: 8, clock });
  const verify = () => verifier.verify(Buffer.from("password"), { hash: slow }, "ada");
  const [first, second, third] = [verify(), verify(), verify()];
  now = 8_001;
  const late = verify();
  assert.deepEqual(await Promise.all([first, second, third, late]), [
    "right",
    "busy",
    "busy",
    "right",
  ]);
  assert.equal(await verify(), "right");
});

test("password verifier: who hung up while it waited costs nothing, and holds nobody up", async () => {
  const verifier = newVerifier(slow, { verificationsMax: 1 });
  let isAwaited = true;
  const ask = (ask?: () => boolean) =>
    verifier.verify(Buffer.from("password"), { hash: slow }, "ada", ask);
  const first = ask();
  const gone = Array.from({ length: 500 }, () => ask(() => isAwaited));
  const last = ask();
  isAwaited = false;
  const begin = performance.now();
  assert.deepEqual([await first, await last], ["right", "right"]);
  assert.ok(performance.now() - begin < 10_000, "500 verifications were not done"); // 25 s at least
  assert.deepEqual(new Set(await Promise.all(gone)), new Set(["busy"]));
});

test("password verifier: the event loop goes on while it verifies", async () => {
  const verifier = newVerifier(slow);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  try {
    await verifier.verify(Buffer.from("password"), { hash: slow }, "ada");
  } finally {
    clearInterval(timer);
  }
  assert.ok(turns >= 3, `only ${turns} turns`);
});

test("password verifier: a hash of an old kind is made anew when nobody waits for it", async () => {
  const verifier = newVerifier(cheapBcrypt, { verificationsMax: 1 });
  const password = Buffer.from("secret");
  const text = await verifier.rehash(password, { hash: cheapBcrypt });
  assert.ok(text !== undefined);
  const hash = parsePasswordHash(text);
  assert.equal(await verifier.verify(password, { hash }, "ada"), "right");
  assert.equal(await verifier.rehash(password, { hash }), undefined);
  assert.equal(await verifier.rehash(password, { password: "secret" }), undefined);
  assert.equal(await verifier.rehash(password, undefined), undefined);
  const verification = verifier.verify(password, { hash }, "ada");
  assert.equal(await verifier.rehash(password, { hash: cheapBcrypt }), undefined);
  assert.equal(await verification, "right");
});
