/** A page is as large as what is in it: its messages are views that keep all of it in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodePage, encodePage } from "./page-form.ts";

test("a page has no room that it does not need", () => {
  const page = encodePage([], 1000);
  assert.ok(page.byteLength < 10, `${page.byteLength} bytes`);
  assert.deepEqual(decodePage(page), []);
});
