import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  deriveTag,
  describeCost,
  hashPassword,
  makeSameCost,
  needsRehash,
  parsePasswordHash,
} from "./password-hash.ts";

/** From the reference implementation's tests: password "password", salt "somesalt". */
const referenceHash =
  "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
/** From the tests of crypt_blowfish: password "U*U". */
const bcryptTail = "05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
const sha512Tag = Buffer.alloc(64).toString("base64");

async function isRight(password: string | Uint8Array, text: string): Promise<boolean> {
  const hash = parsePasswordHash(text);
  return (await deriveTag(password, hash)).equals(hash.tag);
}

test("password hash: the reference implementation's vector of argon2id", async () => {
  assert.equal(await isRight("password", referenceHash), true);
  assert.equal(await isRight("passwore", referenceHash), false);
});

test("password hash: what is made is read, and no two are alike", async () => {
  const [one, two] = await Promise.all([hashPassword("geheim ü"), hashPassword("geheim ü")]);
  assert.notEqual(one, two);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.equal(await isRight(Buffer.from("geheim ü"), one), true);
  assert.equal(parsePasswordHash(one).text, one);
});

test("password hash: bcrypt by all its names, of the first 72 bytes, and never with NUL", async () => {
  for (const name of ["$2a$", "$2b$", "$2y$"]) {
    assert.equal(await isRight("U*U", `${name}${bcryptTail}`), true, name);
    assert.equal(await isRight("U*V", `${name}${bcryptTail}`), false, name);
    assert.equal(await isRight("U*U\0U*U", `${name}${bcryptTail}`), false, name);
  }
  const long = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  const hashOfLong = "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui".replace(
    "$2a$",
    "$2y$",
  );
  assert.equal(await isRight(`${long}chars after 72 are ignored`, hashOfLong), true);
  assert.equal(await isRight(`${long.slice(0, 71)}-`, hashOfLong), false);
});

const withoutProgram =
  spawnSync("mosquitto_passwd", ["-h"]).error !== undefined && "mosquitto_passwd is not installed";

test("password hash: what mosquitto_passwd writes", { skip: withoutProgram }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "tstack-"));
  try {
    for (const [algorithm, beginning] of [
      ["sha512-pbkdf2", "$7$101$"],
      ["sha512", "$6$"],
    ]) {
      const file = join(folder, algorithm);
      execFileSync("mosquitto_passwd", ["-H", algorithm, "-c", "-b", file, "ada", "geheim ü"]);
      const text = readFileSync(file, "utf8").trim().slice("ada:".length);
      assert.ok(text.startsWith(beginning), algorithm);
      assert.equal(await isRight("geheim ü", text), true, algorithm);
      assert.equal(await isRight("geheim u", text), false, algorithm);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("password hash: written by mosquitto_passwd 2.0.11, where that is not installed", async () => {
  for (const text of [
    "$7$101$A3a3J9jREjo9+PMR$fbzoXkStCgJjgSKXWIFJOhJnCT/jRqr2+xtUz4ot4Voq0UJJAkj7FYjbATIifVmmGUoav8lIMNuJKRbUjIRxEA==",
    "$6$lveKoeODECvwdjFh$1uIiQtr4jhu6tLZrKl2KjBktbgYPSqFeo5PXTZzl5eQDDZPVGFOmJLfEoV8Q/fNmmPpAL8GVgvYNEFMDE1r2lw==",
  ]) {
    assert.equal(await isRight("secret", text), true);
    assert.equal(await isRight("secreT", text), false);
  }
});

const salt = "c29tc2FsdHNhbHQ";
const tag = "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

for (const text of [
  "",
  "secret",
  `$argon2i$v=19$m=8,t=1,p=1$${salt}$${tag}`,
  `$argon2id$v=16$m=8,t=1,p=1$${salt}$${tag}`,
  `$argon2id$m=8,t=1,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=7,t=1,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=262145,t=1,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=262144,t=5,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=999999999,t=1,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=8,t=0,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=8,t=101,p=1$${salt}$${tag}`,
  `$argon2id$v=19$m=8,t=1,p=2$${salt}$${tag}`,
  `$argon2id$v=19$m=8,t=1,p=1$c2FsdA$${tag}`,
  `$argon2id$v=19$m=8,t=1,p=1$${salt}$c2hvcnQ`,
  `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag}$`,
  `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag}\n`,
  `$2b$03$${bcryptTail.slice(3)}`,
  `$2b$17$${bcryptTail.slice(3)}`,
  `$2b$5$${bcryptTail.slice(3)}`,
  `$2x$${bcryptTail}`,
  `$2b$${bcryptTail}x`,
  `$2b$${bcryptTail.slice(1)}`,
  `$7$0$${salt}=$${sha512Tag}`,
  `$7$10000001$${salt}=$${sha512Tag}`,
  `$7$${salt}=$${sha512Tag}`,
  `$7$101$c2FsdA==$${sha512Tag}`,
  `$7$101$${salt}=$${tag}=`,
  `$6$101$${salt}=$${sha512Tag}`,
  `$6$${salt}=$${sha512Tag}:`,
  `$1$${salt}$${tag}`,
]) {
  test(`password hash: ${JSON.stringify(text)} is refused without being repeated`, () => {
    assert.throws(
      () => parsePasswordHash(text),
      (error: Error & { code?: string }) =>
        error.code === "PASSWORD_HASH_INVALID" &&
        !error.message.includes(salt) &&
        !error.message.includes(bcryptTail.slice(3)),
    );
  });
}

test("password hash: everything but argon2id at today's cost is to be hashed anew", async () => {
  const argon2id = (cost: string) =>
    needsRehash(parsePasswordHash(`$argon2id$v=19$${cost}$${salt}$${tag}`));
  assert.equal(needsRehash(parsePasswordHash(await hashPassword("x"))), false);
  assert.equal(argon2id("m=65536,t=2,p=1"), false);
  assert.equal(argon2id("m=19456,t=1,p=1"), true);
  assert.equal(argon2id("m=8192,t=2,p=1"), true);
  assert.equal(needsRehash(parsePasswordHash(`$2b$${bcryptTail}`)), true);
  assert.equal(needsRehash(parsePasswordHash(`$7$1000000$${salt}=$${sha512Tag}`)), true);
  assert.equal(needsRehash(parsePasswordHash(`$6$${salt}=$${sha512Tag}`)), true);
});

test("password hash: one of the same cost can be computed, and tells nothing of the first", async () => {
  for (const text of [
    `$argon2id$v=19$m=8,t=1,p=1$${salt}$${tag}`,
    `$2y$${bcryptTail}`,
    `$7$101$${salt}=$${sha512Tag}`,
    `$6$${salt}=$${sha512Tag}`,
  ]) {
    const hash = parsePasswordHash(text);
    const other = makeSameCost(hash);
    assert.equal(describeCost(other), describeCost(hash));
    assert.notDeepEqual(other.salt, hash.salt);
    assert.equal(other.text, "");
    const derived = await deriveTag("x", other);
    assert.equal(derived.length, hash.tag.length);
    assert.notDeepEqual(derived, other.tag);
  }
});
