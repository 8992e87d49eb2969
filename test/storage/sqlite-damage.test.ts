/** A damaged database is kept aside, never replaced in silence; what is no damage is left alone. */
import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import {
  type LogLine,
  makeFolder,
  numbersTo,
  openFolder,
  readPositions,
  recordLog,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

const rows = 2000;

/** A folder with a closed database of some hundred pages. */
async function fill(context: TestContext): Promise<string> {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(rows));
  await storage.close();
  return folder;
}

function damage(file: string, change: (bytes: Buffer) => void): Buffer {
  const bytes = readFileSync(file);
  change(bytes);
  writeFileSync(file, bytes);
  return bytes;
}

function asideOf(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes(".damaged-"));
}

/** Opens the folder and expects a new database in it, the old one aside and the log saying so. */
async function expectSetAside(context: TestContext, folder: string, kept: Buffer): Promise<void> {
  const lines: LogLine[] = [];
  const storage = await openFolder(context, folder, { log: recordLog(lines) });
  const { sessions, messageLast } = await storage.restore();
  assert.deepEqual([...sessions], []);
  assert.equal(messageLast, 0);
  await storage.commit(sessionWithRows(3));
  assert.deepEqual(await readPositions(storage), [1, 2, 3]);

  const [aside, ...others] = asideOf(folder);
  assert.match(aside, /^tstack\.db\.damaged-\d{8}T\d{6}\.\d{3}Z$/);
  assert.deepEqual(others, []);
  assert.ok(readFileSync(join(folder, aside)).equals(kept), "not a byte of it was changed");
  assert.deepEqual(
    lines.map(({ level }) => level),
    ["error"],
  );
  assert.match(lines[0].message, new RegExp(`kept as .*${aside}.*tstack restore FILE`));
}

test("a database without its header is put aside", async (context) => {
  const folder = await fill(context);
  const kept = damage(join(folder, "tstack.db"), (bytes) => bytes.fill(0x5a, 0, 100));
  await expectSetAside(context, folder, kept);
});

test("a database with a page in the middle overwritten is put aside", async (context) => {
  const folder = await fill(context);
  const kept = damage(join(folder, "tstack.db"), (bytes) => {
    const page = Math.floor(bytes.length / 4096 / 2) * 4096;
    bytes.fill(0xa5, page, page + 4096);
  });
  await expectSetAside(context, folder, kept);
});

test("a database that was cut off is put aside", async (context) => {
  const folder = await fill(context);
  const file = join(folder, "tstack.db");
  truncateSync(file, Math.floor(statSync(file).size / 3 / 4096) * 4096);
  await expectSetAside(context, folder, readFileSync(file));
});

test("an empty file is a damaged database, not a new one", async (context) => {
  const folder = await fill(context);
  truncateSync(join(folder, "tstack.db"), 0);
  await expectSetAside(context, folder, Buffer.alloc(0));
});

test("a database of another program in its place is put aside", async (context) => {
  const folder = makeFolder(context);
  const file = join(folder, "tstack.db");
  const foreign = new DatabaseSync(file);
  foreign.exec("create table precious (x)");
  foreign.close();
  const lines: LogLine[] = [];
  const storage = await openFolder(context, folder, { log: recordLog(lines) });
  assert.deepEqual([...(await storage.restore()).sessions], []);
  assert.match(lines[0].message, /damaged \(nothing of a tStack is in it\): it is kept as/);
  const kept = new DatabaseSync(join(folder, asideOf(folder)[0]), { readOnly: true });
  context.after(() => kept.close());
  assert.deepEqual(kept.prepare("select * from precious").all(), []);
});

test("a log whose database is gone is put aside, and is not taken for that of a new one", async (context) => {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(5));
  const log = join(folder, "tstack.db-wal");
  copyFileSync(log, `${log}.left`);
  await storage.close();
  rmSync(join(folder, "tstack.db"));
  copyFileSync(`${log}.left`, log);
  const kept = readFileSync(log);

  const lines: LogLine[] = [];
  const again = await openFolder(context, folder, { log: recordLog(lines) });
  assert.deepEqual([...(await again.restore()).sessions], []);
  assert.match(lines[0].message, /damaged \(only its log is there\): it is kept as/);
  const [aside, ...others] = asideOf(folder);
  assert.match(aside, /Z-wal$/);
  assert.deepEqual(others, []);
  assert.ok(readFileSync(join(folder, aside)).equals(kept));
});

test("a beginning that was cut short is begun again, without a word", async (context) => {
  const folder = makeFolder(context);
  writeFileSync(join(folder, "tstack.db.new"), "half");
  const lines: LogLine[] = [];
  const storage = await openFolder(context, folder, { log: recordLog(lines) });
  await storage.commit(sessionWithRows(1));
  assert.deepEqual(lines, []);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes(".new")),
    [],
  );
});

test("a directory in the place of the database is no damage", async (context) => {
  const folder = makeFolder(context);
  mkdirSync(join(folder, "tstack.db"));
  await assert.rejects(openFolder(context, folder), { code: "STORAGE_OPEN_FAILED" });
  assert.deepEqual(asideOf(folder), []);
});

test("a database of a newer version is refused and not touched", async (context) => {
  const folder = await fill(context);
  const file = join(folder, "tstack.db");
  const database = new DatabaseSync(file);
  database.exec("pragma user_version = 77");
  database.close();
  await assert.rejects(openFolder(context, folder), {
    code: "STORAGE_VERSION_UNKNOWN",
    message: /tstack\.db is of version 77, and this tStack knows versions up to \d+/,
  });
  const kept = new DatabaseSync(file);
  context.after(() => kept.close());
  assert.deepEqual({ ...kept.prepare("select count(*) as rows from row").get() }, { rows });
});

test("a database that is damaged while it is in use is told of, and the rest goes on", async (context) => {
  const folder = await fill(context);
  const storage = await openFolder(context, folder);
  const database = new DatabaseSync(join(folder, "tstack.db"), { readOnly: true });
  const [{ rootpage }] = database
    .prepare("select rootpage from sqlite_schema where name = 'message'")
    .all();
  database.close();
  // Nothing of it has been read yet.
  damage(join(folder, "tstack.db"), (bytes) => {
    const page = (Number(rootpage) - 1) * 4096;
    bytes.fill(0xa5, page, page + 4096);
  });
  await assert.rejects(readPositions(storage), {
    code: "STORAGE_DAMAGED",
    message: /tstack\.db is damaged .*Start the broker again/,
  });
  await assert.rejects(async () => storage.commit(rowsFrom(rows + 1, 1)), {
    code: "STORAGE_DAMAGED",
  });
  await storage.commit([{ kind: "received", queue: 1, packetIdentifier: 7 }]);
});

test("what a clean end left is read as it was", async (context) => {
  const folder = await fill(context);
  const storage = await openFolder(context, folder);
  assert.deepEqual(await readPositions(storage), numbersTo(rows));
});
