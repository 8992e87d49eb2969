/** Files as sinks: the suite in both formats, what a crash leaves, files that others move, and disks that are full. */
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { type StoredValue, testSink } from "../../src/sinks/conformance/index.ts";
import { difficultTexts, MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { fileSink } from "../../src/sinks/file/index.ts";
import { SinkUnavailable } from "../../src/sinks/index.ts";
import { readCsvRows, readCsvValues } from "./csv-values.ts";
import { FileFolder } from "./file-folder.ts";
import { readJsonValues } from "./json-values.ts";

const run = promisify(execFile);
const header = "time,topic,name,tags,field,value,unit\n";

const readers: Readonly<Record<string, (text: string) => readonly StoredValue[]>> = {
  csv: readCsvValues,
  jsonl: (text) => text.split("\n").slice(0, -1).flatMap(readJsonValues),
};

for (const [extension, read] of Object.entries(readers)) {
  const traits = { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: false };
  testSink(`file as ${extension}`, traits, async () => {
    const root = await mkdtemp(join(tmpdir(), "tstack-file-"));
    const folder = join(root, "data");
    await mkdir(folder);
    const path = join(folder, `readings.${extension}`);
    return {
      sink: await fileSink.configure({ "file-path": path }),
      async readBack() {
        const { stdout } = await run("cat", [path], { maxBuffer: 100_000_000 }).catch(() => ({
          stdout: "",
        }));
        return read(stdout);
      },
      // Its folder is no folder any more.
      async interrupt() {
        await rename(folder, join(root, "elsewhere"));
        await writeFile(folder, "");
      },
      async resume() {
        await rm(folder);
        await rename(join(root, "elsewhere"), folder);
      },
      end: () => rm(root, { recursive: true }),
    };
  });
}

test("CSV has a header and a row for each value, texts in quotes; other programs read it", async (t) => {
  const files = await FileFolder.make(t);
  const sink = await files.open("readings.csv");
  const maker = new MessageMaker();
  const time = Date.UTC(2026, 10, 23, 12, 59, 50, 123) * 1000 + 456;
  await sink.write([
    maker.make({
      topic: "site/hall",
      tags: { room: "hall" },
      units: { temp: "°C" },
      fields: { temp: 21.5, state: "1", open: true },
      time,
    }),
  ]);
  const begin = '2026-11-23T12:59:50.123456Z,site/hall,site/hall,"{""room"":""hall""}"';
  assert.equal(
    files.read("readings.csv"),
    `${header}${begin},temp,21.5,°C\n${begin},state,"1",\n${begin},open,true,\n`,
  );
  const texts = difficultTexts.map((text) =>
    maker.make({ topic: text, name: text, fields: { [text]: text } }),
  );
  await sink.write(texts);
  await sink.close();
  const script =
    "import csv, json, sys; print(json.dumps(list(csv.reader(open(sys.argv[1], newline='', encoding='utf-8')))))";
  const { stdout } = await run("/usr/bin/python3", ["-c", script, files.path("readings.csv")]);
  const rows = readCsvRows(files.read("readings.csv")).map((row) => row.map(({ text }) => text));
  assert.deepEqual(JSON.parse(stdout), rows);
});

test("what a crash has left of a record is cut off, wherever it was cut", async (t) => {
  const files = await FileFolder.make(t);
  const maker = new MessageMaker();
  const [one, two, three] = ['a "b"\nc', "line\n\n", "x"].map((value) =>
    maker.make({ fields: { value } }),
  );
  for (const extension of ["csv", "jsonl"]) {
    const name = `readings.${extension}`;
    const first = await files.open(name);
    await first.write([one]);
    const wholeEnd = files.read(name).length;
    await first.write([two]);
    await first.close();
    const whole = files.read(name);
    const values = readers[extension];
    for (let end = whole.length - 1; end > 0; end -= 1) {
      await writeFile(files.path(name), whole.slice(0, end));
      const sink = await files.open(name);
      await sink.write([three]);
      await sink.close();
      const kept = end >= wholeEnd ? ['a "b"\nc', "x"] : ["x"];
      assert.deepEqual(
        values(files.read(name)).map(({ value }) => value),
        kept,
        `${name} cut at ${end}`,
      );
    }
    assert.match(files.said.at(-1) ?? "", /bytes of a half-written record were cut off$/);
  }
});

test("another program's file stays as it is", async (t) => {
  const files = await FileFolder.make(t);
  const batch = new MessageMaker().numbers(1);
  for (const name of ["readings.csv", "readings.jsonl"]) {
    await writeFile(files.path(name), "time,what\n1,2\nhalf a line");
    const sink = await files.open(name);
    await assert.rejects(sink.write(batch), {
      code: "SINK_UNAVAILABLE",
      message: /was not written by this program as (csv|jsonl): move it away/,
    });
    assert.equal(files.read(name), "time,what\n1,2\nhalf a line");
    await rm(files.path(name));
    assert.equal(await sink.write(batch), 1, "once it was moved away");
    await sink.close();
  }
});

test("nothing goes into a device, which keeps nothing", async () => {
  const configured = await fileSink.configure({
    "file-path": "/dev/null",
    "file-format": "csv",
  });
  const sink = await configured.open({ stdout: process.stdout, say: () => undefined });
  await assert.rejects(sink.write(new MessageMaker().numbers(1)), {
    code: "SINK_UNAVAILABLE",
    message: "/dev/null is a pipe or a device: give another --file-path",
  });
  await sink.close();
});

test("a file that others moved, removed or emptied is followed by a new one", async (t) => {
  const files = await FileFolder.make(t);
  const sink = await files.open("readings.csv");
  const [one, two, three, four] = new MessageMaker().numbers(4);
  const values = (name: string) => readCsvValues(files.read(name)).map(({ value }) => value);
  await sink.write([one]);
  await rename(files.path("readings.csv"), files.path("readings.csv.1"));
  await sink.write([two]);
  assert.deepEqual([values("readings.csv.1"), values("readings.csv")], [[0.5], [1.5]]);
  await rm(files.path("readings.csv"));
  await sink.write([three]);
  assert.deepEqual(values("readings.csv"), [2.5]);
  // As logrotate does with copytruncate.
  await truncate(files.path("readings.csv"));
  await sink.write([four]);
  await sink.close();
  assert.deepEqual(values("readings.csv"), [3.5]);
  assert.ok(files.read("readings.csv").startsWith(header));
});

test("a folder that is not there is told, and is used once it is", async (t) => {
  const files = await FileFolder.make(t);
  const sink = await files.open("later/readings.csv");
  const batch = new MessageMaker().numbers(2);
  await assert.rejects(
    sink.write(batch),
    /readings\.csv cannot be written: there is no such folder/,
  );
  await mkdir(files.path("later"));
  assert.equal(await sink.write(batch), 2);
  await sink.close();
});

test("on a full disk nothing of a batch stays, and once there is space it is whole", async (t) => {
  const files = await FileFolder.make(t);
  const disk = files.path("disk");
  await mkdir(disk);
  const options = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk];
  const { status, stderr } = spawnSync("mount", options, { encoding: "utf8" });
  if (status !== 0) {
    t.skip(`no disk can be mounted here: ${stderr}`);
    return;
  }
  try {
    for (const name of ["disk/readings.csv", "disk/readings.jsonl"]) await fillDisk(files, name);
  } finally {
    spawnSync("umount", [disk]);
  }
});

