/** Files that are full: by size, by age, what is kept of them, and what a crash leaves on the way. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import { readCsvValues } from "./csv-values.ts";
import { FileFolder } from "./file-folder.ts";
import { readJsonValues } from "./json-values.ts";

const oldName = /^readings-\d{8}T\d{6}Z(-\d+)?\.csv\.gz$/;

/** The numbers of all files, oldest file first: names tell the time, and within a second the number. */
function readAll(files: FileFolder): readonly unknown[] {
  return [...files.names()]
    .sort((one, other) => toOrder(one).localeCompare(toOrder(other), "en", { numeric: true }))
    .flatMap((name) => {
      const bytes = readFileSync(files.path(name));
      const text = (name.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
      return readCsvValues(text).map(({ value }) => value);
    });
}

/** The file that is written to comes last. */
function toOrder(name: string): string {
  return name === "readings.csv" ? "z" : name.replace(".csv.gz", "");
}

test("a file that would pass the limit is put away and compressed; nothing is lost between two", async (t) => {
  const files = await FileFolder.make(t);
  const sink = await files.open("readings.csv", { "file-rotate": "2kB" });
  const batch = new MessageMaker().numbers(150);
  for (let index = 0; index < batch.length; index += 5) {
    await sink.write(batch.slice(index, index + 5));
    assert.ok(readFileSync(files.path("readings.csv")).length <= 2000);
  }
  await sink.close();
  const old = files.names().filter((name) => name !== "readings.csv");
  assert.ok(old.length > 3, `${old}`);
  for (const name of old) assert.match(name, oldName);
  assert.deepEqual(
    readAll(files),
    batch.map((_, index) => index + 0.5),
  );
});

test("only so many old files are kept as was said, the youngest", async (t) => {
  const files = await FileFolder.make(t);
  const foreign = ["readings-notes.csv", "readings-20200101T000000Z.csv.gz.txt", "other.csv"];
  for (const name of foreign) writeFileSync(files.path(name), "");
  const settings = { "file-rotate": "1kB", "file-keep": "2" };
  const sink = await files.open("readings.csv", settings);
  for (const message of new MessageMaker().numbers(100)) await sink.write([message]);
  await sink.close();
  const mine = files.names().filter((name) => !foreign.includes(name));
  assert.equal(mine.length, 3);
  const last = readCsvValues(files.read("readings.csv"));
  const old = mine
    .filter((name) => oldName.test(name))
    .flatMap((name) => readCsvValues(gunzipSync(readFileSync(files.path(name))).toString()));
  const values = [...old, ...last].map(({ value }) => Number(value));
  assert.ok(Math.min(...values) > 50, "the oldest are gone");
  assert.equal(files.names().length, 3 + foreign.length);
});

test("a file is put away when it is old enough, also one of an earlier run", async (t) => {
  const files = await FileFolder.make(t);
  const [one, two, three] = new MessageMaker().numbers(3);
  for (const message of [one, two, three]) {
    const sink = await files.open("readings.csv", { "file-rotate": "0.05s" });
    await sink.write([message]);
    await sink.close();
    await sleep(60);
  }
  assert.equal(files.names().length, 3);
  assert.deepEqual(readAll(files), [0.5, 1.5, 2.5]);
});

test("what a crash left half compressed is compressed from the beginning", async (t) => {
  const files = await FileFolder.make(t);
  const name = "readings-20261123T125950Z.csv";
  const header = "time,topic,name,tags,field,value,unit\n";
  const whole = `${header}2026-11-23T12:59:50.000000Z,a,a,,value,100,\n`;
  writeFileSync(files.path(name), whole);
  writeFileSync(files.path(`${name}.gz.tmp`), "half");
  const sink = await files.open("readings.csv");
  await sink.write(new MessageMaker().numbers(1));
  await sink.close();
  assert.deepEqual(files.names(), [`${name}.gz`, "readings.csv"]);
  assert.equal(gunzipSync(readFileSync(files.path(`${name}.gz`))).toString(), whole);
});

test("JSON lines are put away as well, and never where nobody wants it", async (t) => {
  const files = await FileFolder.make(t);
  const batch = new MessageMaker().numbers(40);
  const sink = await files.open("r.jsonl", { "file-rotate": "1kB" });
  const never = await files.open("all.jsonl", { "file-rotate": "never" });
  for (const message of batch) {
    await sink.write([message]);
    await never.write([message]);
  }
  await sink.close();
  await never.close();
  assert.ok(files.names().some((name) => /^r-\d{8}T\d{6}Z\.jsonl\.gz$/.test(name)));
  assert.equal(files.names().filter((name) => name.startsWith("all")).length, 1);
  const lines = files.read("all.jsonl").split("\n").slice(0, -1);
  assert.equal(lines.flatMap(readJsonValues).length, 40);
});
