import assert from "node:assert/strict";
import { test } from "node:test";
import { checkScramKeys } from "./identity-checks.ts";
import { makeScramKeys } from "./scram-keys.ts";

const base64 = (bytes: number) => Buffer.alloc(bytes, "secret").toString("base64");

test("SCRAM keys: those that are made here pass, and come back without what does not belong", async () => {
  const keys = await makeScramKeys("pencil");
  assert.deepEqual(checkScramKeys({ ...keys, more: 1 }, "user x"), keys);
  assert.deepEqual(checkScramKeys({ ...keys, iterations: 1_000_000 }, "user x").salt, keys.salt);
});

test("SCRAM keys: what nobody could log in with, or what is easy to guess, is refused without repeating it", async () => {
  const keys = await makeScramKeys("pencil");
  const wrong: readonly (readonly [object | undefined, RegExp])[] = [
    [undefined, /salt/],
    [{ salt: base64(7) }, /salt/],
    [{ salt: base64(65) }, /salt/],
    [{ salt: 7 }, /salt/],
    [{ storedKey: base64(31) }, /storedKey/],
    [{ storedKey: base64(33) }, /storedKey/],
    [{ storedKey: base64(32).replace("=", "") }, /storedKey/],
    [{ serverKey: "" }, /serverKey/],
    [{ serverKey: `${base64(32)} ` }, /serverKey/],
    [{ iterations: 4095 }, /iterations/],
    [{ iterations: 1_000_001 }, /iterations/],
    [{ iterations: 4096.5 }, /iterations/],
    [{ iterations: "4096" }, /iterations/],
  ];
  for (const [fields, words] of wrong) {
    const given = fields === undefined ? undefined : { ...keys, ...fields };
    assert.throws(
      () => checkScramKeys(given, "user x"),
      (error: Error) => words.test(error.message) && !error.message.includes(base64(4)),
      JSON.stringify(fields),
    );
  }
});
