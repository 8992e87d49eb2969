/** The folder and its files: modes, others that read along, and files that are taken away under the engine. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { SqliteDurability } from "../../src/storage/index.ts";
import { openDatabase } from "../../src/storage/sqlite/database.ts";
import {
  makeFolder,
  numbersTo,
  openFolder,
  readPositions,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

const synchronous: Record<SqliteDurability, number> = { os: 1, fsync: 2 };

for (const durability of ["os", "fsync"] as const) {
  test(`durability ${durability} is what SQLite is told`, async (context) => {
    const folder = makeFolder(context);
    const storage = await openFolder(context, folder, { durability });
    assert.equal(storage.durability, durability);
    assert.equal(storage.location, folder);
    const database = openDatabase(join(folder, "tstack.db"), durability);
    context.after(() => database.close());
    assert.equal(
      database.prepare("pragma synchronous").get()?.synchronous,
      synchronous[durability],
    );
    assert.equal(database.prepare("pragma journal_mode").get()?.journal_mode, "wal");
  });
}

test("the folder and all files are the user's own", async (context) => {
  const folder = join(makeFolder(context), "new", "data");
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(1));
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);
  assert.equal(modeOf(folder), "700");
  const files = readdirSync(folder).sort();
  assert.deepEqual(files, ["tstack.db", "tstack.db-shm", "tstack.db-wal", "tstack.lock"]);
  for (const name of files) assert.equal(modeOf(join(folder, name)), "600", name);
  await storage.close();
  assert.deepEqual(readdirSync(folder).sort(), ["tstack.db", "tstack.lock"]);
});

test("another process reads the tables while the engine runs, and changes nothing for it", async (context) => {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(10));
  const script = `
    const database = new (require("node:sqlite").DatabaseSync)(process.argv[1], { readOnly: true });
    const rows = database.prepare("select topic, cast(payload as text) as payload from message join row on message.id = row.message order by position").all();
    console.log(JSON.stringify(rows[9]));`;
  const output = execFileSync(process.execPath, ["-e", script, join(folder, "tstack.db")]);
  assert.deepEqual(JSON.parse(output.toString()), { topic: "t", payload: "10".padEnd(99, ".") });
  await storage.commit(rowsFrom(11, 10));
  assert.deepEqual(await readPositions(storage), numbersTo(20));
});

test("a reader that stays holds up no commit", async (context) => {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(1));
  const reader = new DatabaseSync(join(folder, "tstack.db"), { readOnly: true });
  context.after(() => reader.close());
  reader.exec("begin");
  const count = () => reader.prepare("select count(*) as count from row").get()?.count;
  assert.equal(count(), 1);
  const started = performance.now();
  // More than the log may hold before it is taken into the database.
  for (let first = 2; first < 20_000; first += 2000) {
    await storage.commit(rowsFrom(first, 2000, 1000));
  }
  assert.ok(performance.now() - started < 20_000);
  assert.equal(count(), 1, "its moment stays the one in which it began");
  reader.exec("commit");
  await storage.commit(rowsFrom(20_002, 1));
});

test("a folder that vanishes is told of, and is all right again when it comes back", async (context) => {
  const folder = join(makeFolder(context), "data");
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(1));
  renameSync(folder, `${folder}-elsewhere`);
  const gone = { code: "STORAGE_GONE", message: /tstack\.db has vanished or was replaced/ };
  await assert.rejects(async () => storage.commit(rowsFrom(2, 1)), gone);
  mkdirSync(folder);
  await assert.rejects(async () => storage.commit(rowsFrom(2, 1)), gone);
  rmSync(folder, { recursive: true });
  renameSync(`${folder}-elsewhere`, folder);
  await storage.commit(rowsFrom(2, 1));
  assert.deepEqual(await readPositions(storage), [1, 2]);
});

test("a folder that is deleted is told of", async (context) => {
  const folder = join(makeFolder(context), "data");
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(1));
  rmSync(folder, { recursive: true });
  await assert.rejects(async () => storage.commit(rowsFrom(2, 1)), { code: "STORAGE_GONE" });
  await storage.close();
});

for (const end of ["", "-wal"]) {
  test(`another file in the place of tstack.db${end} is told of`, async (context) => {
    const folder = makeFolder(context);
    const storage = await openFolder(context, folder);
    await storage.commit(sessionWithRows(1));
    const file = join(folder, `tstack.db${end}`);
    renameSync(file, `${file}.old`);
    copyFileSync(`${file}.old`, file);
    await assert.rejects(async () => storage.commit(rowsFrom(2, 1)), { code: "STORAGE_GONE" });
  });
}

test("a database that was put in the place of the one in use is not written to", async (context) => {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(1));
  const ends = ["", "-wal", "-shm"];
  for (const end of ends) {
    const file = join(folder, `tstack.db${end}`);
    renameSync(file, `${file}.old`);
    copyFileSync(`${file}.old`, file);
  }
  const contents = () => ends.map((end) => readFileSync(join(folder, `tstack.db${end}`)));
  const before = contents();
  await assert.rejects(async () => storage.commit(rowsFrom(2, 1)), { code: "STORAGE_GONE" });
  await storage.close();
  assert.deepEqual(contents(), before);
});
