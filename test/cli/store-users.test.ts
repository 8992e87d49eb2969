/** Users and roles go along: into a backup and back, into an export and back. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { silentLog } from "../../src/base/index.ts";
import { sessionOf } from "../../src/storage/conformance/records.ts";
import { openRecords, openSqliteStorage } from "../../src/storage/index.ts";
import { StoreFolder } from "./store-folder.ts";

const place = new StoreFolder();
const data = place.join("data");
const records = [
  { kind: "role", name: "reader", value: '{"rights":[]}' },
  { kind: "user", name: "", value: "{}" },
  { kind: "user", name: "ada/ß\0", value: '{"hash":"..."}' },
];

before(async () => {
  const options = { durability: "os", log: silentLog, holder: "a test" } as const;
  const storage = await openSqliteStorage({ folder: data, ...options });
  const session = sessionOf(1, { userName: "ada" });
  await storage.commit([
    { kind: "session", session },
    { kind: "session", session: sessionOf(2) },
  ]);
  await storage.writeRecords(records);
  await storage.close();
});
after(() => place.remove());

async function readRecords(folder: string) {
  const opened = await openRecords(folder, "a test");
  try {
    return await opened.readRecords();
  } finally {
    await opened.close();
  }
}

test("a backup holds users and roles, and restore puts them back", async () => {
  const file = place.join("backup.db");
  const size =
    "2 sessions, 0 subscriptions, 0 queued messages, 0 retained messages, 3 records of users and keys";
  const said = await place.run("backup", file, "--data", data);
  assert.ok(said.startsWith(`${file}: ${size} (`), said);
  const restored = place.join("restored");
  assert.equal(await place.run("restore", file, "--data", restored), `${restored}: ${size}\n`);
  assert.deepEqual(await readRecords(restored), records);
});

test("an export holds users and roles and whose a session is, and import brings them back", async () => {
  const lines = await place.exportFrom("--data", data);
  const exported = lines.map((line) => JSON.parse(line));
  assert.deepEqual(
    exported.filter(({ kind }) => kind === "session").map(({ userName }) => userName),
    ["ada", undefined],
  );
  assert.deepEqual(
    exported.filter(({ kind }) => kind === "record"),
    records.map(({ kind: of, name, value }) => ({ kind: "record", of, name, value })),
  );
  const imported = place.join("imported");
  await place.run("import", place.join("export.jsonl"), "--data", imported);
  assert.deepEqual(await readRecords(imported), records);
  assert.deepEqual(await place.exportFrom("--data", imported), lines);
});
