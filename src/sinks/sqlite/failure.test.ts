import assert from "node:assert/strict";
import fs, { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { describeFailure } from "./failure.ts";

/** Tests may run as root, to whom nothing is closed. */
function closeTo(context: TestContext, closed: string): void {
  const original = fs.accessSync;
  const mocked = context.mock.method(fs, "accessSync", (path: string, mode?: number) => {
    if (path === closed) throw new Error(`EACCES: permission denied, access '${path}'`);
    original(path, mode);
  });
  syncBuiltinESMExports();
  context.after(() => {
    mocked.mock.restore();
    syncBuiltinESMExports();
  });
}

const cannotOpen = Object.assign(new Error("unable to open database file"), { errcode: 14 });

for (const [closed, words] of [
  ["file", /^\S+readings\.db may not be read and written \(EACCES.*\): give this user the right/],
  ["folder", /^the folder of \S+readings\.db cannot be used: EACCES/],
] as const) {
  test(`SQLite says only "unable to open": that the ${closed} is closed to this user is found out`, (context) => {
    const folder = mkdtempSync(join(tmpdir(), "tstack-failure-"));
    context.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "readings.db");
    writeFileSync(file, "");
    closeTo(context, closed === "file" ? file : folder);
    assert.match(describeFailure(cannotOpen, file).message, words);
  });
}
