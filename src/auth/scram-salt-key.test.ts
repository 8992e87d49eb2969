import assert from "node:assert/strict";
import { test } from "node:test";
import { TstackError } from "../base/index.ts";
import { MemoryStorage } from "../storage/index.ts";
import { openScramSaltKey } from "./scram-salt-key.ts";

test("the key for salts of SCRAM is made once, and found again", async () => {
  const store = new MemoryStorage();
  const first = await openScramSaltKey(await store.readRecords(), store);
  assert.equal(first.length, 32);
  const [record, ...others] = await store.readRecords();
  assert.deepEqual(others, []);
  assert.deepEqual(await openScramSaltKey([record], store), first);
  assert.notDeepEqual(await openScramSaltKey([], new MemoryStorage()), first);
});

test("a key for salts of SCRAM that is broken is made anew", async () => {
  const store = new MemoryStorage();
  await openScramSaltKey([], store);
  const [record] = await store.readRecords();
  for (const value of ["", "{}", record.value.slice(2), `${record.value}00`]) {
    const made = await openScramSaltKey([{ ...record, value }], store);
    assert.equal(made.length, 32);
    assert.equal((await store.readRecords())[0].value, made.toString("hex"));
  }
});

test("where the store cannot be written there is a key all the same, and the log says so", async () => {
  const store = new MemoryStorage();
  store.writeRecords = () => Promise.reject(new TstackError("STORAGE_FULL", "the disk is full"));
  const warnings: string[] = [];
  const log = {
    debug() {},
    info() {},
    warn: (_: object, text: string) => warnings.push(text),
    error() {},
  };
  assert.equal((await openScramSaltKey([], store, log)).length, 32);
  assert.match(warnings.join(), /could not be kept/);
});
