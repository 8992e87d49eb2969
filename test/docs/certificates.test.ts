/** docs/certificates.md does what it says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runPage } from "./installed-page.ts";

test("docs/certificates.md does what it says", async () => {
  assert.equal(await runPage("docs/certificates.md"), 1);
});
