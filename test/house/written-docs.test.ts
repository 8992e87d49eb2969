/** The pages that are written from the code say what the code says: errors, limits, conformance. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { readCoverage } from "../../scripts/conformance/coverage.ts";
import { renderConformance } from "../../scripts/write-conformance.ts";
import { renderErrorDocs } from "../../scripts/write-error-docs.ts";
import { renderLimitDocs } from "../../scripts/write-limit-docs.ts";

const docs = join(import.meta.dirname, "../../docs");
const remedy = "is out of date: run `npm run format`";

test("docs/errors.md lists exactly the errors of errorTable", async () => {
  const page = await readFile(join(docs, "errors.md"), "utf8");
  assert.equal(page, renderErrorDocs(), `docs/errors.md ${remedy}`);
});

test("docs/limits.md lists exactly the limits and their defaults", async () => {
  const page = await readFile(join(docs, "limits.md"), "utf8");
  assert.equal(page, await renderLimitDocs(page), `docs/limits.md ${remedy}`);
});

test("docs/conformance.md says what the clause tags of the tree say", async () => {
  const page = await readFile(join(docs, "conformance.md"), "utf8");
  assert.equal(page, renderConformance(readCoverage()), `docs/conformance.md ${remedy}`);
});
