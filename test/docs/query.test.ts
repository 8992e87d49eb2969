/** docs/query.md does what it says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { runPage } from "./installed-page.ts";

const { status } = spawnSync("sqlite3", ["--version"]);

test("docs/query.md does what it says", {
  skip: status === 0 ? false : "sqlite3 is not installed",
}, async () => {
  assert.equal(await runPage("docs/query.md"), 5);
});
