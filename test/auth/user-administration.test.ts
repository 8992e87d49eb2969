/** Users and roles changed as the API changes them, kept in a real database, and there again after a restart. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Users } from "../../src/admin/ports.ts";
import { hashPassword, UserAdministration, UserDirectory } from "../../src/auth/index.ts";
import { silentLog } from "../../src/base/index.ts";
import { openSqliteStorage } from "../../src/storage/index.ts";

const key = Buffer.alloc(32, "key").toString("base64");
const salt = Buffer.alloc(16, "salt").toString("base64");
const scramKeys = { salt, iterations: 4096, storedKey: key, serverKey: key };
const options = {
  clock: { now: () => 1000 },
  hashPassword,
  makeScramKeys: () => Promise.resolve(scramKeys),
};

async function openUsers(folder: string) {
  const storage = await openSqliteStorage({
    folder,
    durability: "os",
    log: silentLog,
    holder: "a test",
  });
  const directory = new UserDirectory({ configured: [], records: await storage.readRecords() });
  // The shape that admin/ asks for, held by the compiler.
  const users: Users = new UserAdministration(directory, storage, options);
  return { users, storage };
}

test("user administration: what is changed is there after a restart, and moves to another broker", async () => {
  const folder = await mkdtemp(join(tmpdir(), "tstack-users-"));
  const other = await mkdtemp(join(tmpdir(), "tstack-users-"));
  try {
    const first = await openUsers(folder);
    await first.users.addRole({ name: "operator", rules: [{ allow: "subscribe", filter: "#" }] });
    await first.users.addUser({
      name: "ada/+\u{1F600}",
      password: "secret",
      scram: true,
      roles: ["operator"],
      rules: [{ deny: "publish", filter: "x", qos: [2], retain: true }],
      note: "the first",
    });
    await first.users.addUser({ name: "gone", password: "secret" });
    await first.users.removeUser("gone");
    const shown = first.users.listUsers();
    const exported = first.users.exportIdentities();
    await first.storage.close();

    const second = await openUsers(folder);
    assert.deepEqual(second.users.listUsers(), shown);
    assert.deepEqual(second.users.exportIdentities(), exported);
    await second.storage.close();

    const third = await openUsers(other);
    const outcome = await third.users.importIdentities(JSON.parse(JSON.stringify(exported)), false);
    assert.deepEqual(outcome, { added: ["ada/+\u{1F600}", "operator"], replaced: [] });
    assert.deepEqual(third.users.exportIdentities(), exported);
    await third.storage.close();
  } finally {
    for (const path of [folder, other]) await rm(path, { recursive: true });
  }
});
