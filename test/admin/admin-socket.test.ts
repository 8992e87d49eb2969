/** Who may open the socket of the API, and when it is there. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  adminSocketOf,
  createAdminApi,
  listenAdmin,
  type Registrations,
  type Users,
} from "../../src/admin/index.ts";
import { silentLog } from "../../src/base/index.ts";

const users = { listUsers: () => [] } as unknown as Users;
const registrations = {} as Registrations;

function newApi() {
  return createAdminApi({ users, registrations, version: "1", log: silentLog });
}

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "tstack-socket-"));
}

/** Tries as the user with number `uid`; what came of it is on stdout. */
const attempt = `
process.setuid?.(Number(process.argv[1]));
require("node:net").connect(process.argv[2])
  .on("connect", () => { console.log("connected"); process.exit(); })
  .on("error", (error) => console.log(error.code));
`;

test("only its owner may open the socket, whatever the umask and the folder's mode are", async () => {
  const folder = newFolder();
  chmodSync(folder, 0o777);
  const before = process.umask(0);
  const listener = await listenAdmin(await newApi(), folder).finally(() => process.umask(before));
  try {
    assert.equal(listener.path, adminSocketOf(folder));
    const { mode, uid } = statSync(listener.path);
    assert.equal(mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(folder), ["tstack.sock"], "nothing is left of its making");
    const run = (as: number) =>
      spawnSync(process.execPath, ["-e", attempt, String(as), listener.path], { encoding: "utf8" })
        .stdout;
    // Only root can become somebody else.
    if (process.getuid?.() === 0) assert.equal(run(65_534), "EACCES\n");
    assert.equal(run(uid), "connected\n");
  } finally {
    await listener.close();
    rmSync(folder, { recursive: true });
  }
});

test("at no moment is there a socket that others could open", async () => {
  const folder = newFolder();
  const before = process.umask(0);
  const seen: string[] = [];
  let isDone = false;
  // Between any two steps of its making: what is to be seen in the folder must be closed to others.
  const look = () => {
    for (const name of readdirSync(folder)) {
      const found = statSync(join(folder, name), { throwIfNoEntry: false });
      if (found === undefined) continue;
      seen.push(name);
      assert.equal(found.mode & 0o077, 0, name);
    }
    if (!isDone) setImmediate(look);
  };
  look();
  const listener = await listenAdmin(await newApi(), folder).finally(() => process.umask(before));
  look();
  isDone = true;
  await listener.close();
  rmSync(folder, { recursive: true });
  assert.ok(seen.includes("tstack.sock"));
});

test("a socket that a killed broker left is replaced, and it is gone after close", async () => {
  const folder = newFolder();
  // As after SIGKILL: the name is there, and nobody listens.
  const script = `require("node:net").createServer().listen(process.argv[1], () => process.kill(process.pid, "SIGKILL"))`;
  spawnSync(process.execPath, ["-e", script, adminSocketOf(folder)]);
  assert.ok(existsSync(adminSocketOf(folder)));
  const listener = await listenAdmin(await newApi(), folder);
  await listener.close();
  assert.deepEqual(readdirSync(folder), []);
  rmSync(folder, { recursive: true });
});

test("a folder whose path is too long for a socket gives a sentence, and no socket", async () => {
  const base = newFolder();
  const folder = join(base, "x".repeat(100));
  mkdirSync(folder);
  const error = {
    code: "ADMIN_UNREACHABLE",
    message: /bytes long.*103.*shorter folder with --data/,
  };
  await assert.rejects(async () => listenAdmin(await newApi(), folder), error);
  assert.deepEqual(readdirSync(folder), []);
  rmSync(base, { recursive: true });
});

test("a path of exactly 103 bytes is taken", async () => {
  const base = newFolder();
  const folder = join(base, "x".repeat(103 - adminSocketOf(base).length - 1));
  mkdirSync(folder);
  const listener = await listenAdmin(await newApi(), folder);
  assert.equal(Buffer.byteLength(listener.path), 103);
  await listener.close();
  rmSync(base, { recursive: true });
});

test("a folder in which no socket can be made gives a sentence", async () => {
  const folder = join(newFolder(), "gone");
  const error = { code: "ADMIN_UNREACHABLE", message: /cannot be made: .*ENOENT/ };
  await assert.rejects(async () => listenAdmin(await newApi(), folder), error);
  rmSync(join(folder, ".."), { recursive: true });
});

test("close ends connections that wait for nothing", async () => {
  const folder = newFolder();
  const listener = await listenAdmin(await newApi(), folder);
  const { connect } = await import("node:net");
  const socket = connect(listener.path);
  const closed = new Promise((resolve) => socket.on("close", resolve));
  socket.on("error", () => undefined);
  await new Promise((resolve) => socket.on("connect", resolve));
  await Promise.all([listener.close(), closed]);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(listener.path, resolve));
  await new Promise((resolve) => other.close(resolve));
  rmSync(folder, { recursive: true });
});
