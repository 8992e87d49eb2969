import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { migrate, migrations, readVersion } from "./migrations.ts";

const fakeStep = "alter table session add column colour text; update session set colour = 'red'";

function openEmpty(context: TestContext): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  context.after(() => database.close());
  return database;
}

function tablesOf(database: DatabaseSync): readonly unknown[] {
  return database.prepare("select sql from sqlite_schema order by name").all();
}

test("an empty database gets every table and the version", (context) => {
  const database = openEmpty(context);
  migrate(database, "x.db");
  assert.equal(readVersion(database), migrations.length);
  database.exec(
    "select * from session, subscription, received, shared, message, row, retained, record",
  );
});

test("an older database is brought forward step by step, with what is in it", (context) => {
  const database = openEmpty(context);
  // As the first release left it.
  database.exec(`${migrations[0]}; pragma user_version = 1`);
  database.exec(
    "insert into session (queue, client_identifier, is_v5, expiry_seconds, is_connected) values (7, 'old', 1, 60, 0)",
  );
  migrate(database, "x.db", [...migrations.slice(0, 1), fakeStep, "create table another (x)"]);
  assert.equal(readVersion(database), 3);
  const rows = database.prepare("select queue, client_identifier, colour from session").all();
  assert.deepEqual(
    rows.map((row) => ({ ...row })),
    [{ queue: 7, client_identifier: "old", colour: "red" }],
  );
  database.exec("select * from another");
});

test("a database of this version is not changed", (context) => {
  const database = openEmpty(context);
  migrate(database, "x.db");
  const before = tablesOf(database);
  migrate(database, "x.db");
  assert.deepEqual(tablesOf(database), before);
});

test("a step that fails leaves the version before it, whole", (context) => {
  const database = openEmpty(context);
  migrate(database, "x.db");
  const before = tablesOf(database);
  const steps = [...migrations, `${fakeStep}; insert into unknown values (1)`];
  assert.throws(() => migrate(database, "x.db", steps), /no such table: unknown/);
  assert.equal(readVersion(database), migrations.length);
  assert.deepEqual(tablesOf(database), before);
  assert.equal(database.isTransaction, false);
});

test("a newer database is refused", (context) => {
  const database = openEmpty(context);
  database.exec("pragma user_version = 1000");
  assert.throws(() => migrate(database, "x.db"), {
    code: "STORAGE_VERSION_UNKNOWN",
    message: /^x\.db is of version 1000, and this tStack knows versions up to \d+: a newer tStack/,
  });
});
