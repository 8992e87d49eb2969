import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DataFolder } from "./data-folder.ts";

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "tstack-consume-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "data");
}

test("the folder is its owner's only, and nobody else's while it is held", (context) => {
  const path = makeFolder(context);
  const folder = DataFolder.take(path, "tconsume, process 1");
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.throws(() => DataFolder.take(path, "tconsume, process 2"), {
    code: "STORAGE_LOCKED",
    message: /in use by tconsume, process 1 since .*: stop it, or give this tconsume a folder/,
  });
  folder.release();
  DataFolder.take(path, "tconsume, process 2").release();
});

test("the client identifier is made up once", (context) => {
  const path = makeFolder(context);
  const folder = DataFolder.take(path, "one");
  assert.equal(
    folder.clientIdentifier(() => "made-up"),
    "made-up",
  );
  folder.release();
  const again = DataFolder.take(path, "two");
  assert.equal(
    again.clientIdentifier(() => "another"),
    "made-up",
  );
  assert.equal(statSync(join(path, "client-id")).mode & 0o777, 0o600);
  assert.ok(!readdirSync(path).includes("client-id.part"));
  writeFileSync(join(path, "client-id"), "\n");
  assert.throws(() => again.clientIdentifier(() => "another"), { code: "STORAGE_DAMAGED" });
  again.release();
});

test("a folder that cannot be made, or not be written, is said in words", (context) => {
  const path = makeFolder(context);
  // Root may write everywhere, but a name of this length is refused to root too.
  assert.throws(() => DataFolder.take(`${path}${"x".repeat(300)}`, "one"), {
    code: "STORAGE_OPEN_FAILED",
    message: /^the data folder .* cannot be written \(ENAMETOOLONG.*\): name another one/,
  });
  const folder = DataFolder.take(path, "one");
  mkdirSync(join(path, "client-id.part"));
  assert.throws(() => folder.clientIdentifier(() => "made-up"), { code: "STORAGE_OPEN_FAILED" });
  folder.release();
});
