/** What goes wrong with backups and exports: one line that says what to do, and everything is as it was before. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import mqtt from "mqtt";
import { mountSmallDisk } from "../storage/sqlite-folder.ts";
import { StoreFolder } from "./store-folder.ts";
import { ServeProcess } from "./tserve-process.ts";

const place = new StoreFolder();
const data = place.join("data");
const backup = place.join("backup.db");
const exported = place.join("all.jsonl");

/** Two megabytes of retained messages. */
before(async () => {
  const server = await ServeProcess.start({ data });
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${server.port}`);
  for (let number = 1; number <= 40; number++) {
    await client.publishAsync(`t/${number}`, "x".repeat(50_000), { qos: 1, retain: true });
  }
  await client.endAsync();
  await server.stop();
  await place.run("backup", backup, "--data", data);
  await place.run("export", exported, "--data", data);
});
after(() => place.remove());

test("command lines that are wrong end with 2", async () => {
  for (const command of ["backup", "restore", "import"]) {
    const line = await place.fail(2, command);
    assert.match(line, new RegExp(`missing required argument 'file'; tstack ${command} --help`));
  }
  assert.match(await place.fail(2, "backup", "a", "b"), /too many arguments/);
  assert.match(await place.fail(2, "export", "--form", "b"), /Did you mean --from\?/);
});

test("a folder without anything in it, and it is not made", async () => {
  const nothing = place.join("nothing");
  for (const command of ["backup", "export"]) {
    const line = await place.fail(1, command, place.join("x"), "--data", nothing);
    assert.match(line, /no broker has kept anything in .*nothing: name its folder with --data/);
  }
  assert.ok(!existsSync(nothing));
  assert.ok(!existsSync(place.join("x")));
});

test("a file that is there is replaced only with --force", async () => {
  const file = place.join("there");
  for (const command of ["backup", "export"]) {
    writeFileSync(file, "precious");
    const line = await place.fail(1, command, file, "--data", data);
    assert.match(line, /there is there already: --force replaces it/);
    assert.equal(readFileSync(file, "utf8"), "precious");
    await place.run(command, file, "--data", data, "--force");
    assert.notEqual(readFileSync(file, "utf8"), "precious");
  }
});

test("a file in a folder that is not there", async () => {
  const line = await place.fail(1, "backup", place.join("no", "such", "b.db"), "--data", data);
  assert.match(line, /cannot write .*b\.db: no such file/);
});

test("a folder that cannot be made is told of, and nobody waits for it", async () => {
  for (const [command, file] of [
    ["restore", backup],
    ["import", exported],
  ] as const) {
    const line = await place.fail(1, command, file, "--data", "/proc/tstack/data");
    assert.match(line, /cannot be used .*--data/);
  }
});

test("what another user keeps is not called nothing", (context) => {
  const program = path.join(import.meta.dirname, "../../src/cli/tstack.ts");
  const nobody = { uid: 65_534, encoding: "utf8" } as const;
  if (spawnSync("test", ["-r", program], nobody).status !== 0) {
    return context.skip("only root can be somebody else, and not in a folder of its own");
  }
  for (const args of [
    ["backup", place.join("x"), "--data", data],
    ["export", "--from", backup],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [program, ...args], nobody);
    assert.match(stderr, /\.db: it cannot be read \(EACCES: permission denied/);
    assert.equal(status, 1);
  }
});

test("the database of a broker is not replaced by a copy of it", async () => {
  const link = place.join("link");
  symlinkSync(data, link);
  for (const command of ["backup", "export"]) {
    for (const file of [path.join(data, "tstack.db"), path.join(link, "tstack.db")]) {
      const line = await place.fail(1, command, file, "--force", "--data", data);
      assert.match(line, /tstack\.db is what is read: write to another file/);
    }
  }
});

test("while a broker runs, nothing is put into its folder", async () => {
  const server = await ServeProcess.start({ data });
  try {
    for (const [command, file] of [
      ["restore", backup],
      ["import", exported],
    ] as const) {
      const line = await place.fail(1, command, file, "--data", data);
      assert.match(line, /data is in use by tserve .*, process \d+ .*: stop it/);
    }
  } finally {
    await server.stop();
  }
});

function makeForeign(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

test("what is no backup is not restored, and the folder stays as it is", async () => {
  const before = await place.exportFrom("--data", data);
  const text = place.join("text");
  writeFileSync(text, "no database ".repeat(1000));
  const foreign = place.join("foreign.db");
  makeForeign(foreign, "create table t (x); pragma user_version = 1");
  const newer = place.join("newer.db");
  copyFileSync(backup, newer);
  makeForeign(newer, "pragma user_version = 99");
  const short = place.join("short.db");
  copyFileSync(backup, short);
  truncateSync(short, 600_000);
  const harmed = place.join("harmed.db");
  const bytes = readFileSync(backup);
  bytes.fill(0x5a, 40_960, 49_152);
  writeFileSync(harmed, bytes);
  for (const [file, line] of [
    [place.join("none.db"), /none\.db/],
    [text, /text cannot be used: file is not a database/],
    [foreign, /foreign\.db cannot be used: it is no store of tstack/],
    [newer, /newer\.db is of version 99: a newer tStack has written it/],
    [short, /short\.db cannot be used: /],
    [harmed, /harmed\.db cannot be used: /],
  ] as const) {
    assert.match(await place.fail(1, "restore", file, "--data", data), line);
  }
  assert.deepEqual(await place.exportFrom("--data", data), before);
  assert.deepEqual(readdirSync(data).sort(), ["tstack.db", "tstack.lock"]);
});

test("an import into a folder that holds something is refused", async () => {
  const line = await place.fail(1, "import", exported, "--data", data);
  assert.match(
    line,
    /data holds what a broker keeps: import into another folder, or move .*tstack\.db/,
  );
});

test("an import with a mistake in its last line leaves nothing but the lock", async () => {
  const folder = place.join("half");
  const file = place.join("half.jsonl");
  const lines = readFileSync(exported, "utf8").trimEnd().split("\n");
  writeFileSync(file, `${lines.slice(0, -1).join("\n")}\n`);
  const cut = await place.fail(1, "import", file, "--data", folder);
  assert.match(cut, /half\.jsonl:\d+ the file ends here, without its last record: it was cut off/);
  lines[5] = lines[5].replace('"qos":1', '"qos":3');
  writeFileSync(file, `${lines.join("\n")}\n`);
  assert.match(await place.fail(1, "import", file, "--data", folder), /half\.jsonl:6 qos: /);
  assert.deepEqual(readdirSync(folder), ["tstack.lock"]);
  await place.run("import", exported, "--data", folder);
  assert.match(await place.fail(1, "import", place.join("none"), "--data", folder), /no such file/);
});

test("a full disk leaves no half file of a backup or an export, and restores nothing", async (context) => {
  const disk = mountSmallDisk(context, 1);
  if (typeof disk !== "string") return context.skip(disk.why);
  for (const command of ["backup", "export"]) {
    const line = await place.fail(1, command, path.join(disk, "file"), "--data", data);
    assert.match(line, /cannot write .*file: no space left on the disk/);
    assert.deepEqual(readdirSync(disk), [], command);
  }
  const kept = path.join(disk, "kept");
  const small = await ServeProcess.start({ data: kept });
  await small.stop();
  const before = await place.exportFrom("--data", kept);
  const full = /no space left on the disk|the disk that holds .* is full/;
  assert.match(await place.fail(1, "restore", backup, "--data", kept), full);
  assert.match(await place.fail(1, "import", exported, "--data", path.join(disk, "new")), full);
  assert.deepEqual(await place.exportFrom("--data", kept), before);
  assert.deepEqual(readdirSync(kept).sort(), ["tstack.db", "tstack.lock"]);
  assert.deepEqual(readdirSync(path.join(disk, "new")), ["tstack.lock"]);
});
