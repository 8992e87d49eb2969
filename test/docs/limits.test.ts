/** The commands of docs/limits.md do what it says; `test/house/written-docs.test.ts` holds its table. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runPage } from "./installed-page.ts";

test("a client learns what it has lost as docs/limits.md says", async () => {
  assert.equal(await runPage("docs/limits.md"), 1);
});
