/** The suite that every engine passes; this one outlives nothing, and hands itself on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { testRecordStore, testStorage } from "../conformance/index.ts";
import { MemoryStorage } from "./memory-storage.ts";

testStorage("memory", async () => {
  const storage = new MemoryStorage();
  return { storage, reopen: async () => storage, end: () => storage.close() };
});

testRecordStore("memory", async () => {
  const storage = new MemoryStorage();
  return { records: storage, reopen: async () => storage, end: () => storage.close() };
});

test("everything is answered at once", () => {
  const storage = new MemoryStorage();
  const page = { queue: 1, after: 0, messagesMax: 1, bytesMax: 1 };
  const answers = [
    storage.restore(),
    storage.commit([]),
    storage.readWaiting(page),
    storage.readUnderWay(1),
  ];
  assert.ok(answers.every((answer) => !(answer instanceof Promise)));
});
