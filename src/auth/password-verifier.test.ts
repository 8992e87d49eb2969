import assert from "node:assert/strict";
import { test } from "node:test";
import { deriveTag, parsePasswordHash } from "./password-hash.ts";
import { PasswordVerifier } from "./password-verifier.ts";

/** From the reference implementation's tests: password "password", salt "somesalt". */
const referenceHash =
  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
const cheapHash = "$argon2id$v=19$m=8,t=1,p=1$c29tc2FsdHNhbHQ$";

async function makeCheapHash(password: string) {
  const hash = parsePasswordHash(`${cheapHash}${Buffer.alloc(16).toString("base64").slice(0, 22)}`);
  return { ...hash, tag: await deriveTag(password, hash) };
}

test("password verifier: right and wrong, for hashes, plain passwords and nobody", async () => {
  const hash = await makeCheapHash("secret");
  const verifier = new PasswordVerifier(hash);
  const verify = (password: string, credential: Parameters<typeof verifier.verify>[1]) =>
    verifier.verify(Buffer.from(password), credential);
  assert.equal(await verify("secret", { hash }), "right");
  assert.equal(await verify("secres", { hash }), "wrong");
  assert.equal(await verify("secret", { password: "secret" }), "right");
  assert.equal(await verify("secrets", { password: "secret" }), "wrong");
  assert.equal(await verify("secret", undefined), "wrong");
});

test("password verifier: an empty password is never right", async () => {
  const hash = await makeCheapHash("");
  const verifier = new PasswordVerifier(hash);
  assert.equal(await verifier.verify(Buffer.alloc(0), { hash }), "wrong");
  assert.equal(await verifier.verify(Buffer.alloc(0), { password: "" }), "wrong");
});

test("password verifier: two run, the rest waits, beyond the bound it is busy", async () => {
  const hash = parsePasswordHash(referenceHash);
  const verifier = new PasswordVerifier(hash, { verificationsMax: 2, waitingMax: 3 });
  const asked = Array.from({ length: 7 }, () => verifier.verify(Buffer.from("password"), { hash }));
  const verdicts = await Promise.all(asked);
  assert.deepEqual(verdicts, ["right", "right", "right", "right", "right", "busy", "busy"]);
  // Every place was given back.
  assert.equal(await verifier.verify(Buffer.from("password"), { hash }), "right");
  const again = await Promise.all(asked.map(() => verifier.verify(Buffer.from("x"), { hash })));
  assert.equal(again.filter((verdict) => verdict === "wrong").length, 5);
});

test("password verifier: the event loop goes on while it verifies", async () => {
  const hash = parsePasswordHash(referenceHash);
  const verifier = new PasswordVerifier(hash);
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  try {
    await verifier.verify(Buffer.from("password"), { hash });
  } finally {
    clearInterval(timer);
  }
  assert.ok(turns >= 3, `only ${turns} turns`);
});

test("password verifier: who does not exist takes as long as a wrong password", async () => {
  const hash = parsePasswordHash(referenceHash);
  const verifier = new PasswordVerifier(hash);
  const credentials = [{ hash }, undefined, { password: "secret" }];
  const least = credentials.map(() => Number.POSITIVE_INFINITY);
  // In turn: what keeps the machine busy for a while keeps all of them waiting.
  for (let round = 0; round < 5; round++) {
    for (const [index, credential] of credentials.entries()) {
      const start = performance.now();
      await verifier.verify(Buffer.from("wrong"), credential);
      least[index] = Math.min(least[index], performance.now() - start);
    }
  }
  const [wrong, ...others] = least;
  for (const other of others) assert.ok(other > wrong / 2, `${other} ms instead of ${wrong} ms`);
});
