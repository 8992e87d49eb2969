/** `tconsume query` reads pages and intervals as SQLite itself would answer: with random readings. */
import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { query } from "../sinks/sqlite-file.ts";
import { addReadings, ask, linesOf, timeOf, writeReadings } from "./query-world.ts";

process.env.TZ = "Asia/Kolkata";

/** A generator of numbers from 0 up to 1. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const start = timeOf("2026-11-20T00:00:00Z");
const minute = 60_000_000;

async function writeRandom(context: Parameters<typeof writeReadings>[0]) {
  const seed = randomInt(2 ** 31);
  context.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  // Few times, so that many readings have the same, also at the ends of pages.
  const parts = Array.from({ length: 6000 }, () => ({
    topic: `t/${Math.floor(random() * 4)}`,
    time: start + Math.floor(random() * 700) * 1_000_000,
    fields: { value: Math.round(random() * 1000) / 10 },
  }));
  return { file: await writeReadings(context, parts), random };
}

test("pages and series put together are what is in the file, in the order of time", async (context) => {
  const { file, random } = await writeRandom(context);
  for (let round = 0; round < 10; round++) {
    const since = Math.floor(random() * 350);
    const until = since + 1 + Math.floor(random() * 350);
    const range = [since, until].map((seconds) => start / 1e6 + seconds);
    const expected = query(
      file,
      `select topic, time, value from readings where time >= ${range[0]} and time < ${range[1]} order by time, topic, value`,
    );
    const bounds = range.map((seconds) => new Date(seconds * 1000).toISOString());
    const args = ["t/+", "--json", "--since", bounds[0], "--until", bounds[1]];
    const lines = (await linesOf(file, args)).map((line) => JSON.parse(line));
    const found = lines.map(({ topic, time, value }) => [topic, Date.parse(time) / 1000, value]);
    assert.deepEqual(found, expected);
    const limit = 1 + Math.floor(random() * expected.length);
    const newest = await linesOf(file, [...args, "--limit", `${limit}`]);
    assert.deepEqual(
      newest.map((line) => JSON.parse(line).value),
      expected.slice(-limit).map(([, , value]) => value),
    );
  }
});

const sqlOf = {
  mean: "avg(value)",
  min: "min(value)",
  max: "max(value)",
  sum: "sum(value)",
  count: "count(*)",
};

test("each aggregate of an interval is what SQLite says of it", async (context) => {
  const { file } = await writeRandom(context);
  for (const [aggregate, expression] of Object.entries(sqlOf)) {
    const expected = query(
      file,
      `select cast(time / 60 as integer) * 60 as begin, topic, ${expression} from readings group by begin, topic order by begin, topic`,
    );
    const args = ["--json", "--every", "1m", "--aggregate", aggregate];
    const lines = (await linesOf(file, args)).map((line) => JSON.parse(line));
    const found = lines.map(({ topic, time, value }) => [Date.parse(time) / 1000, topic, value]);
    assert.deepEqual(found, expected);
    const newest = await linesOf(file, [...args, "--limit", "3"]);
    assert.deepEqual(
      newest.map((line) => JSON.parse(line)),
      lines.slice(-3),
    );
  }
});

test("the last of an interval is a value as it came, also a text", async (context) => {
  const parts = ["on", "off", "on"].map((value, index) => ({
    topic: "lamp",
    time: start + index * 30_000_000,
    fields: { state: value, isOn: value === "on" },
  }));
  const file = await writeReadings(context, parts);
  const args = ["lamp", "--json", "--every", "1m"];
  const last = (await linesOf(file, [...args, "--aggregate", "last"])).map((line) =>
    JSON.parse(line),
  );
  assert.deepEqual(
    last.map(({ field, value }) => [field, value]),
    [
      ["isOn", false],
      ["state", "off"],
      ["isOn", true],
      ["state", "on"],
    ],
  );
  const mean = (await linesOf(file, args)).map((line) => JSON.parse(line));
  assert.deepEqual(
    mean.map(({ field, value }) => [field, value]),
    [
      ["isOn", 0.5],
      ["isOn", 1],
    ],
  );
});

test("days and hours begin where the clock on the wall says", async (context) => {
  const file = await writeReadings(context, []);
  await addReadings(
    file,
    [-1, 0, 59, 60, 24 * 60 - 1, 24 * 60].map((minutes, value) => ({
      topic: "a",
      // Midnight in Kolkata.
      time: timeOf("2026-11-19T18:30:00Z") + minutes * minute,
      fields: { value },
    })),
  );
  const table = async (every: string) =>
    (await linesOf(file, ["--every", every, "--aggregate", "count"])).slice(1);
  assert.deepEqual(await table("1d"), [
    "2026-11-19 00:00  a      1",
    "2026-11-20 00:00  a      4",
    "2026-11-21 00:00  a      1",
  ]);
  assert.deepEqual((await table("1h")).slice(0, 3), [
    "2026-11-19 23:00  a      1",
    "2026-11-20 00:00  a      2",
    "2026-11-20 01:00  a      1",
  ]);
});

test("a mean in a table has no more digits than anybody reads", async (context) => {
  const file = await writeReadings(context, [
    ...[1, 2, 2].map((value, index) => ({ topic: "a", time: start + index, fields: { value } })),
    ...[1e-6, 2e-6, 2e-6].map((value, index) => ({
      topic: "b",
      time: start + index,
      fields: { value },
    })),
  ]);
  const { stdout } = await ask(file, ["--every", "1h"]);
  const values = stdout
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split(/ +/).at(-1));
  assert.deepEqual(values, ["1.667", "0.00000167"]);
});
