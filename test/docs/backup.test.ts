/** docs/backup.md does what it says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runPage } from "./installed-page.ts";

test("docs/backup.md does what it says", async () => {
  assert.equal(await runPage("docs/backup.md"), 4);
});
