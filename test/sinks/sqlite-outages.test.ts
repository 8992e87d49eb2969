/** What can happen to the file: killed writers, disks full and read-only, damage, other programs and other versions. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { mountSmallDisk, remount } from "../storage/sqlite-folder.ts";
import { makeFolder, openSink, query, readRows } from "./sqlite-file.ts";

const unavailable = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof SinkUnavailable, String(error));
  assert.match(error.message, message);
  return true;
};

test("killed in the middle of writing, the file has every batch that was written, and whole batches only", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  for (const lineCount of [3, 7, 1]) {
    const program = join(import.meta.dirname, "sqlite-writing.ts");
    const child = spawn(process.execPath, [program, file, `run/${lineCount}`]);
    const before = readRows(file).length;
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.split("\n").length > lineCount) child.kill("SIGKILL");
    });
    await once(child, "close");
    const written = Number(output.trimEnd().split("\n").at(-1));
    const stored = readRows(file).length - before;
    assert.ok(stored >= written, `${stored} of ${written} are there`);
    assert.equal(stored % 100, 0);
  }
  assert.deepEqual(query(file, "pragma integrity_check"), [["ok"]]);
  const sink = await openSink(context, file);
  assert.equal(await sink.write(new MessageMaker().numbers(5)), 5);
});

test("a full disk is told, and when there is space it goes on by itself", async (context) => {
  const disk = mountSmallDisk(context, 8);
  if (typeof disk !== "string") return context.skip(disk.why);
  const file = join(disk, "readings.db");
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(5_000_000));
  const sink = await openSink(context, file);
  const maker = new MessageMaker();
  const batches = Array.from({ length: 100 }, () => maker.numbers(1000));
  let written = 0;
  const fill = async () => {
    for (const batch of batches.slice(written)) {
      await sink.write(batch);
      written += 1;
    }
  };
  await assert.rejects(
    fill(),
    unavailable(/disk that holds .*readings\.db is full: free some space/),
  );
  assert.ok(written > 0);
  await assert.rejects(sink.write(batches[written]), SinkUnavailable, "still");
  assert.equal(readRows(file).length, written * 1000, "what was written is there");
  rmSync(ballast);
  await sink.write(batches[written]);
  assert.equal(readRows(file).length, (written + 1) * 1000);
  await sink.close();
});

test("a read-only disk is told, and when it can be written it goes on", async (context) => {
  const disk = mountSmallDisk(context, 8);
  if (typeof disk !== "string") return context.skip(disk.why);
  const file = join(disk, "readings.db");
  remount(disk, "ro");
  const sink = await openSink(context, file);
  const batch = new MessageMaker().numbers(3);
  await assert.rejects(sink.write(batch), unavailable(/readings\.db/));
  remount(disk, "rw");
  await sink.write(batch);
  assert.equal(readRows(file).length, 3);
  await sink.close();
});

test("a damaged file is told, and put aside a new one is made", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const maker = new MessageMaker();
  const first = await openSink(context, file);
  await first.write(maker.numbers(5000));
  await first.close();
  const size = statSync(file).size;
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, Buffer.alloc(size - 4096, 0x5a), 0, size - 4096, 4096);
  closeSync(descriptor);
  const sink = await openSink(context, file);
  const batch = maker.numbers(3);
  await assert.rejects(sink.write(batch), unavailable(/is damaged.*put it aside/));
  renameSync(file, `${file}.damaged`);
  await sink.write(batch);
  assert.equal(readRows(file).length, 3);
});

test("a file that vanishes is missed before anything is said to be written", async (context) => {
  const folder = makeFolder(context);
  const file = join(folder, "readings.db");
  const sink = await openSink(context, file);
  const batch = new MessageMaker().numbers(6);
  await sink.write(batch.slice(0, 3));
  for (const name of ["", "-wal", "-shm"]) rmSync(`${file}${name}`);
  await assert.rejects(sink.write(batch.slice(3)), unavailable(/vanished or was replaced/));
  await sink.write(batch.slice(3));
  assert.equal(readRows(file).length, 3);
});

test("a folder that is not there is told, and once it is there the file is made", async (context) => {
  const folder = join(makeFolder(context), "data");
  const file = join(folder, "readings.db");
  const sink = await openSink(context, file);
  const batch = new MessageMaker().numbers(1);
  await assert.rejects(
    sink.write(batch),
    unavailable(/the folder of .*readings\.db cannot be used/),
  );
  mkdirSync(folder);
  assert.equal(await sink.write(batch), 1);
});

test("the file of another program, of a newer tStack, or no database at all is refused and left as it is", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const forms: Readonly<Record<string, () => void>> = {
    "is a database of another program": () => runIn(file, "create table notes (text)"),
    "was written by a newer tStack": () =>
      runIn(file, `pragma application_id = ${0x74_53_74_6b}; pragma user_version = 2`),
    "is no database of SQLite": () => writeFileSync(file, "a shopping list\n".repeat(100)),
  };
  for (const [words, make] of Object.entries(forms)) {
    make();
    const before = readFileSync(file);
    const refusal = { code: "CONFIGURATION_INVALID", message: new RegExp(words) };
    await assert.rejects(openSink(context, file), refusal);
    assert.deepEqual(readFileSync(file), before);
    rmSync(file);
  }
  const sink = await openSink(context, file);
  runIn(file, "create table notes (text)");
  const before = readFileSync(file);
  const batch = new MessageMaker().numbers(1);
  await assert.rejects(sink.write(batch), unavailable(/is a database of another program/));
  assert.deepEqual(readFileSync(file), before);
});

test("several consumers write the same file", async (context) => {
  const file = join(makeFolder(context), "readings.db");
  const sinks = await Promise.all([1, 2, 3].map(() => openSink(context, file)));
  const batches = sinks.map((_, writer) => {
    const maker = new MessageMaker();
    return Array.from({ length: 20 }, () => maker.numbers(50, `writer/${writer}`));
  });
  await Promise.all(
    sinks.map(async (sink, writer) => {
      for (const batch of batches[writer]) {
        // Who finds the file held writes the same again.
        while (!(await sink.write(batch).then(Boolean, isUnavailable)));
      }
    }),
  );
  const counts = query(file, "select topic, count(*) from readings group by topic order by topic");
  assert.deepEqual(counts, [
    ["writer/0", 1000],
    ["writer/1", 1000],
    ["writer/2", 1000],
  ]);
});

function isUnavailable(error: unknown): false {
  if (error instanceof SinkUnavailable) return false;
  throw error;
}

function runIn(file: string, statements: string): void {
  const database = new DatabaseSync(file);
  database.exec(statements);
  database.close();
}
