/** A folder into which something else is put: what was kept there stays readable at every moment, and belongs to whom it did. */
import assert from "node:assert/strict";
import { chownSync, copyFileSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { HeldFolder } from "../../src/storage/index.ts";
import {
  makeFolder,
  numbersTo,
  openFolder,
  readPositions,
  sessionWithRows,
} from "./sqlite-folder.ts";

/** As SIGKILL leaves it: what was committed is in the log, not in the database. */
async function makeKilled(context: TestContext): Promise<string> {
  const folder = makeFolder(context);
  const running = join(folder, "running");
  const killed = join(folder, "killed");
  mkdirSync(killed);
  const storage = await openFolder(context, running);
  await storage.commit(sessionWithRows(20));
  for (const end of ["", "-wal"]) {
    copyFileSync(join(running, `tstack.db${end}`), join(killed, `tstack.db${end}`));
  }
  return killed;
}

test("what is set aside is in its place as well, with its log, until something else is", async (context) => {
  const folder = await makeKilled(context);
  const held = HeldFolder.take(folder, "a test");
  const aside = held.setAside("before-test");
  held.release();
  assert.equal(aside, join(folder, "tstack.db.before-test"));
  const storage = await openFolder(context, folder);
  assert.deepEqual(await readPositions(storage), numbersTo(20));
});

test("a log without its database is set aside, and not left for what comes into its place", async (context) => {
  const folder = await makeKilled(context);
  rmSync(join(folder, "tstack.db"));
  const held = HeldFolder.take(folder, "a test");
  assert.ok(held.isUsed);
  held.setAside("before-test");
  held.release();
  assert.deepEqual(readdirSync(folder).sort(), ["tstack.db.before-test-wal", "tstack.lock"]);
});

test("what root puts into the folder of a broker is that broker's", async (context) => {
  const folder = await makeKilled(context);
  const { uid } = statSync(folder);
  if (uid !== 0) return context.skip("only root can give files away");
  chownSync(folder, 65_534, 65_534);
  const made = join(folder, "..", "running", "made.db");
  copyFileSync(join(folder, "tstack.db"), made);
  const held = HeldFolder.take(folder, "a test");
  held.setAside("before-test");
  held.adopt(made);
  held.release();
  for (const name of ["tstack.db", "tstack.lock"]) {
    const { uid, gid } = statSync(join(folder, name));
    assert.deepEqual([uid, gid], [65_534, 65_534], name);
  }
});