async function fillDisk(files: FileFolder, name: string): Promise<void> {
  const sink = await files.open(name);
  const maker = new MessageMaker();
  const written = [maker.number()];
  await sink.write(written);
  await writeFile(files.path("disk/ballast"), Buffer.alloc(50_000));
  const large = maker.numbers(600);
  const before = files.read(name);
  for (let attempt = 0; attempt < 2; attempt += 1) {
    await assert.rejects(sink.write(large), (error) => {
      assert.ok(error instanceof SinkUnavailable);
      assert.match(error.message, /cannot be written: no space left on the disk/);
      return true;
    });
    assert.equal(files.read(name), before, "nothing of it stays");
  }
  await rm(files.path("disk/ballast"));
  await sink.write(large.slice(0, 200));
  await sink.close();
  const read = readers[name.endsWith("csv") ? "csv" : "jsonl"];
  assert.equal(read(files.read(name)).length, 201);
  await rm(files.path(name));
}

test("mistakes in the settings are told", async () => {
  const mistakes = [
    [
      { "file-path": "readings.txt" },
      '--file-format is needed for a file that is called "readings.txt"',
    ],
    [{ "file-format": "xml" }, '--file-format is csv or jsonl, not "xml"'],
    [
      { "file-rotate": "100" },
      '--file-rotate is a size from 1kB on, a time, or never: 100MB, 12h, 1d, not "100"',
    ],
    [{ "file-keep": "0" }, '--file-keep is a number from 1 to 1000000, not "0"'],
  ] as const;
  for (const [values, message] of mistakes) {
    await assert.rejects(fileSink.configure(values), { code: "CONFIGURATION_INVALID", message });
  }
  for (const values of [
    { "file-path": "a.NDJSON" },
    { "file-path": "x", "file-format": "jsonl" },
  ]) {
    assert.match((await fileSink.configure(values)).destination, /^file \/.* as jsonl$/);
  }
});
