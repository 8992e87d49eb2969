import assert from "node:assert/strict";
import { test } from "node:test";
import { readSqliteSettings } from "./settings.ts";

test("readings.db is kept for ever, unless something else is said", () => {
  assert.deepEqual(readSqliteSettings({}), { file: "readings.db", retentionSeconds: undefined });
  const values = { "sqlite-file": "a.db", "sqlite-retention": "90d" };
  assert.deepEqual(readSqliteSettings(values), { file: "a.db", retentionSeconds: 7_776_000 });
});

test("what is no file on the disk would lose what was acknowledged", () => {
  for (const file of [":memory:", "file:x?mode=memory", ""]) {
    assert.throws(
      () => readSqliteSettings({ "sqlite-file": file }),
      /^TstackError: --sqlite-file is /,
    );
  }
});

test("a retention of nothing would delete what comes", () => {
  const message = '--sqlite-retention is more than nothing: a time such as 90d, not "0"';
  assert.throws(() => readSqliteSettings({ "sqlite-retention": "0" }), { message });
});
