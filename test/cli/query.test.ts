/** `tconsume query`: tables for people in local times, CSV and JSON for programs in UTC, exit codes for scripts. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { MessageParts } from "../../src/sinks/conformance/messages.ts";
import { addReadings, ask, linesOf, timeOf, writeReadings } from "./query-world.ts";

// Not a whole hour from UTC, and no summer time.
process.env.TZ = "Asia/Kolkata";

const house: readonly MessageParts[] = [
  ["10:00:00.000", "home/hall/temp", { value: 21.5 }],
  ["10:00:10.250", "home/bath/temp", { value: 24 }],
  ["10:01:00.000", "home/hall/temp", { value: 22.25 }],
  ["10:02:00.000", "home/hall/door", { open: true, note: 'it is, they say, "open"' }],
].map(([clock, topic, fields]) => ({
  time: timeOf(`2026-11-20T${clock}Z`),
  topic: topic as string,
  fields: fields as MessageParts["fields"],
  ...(topic !== "home/hall/door" && { units: { value: "°C" } }),
}));

const writeHouse = (context: TestContext) => writeReadings(context, house);

test("a table has the readings in order, in local time, with their units", async (context) => {
  const file = await writeHouse(context);
  assert.deepEqual(await linesOf(file, ["home/+/temp"]), [
    "TIME                     TOPIC           VALUE",
    "2026-11-20 15:30:00.000  home/hall/temp   21.5 °C",
    "2026-11-20 15:30:10.250  home/bath/temp     24 °C",
    "2026-11-20 15:31:00.000  home/hall/temp  22.25 °C",
  ]);
});

test("names, tags and fields have columns where they say something", async (context) => {
  const time = timeOf("2026-11-20T10:00:00Z");
  const tags = { room: "hall", floor: "1" };
  const file = await writeReadings(context, [
    { time, topic: "home/hall", name: "air", tags, fields: { temp: 21, wet: false } },
  ]);
  assert.deepEqual(await linesOf(file, []), [
    "TIME                     TOPIC      NAME  TAGS               FIELD  VALUE",
    "2026-11-20 15:30:00.000  home/hall  air   floor=1 room=hall  temp   21",
    "2026-11-20 15:30:00.000  home/hall  air   floor=1 room=hall  wet    false",
  ]);
  const [, wet] = await linesOf(file, ["--field", "wet"]);
  assert.match(wet, /wet +false$/);
});

test("CSV has all readings as they are, in UTC", async (context) => {
  const file = await writeHouse(context);
  assert.deepEqual(await linesOf(file, ["--csv"]), [
    "time,topic,name,field,value,unit,tags",
    "2026-11-20T10:00:00.000000Z,home/hall/temp,home/hall/temp,value,21.5,°C,",
    "2026-11-20T10:00:10.250000Z,home/bath/temp,home/bath/temp,value,24,°C,",
    "2026-11-20T10:01:00.000000Z,home/hall/temp,home/hall/temp,value,22.25,°C,",
    '2026-11-20T10:02:00.000000Z,home/hall/door,home/hall/door,note,"it is, they say, ""open""",,',
    "2026-11-20T10:02:00.000000Z,home/hall/door,home/hall/door,open,true,,",
  ]);
});

test("JSON lines keep numbers, texts and booleans apart", async (context) => {
  const file = await writeHouse(context);
  const lines = await linesOf(file, ["home/hall/#", "--json", "--since", "2026-11-20T10:01Z"]);
  const door = {
    time: "2026-11-20T10:02:00.000000Z",
    topic: "home/hall/door",
    name: "home/hall/door",
  };
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        ...{ time: "2026-11-20T10:01:00.000000Z", topic: "home/hall/temp", name: "home/hall/temp" },
        ...{ field: "value", value: 22.25, unit: "°C" },
      },
      { ...door, field: "note", value: 'it is, they say, "open"' },
      { ...door, field: "open", value: true },
    ],
  );
});

test("--last has the newest value of each, and how old it is", async (context) => {
  const file = await writeHouse(context);
  await addReadings(file, [
    { time: (Date.now() - 130_000) * 1000, topic: "home/hall/temp", fields: { value: 23 } },
  ]);
  const lines = await linesOf(file, ["home/+/temp", "--last"]);
  assert.match(lines[0], /^TOPIC +VALUE +AGE +TIME$/);
  assert.match(lines[1], /^home\/bath\/temp +24 °C +\d+ d +2026-11-20 15:30:10$/);
  assert.match(lines[2], /^home\/hall\/temp +23 +2 min +20\d\d-/);
  assert.equal(lines.length, 3);
  const [json] = await linesOf(file, ["home/bath/temp", "--last", "--json"]);
  assert.equal(JSON.parse(json).value, 24);
  assert.equal((await ask(file, ["home/bath/temp", "--last", "--since", "1h"])).code, 1);
});

test("--list says what there is, how much and from when to when", async (context) => {
  const file = await writeHouse(context);
  assert.deepEqual(await linesOf(file, ["--list"]), [
    "TOPIC           FIELD  TYPE     READINGS  LAST              FIRST",
    "home/bath/temp  value  number          1  2026-11-20 15:30  2026-11-20 15:30",
    "home/hall/door  note   string          1  2026-11-20 15:32  2026-11-20 15:32",
    "home/hall/door  open   boolean         1  2026-11-20 15:32  2026-11-20 15:32",
    "home/hall/temp  value  number          2  2026-11-20 15:31  2026-11-20 15:30",
  ]);
});

test("--since and --until take dates of this place, times with a zone, and a while ago", async (context) => {
  const times = ["2026-11-19T18:29:59Z", "2026-11-19T18:30:00Z", "2026-11-20T18:29:59Z"];
  const file = await writeReadings(
    context,
    times.map((time, value) => ({ time: timeOf(time), topic: "a", fields: { value } })),
  );
  await addReadings(file, [
    { time: (Date.now() - 30_000) * 1000, topic: "a", fields: { value: 9 } },
  ]);
  const values = async (...args: string[]) =>
    (await linesOf(file, ["--json", ...args])).map((line) => JSON.parse(line).value);
  assert.deepEqual(await values("--since", "2026-11-20", "--until", "2026-11-21"), [1, 2]);
  assert.deepEqual(
    await values("--since", "2026-11-20T00:00", "--until", "2026-11-20 23:59:59"),
    [1],
  );
  assert.deepEqual(await values("--until", "2026-11-19T18:30:00Z"), [0]);
  assert.deepEqual(await values("--until", "2026-11-19T19:30:00+01:00"), [0]);
  assert.deepEqual(await values("--since", "1m"), [9]);
  assert.deepEqual(await values("--until", "1s"), [0, 1, 2, 9]);
});

test("a table has the newest hundred and says that there are more; --limit takes another number", async (context) => {
  const parts = Array.from({ length: 250 }, (_, value) => ({
    time: timeOf("2026-11-20T10:00:00Z") + value,
    fields: { value },
  }));
  const file = await writeReadings(context, parts);
  const { stdout, stderr } = await ask(file, []);
  const lines = stdout.trimEnd().split("\n");
  assert.equal(lines.length, 101);
  assert.match(lines[1], / 150$/);
  assert.match(lines[100], / 249$/);
  assert.match(stderr, /these are the newest 100; --limit shows more, --csv and --json all/);
  assert.equal((await linesOf(file, ["--limit", "1"]))[1].trim().split(" ").at(-1), "249");
  assert.equal((await linesOf(file, ["--json"])).length, 250);
  assert.equal((await linesOf(file, ["--json", "--limit", "7"])).length, 7);
});

test("what devices put into topics and texts does not reach the terminal as a command", async (context) => {
  const file = await writeReadings(context, [
    { topic: "a\u001b[31m", fields: { "f\u0007": "line\nend \u202e" } },
  ]);
  for (const args of [[], ["--last"], ["--list"]]) {
    const { stdout } = await ask(file, args);
    assert.match(stdout, /a\\u001b\[31m/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u202e]/);
  }
});

test("the file can be read while a consumer writes to it", async (context) => {
  const file = await writeHouse(context);
  const writer = new DatabaseSync(file);
  context.after(() => writer.close());
  writer.exec("begin immediate; insert into data values (1, 1, 1)");
  assert.equal((await linesOf(file, ["home/+/temp"])).length, 4);
});

const mistakes: readonly (readonly [args: readonly string[], code: number, words: RegExp])[] = [
  [
    ["nothing/#"],
    1,
    /^tconsume query: no topic in .* matches "nothing\/#": --list shows what there is\n$/,
  ],
  [["--field", "x"], 1, /matches "#" with a field "x"/],
  [["--since", "1s"], 1, /nothing in that time: --list shows from when to when/],
  [["home/hall/door", "--field", "note", "--plot"], 1, /or only texts/],
  [["a/#/b"], 2, /the filter "a\/#\/b" has a # before its end/],
  [
    ["--since", "yesterday"],
    2,
    /--since takes a time like 1h \(ago\), 2026-11-23.*not "yesterday"/,
  ],
  [["--since", "2026-13-40"], 2, /--since takes a time/],
  [["--since", "1h", "--until", "2h"], 2, /--since must be before --until/],
  [["--every", "1"], 2, /--every takes a time like 30s, 5m, 1h, 7d or 2w, not "1"/],
  [["--aggregate", "max"], 2, /--aggregate goes with --every/],
  [["--every", "1m", "--aggregate", "median"], 2, /mean, min, max, last, sum, count/],
  [["--csv", "--json"], 2, /--csv and --json: choose one/],
  [["--last", "--plot"], 2, /--plot does not go with --last/],
  [["--list", "--csv"], 2, /--csv does not go with --list/],
  [["--width", "100"], 2, /--width goes with --plot/],
  [["--limit", "0"], 2, /--limit takes a number from 1/],
  [["a", "b"], 2, /too many arguments/],
];

test("what is not found is exit code 1, a mistake on the command line 2, each with one line", async (context) => {
  const file = await writeHouse(context);
  for (const [args, code, words] of mistakes) {
    const result = await ask(file, args);
    assert.equal(result.code, code, args.join(" "));
    assert.match(result.stderr, words);
    assert.equal(result.stdout, "");
    assert.equal(result.stderr.split("\n").length, 2, "one line");
  }
});

test("a file that is missing, empty, or none of ours is told", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "tstack-query-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "x.db");
  const check = async (words: RegExp) => {
    const { code, stderr } = await ask(file, []);
    assert.equal(code, 1);
    assert.match(stderr, words);
  };
  await check(
    /^tconsume query: there is no file .*x\.db: name the one of tconsume with --sqlite-file\n$/,
  );
  writeFileSync(file, "");
  await check(/x\.db is empty: no tconsume has written to it yet/);
  writeFileSync(file, "a shopping list\n".repeat(100));
  await check(/x\.db is no database of SQLite/);
  rmSync(file);
  const database = new DatabaseSync(file);
  database.exec("create table notes (text)");
  database.close();
  await check(/x\.db is a database of another program/);
});
