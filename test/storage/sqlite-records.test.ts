/** Records in the folder of a broker: beside its batches, without them, on a full disk, and when the process is killed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { RecordChange, RecordStore } from "../../src/broker/ports.ts";
import { openRecords } from "../../src/storage/index.ts";
import {
  makeFolder,
  mountSmallDisk,
  openFolder,
  readPositions,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

const ada = { kind: "user", name: "ada", value: "{}" };
const bob = { kind: "user", name: "bob", value: "[]" };

async function openAlone(context: TestContext, folder: string) {
  const records = await openRecords(folder, "a test of records");
  context.after(() => records.close());
  return records;
}

async function namesIn(records: RecordStore): Promise<readonly string[]> {
  return (await records.readRecords()).map(({ name }) => name);
}

test("records are read and written before, while and after sessions are restored", async (context) => {
  const folder = makeFolder(context);
  const first = await openFolder(context, folder);
  await first.commit(sessionWithRows(3));
  await first.writeRecords([ada]);
  await first.close();

  const storage = await openFolder(context, folder);
  assert.deepEqual(await storage.readRecords(), [ada]);
  const { sessions } = await storage.restore();
  await storage.writeRecords([bob]);
  assert.equal([...sessions].length, 1);
  const [outcome] = await Promise.all([
    storage.commit(rowsFrom(4, 2)),
    storage.writeRecords([{ ...ada, value: undefined }]),
  ]);
  assert.deepEqual(outcome, { trimmed: [] });
  assert.deepEqual(await storage.readRecords(), [bob]);
  assert.deepEqual(await readPositions(storage), [1, 2, 3, 4, 5]);
});

test("after close every question is refused", async (context) => {
  const storage = await openFolder(context, makeFolder(context));
  await storage.close();
  const closed = { code: "STORAGE_UNAVAILABLE", message: /is closed$/ };
  await assert.rejects(storage.readRecords(), closed);
  await assert.rejects(storage.writeRecords([ada]), closed);
});

test("a write that fails half-way leaves nothing, and the next one is whole", async (context) => {
  const storage = await openFolder(context, makeFolder(context));
  await storage.writeRecords([ada]);
  const broken = { ...bob, name: null } as unknown as RecordChange;
  await assert.rejects(storage.writeRecords([{ ...ada, value: undefined }, bob, broken]));
  assert.deepEqual(await storage.readRecords(), [ada]);
  await storage.writeRecords([bob]);
  assert.deepEqual(await storage.readRecords(), [ada, bob]);
});

test("a folder that is gone is told of, and the write can be tried again when it is back", async (context) => {
  const folder = join(makeFolder(context), "data");
  const storage = await openFolder(context, folder);
  await storage.writeRecords([ada]);
  renameSync(folder, `${folder}-elsewhere`);
  await assert.rejects(storage.writeRecords([bob]), { code: "STORAGE_GONE" });
  renameSync(`${folder}-elsewhere`, folder);
  assert.deepEqual(await storage.readRecords(), [ada]);
  await storage.writeRecords([bob]);
  assert.deepEqual(await storage.readRecords(), [ada, bob]);
});

test("a full disk: the write is refused, nothing is lost, and it works when there is space", async (context) => {
  const disk = mountSmallDisk(context, 4);
  if (typeof disk !== "string") return context.skip(disk.why);
  const storage = await openFolder(context, join(disk, "data"), { durability: "fsync" });
  await storage.writeRecords([ada]);
  const ballast = join(disk, "ballast");
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(8_388_608)), { code: "ENOSPC" });
  const large = Array.from({ length: 500 }, (_, index) => {
    return { kind: "user", name: `user ${index}`, value: JSON.stringify("x".repeat(1000)) };
  });
  const write = () => storage.writeRecords([{ ...ada, value: undefined }, ...large]);
  await assert.rejects(write, { code: "STORAGE_FULL" });
  await assert.rejects(write, { code: "STORAGE_FULL" });
  assert.deepEqual(await storage.readRecords(), [ada]);
  rmSync(ballast);
  await write();
  assert.equal((await storage.readRecords()).length, 500);
});

test("alone: the records of a stopped broker, and no broker meanwhile", async (context) => {
  const folder = makeFolder(context);
  const broker = await openFolder(context, folder, { holder: "the broker" });
  await broker.commit(sessionWithRows(2));
  await broker.writeRecords([ada]);
  await assert.rejects(openRecords(folder, "tuser"), {
    code: "STORAGE_LOCKED",
    message: /in use by the broker since/,
  });
  await broker.close();

  const records = await openAlone(context, folder);
  assert.deepEqual(await records.readRecords(), [ada]);
  await records.writeRecords([bob]);
  await assert.rejects(openFolder(context, folder), {
    code: "STORAGE_LOCKED",
    message: /in use by a test of records since/,
  });
  await records.close();

  const again = await openFolder(context, folder);
  assert.deepEqual(await namesIn(again), ["ada", "bob"]);
  await again.restore();
  assert.deepEqual(await readPositions(again), [1, 2]);
});

test("alone: in an empty folder a database is begun; one that is not there is refused", async (context) => {
  const folder = makeFolder(context);
  const missing = join(folder, "missing");
  for (const path of [missing, join(missing, "deeper")]) {
    await assert.rejects(openRecords(path, "tuser"), {
      code: "STORAGE_OPEN_FAILED",
      message: `there is no folder ${path}: name that of a broker with --data (tserve says it when it starts)`,
    });
  }
  assert.deepEqual(readdirSync(folder), []);
  const records = await openAlone(context, folder);
  assert.deepEqual(await records.readRecords(), []);
  await records.writeRecords([ada]);
  await records.close();
  const broker = await openFolder(context, folder);
  assert.deepEqual(await broker.readRecords(), [ada]);
});

test("alone: a damaged database is refused and left as it is", async (context) => {
  const folder = makeFolder(context);
  writeFileSync(join(folder, "tstack.db"), "no database".repeat(500));
  await assert.rejects(openRecords(folder, "tuser"), {
    code: "STORAGE_DAMAGED",
    message: /tstack\.db is damaged \(.*\): start tserve with the folder/,
  });
  const names = readdirSync(folder).filter((name) => !name.includes("lock"));
  assert.deepEqual(names, ["tstack.db"]);
});

test("alone: a database that root begins in the folder of a broker is that broker's", async (context) => {
  const folder = makeFolder(context);
  if (statSync(folder).uid !== 0) return context.skip("only root can give files away");
  chownSync(folder, 65_534, 65_534);
  const records = await openAlone(context, folder);
  await records.writeRecords([ada]);
  for (const name of readdirSync(folder)) {
    assert.equal(statSync(join(folder, name)).uid, 65_534, name);
  }
});

/** The lines of the process until it is killed, after some milliseconds. */
async function writeAndKill(folder: string, start: number, milliseconds: number) {
  const program = join(import.meta.dirname, "sqlite-record-writing.ts");
  const child = spawn(process.execPath, [program, folder, `${start}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await wait(milliseconds);
  child.kill("SIGKILL");
  const [, signal] = await closed;
  assert.equal(signal, "SIGKILL", "it went on until it was killed");
  return output.split("\n").slice(0, -1);
}

test("killed while it writes, again and again: every record that was reported is there, in whole writes", async (context) => {
  const folder = makeFolder(context);
  const present = new Set<string>();
  let start = 0;
  for (let round = 0; round < 8; round++) {
    const milliseconds = Math.random() * 150;
    for (const line of await writeAndKill(folder, start, milliseconds)) {
      const [what, name] = line.split(" ");
      if (what === "kept") present.add(name);
      else present.delete(name); // while it is being removed it may be there or not
    }
    const records = await openRecords(folder, "a test");
    const all = await records.readRecords();
    await records.close();
    const [left, right] = ["left", "right"].map((kind) =>
      all.filter((record) => record.kind === kind).map(({ name }) => name),
    );
    const about = `round ${round}, killed after ${milliseconds} ms`;
    assert.deepEqual(left, right, `${about}: half a write`);
    const found = new Set(left);
    assert.deepEqual([...present.difference(found)], [], `${about}: reported, and lost`);
    assert.ok(found.difference(present).size <= 1, `${about}: more than the one not heard of`);
    present.clear();
    for (const name of left) present.add(name);
    start = Math.max(0, ...left.map(Number)) + 10;
  }
  assert.ok(present.size > 0);
});
