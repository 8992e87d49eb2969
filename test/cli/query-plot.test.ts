/** `tconsume query --plot`: what it prints, on terminals of any size and without one. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { ask, linesOf, timeOf, writeReadings } from "./query-world.ts";

process.env.TZ = "Asia/Kolkata";

const start = timeOf("2026-11-20T10:00:00Z");
const second = 1_000_000;

/** A day of a value each minute, without those for which `f` answers none. */
function dayOf(topic: string, f: (minute: number) => number | undefined) {
  return Array.from({ length: 1440 }, (_, minute) => ({ minute, value: f(minute) }))
    .filter(({ value }) => value !== undefined)
    .map(({ minute, value = 0 }) => ({
      topic,
      time: start + minute * 60 * second,
      fields: { value },
      units: { value: "°C" },
    }));
}

const writeRooms = (context: TestContext) =>
  writeReadings(context, [
    ...dayOf("home/bath/temp", (minute) => 20 + minute / 288),
    ...dayOf("home/hall/temp", (minute) => (minute < 600 || minute > 900 ? 22 : undefined)),
  ]);

const minutes = ["--height", "12", "--width", "60"];

test("one series is a chart with its name, its unit and round local times", async (context) => {
  const file = await writeRooms(context);
  assert.deepEqual(await linesOf(file, ["home/bath/temp", "--plot", ...minutes]), [
    "home/bath/temp °C",
    "2026-11-20 15:30 to 2026-11-21 15:29, mean of each 30 min",
    "  ▲",
    "  │                                                ┏━━━━",
    "24┤                                       ┏━━━━━━━━┛",
    "  │                              ┏━━━━━━━━┛",
    "  │                     ┏━━━━━━━━┛",
    "22┤            ┏━━━━━━━━┛",
    "  │   ┏━━━━━━━━┛",
    "  │━━━┛",
    "  └──────┬────────────┬────────────┬────────────┬───────▶",
    "     18:00        00:00        06:00        12:00",
  ]);
});

test("where readings are missing, so is the line", async (context) => {
  const file = await writeRooms(context);
  const lines = await linesOf(file, ["home/hall/temp", "--plot", ...minutes]);
  const flat = lines.filter((line) => line.includes("━"));
  assert.equal(flat.length, 1);
  assert.match(flat[0], /^22┤━{20,25} {8,14}━{18,22}$/);
});

test("without colours each series has a chart of its own, and nothing but text", async (context) => {
  const file = await writeRooms(context);
  const { stdout } = await ask(file, ["home/+/temp", "--plot", "--since", "2026-11-21"]);
  const charts = stdout.split("\n\n");
  assert.deepEqual(
    charts.map((chart) => chart.split("  ")[0]),
    ["home/bath/temp °C", "home/hall/temp °C"],
  );
  assert.equal(stdout, stripVTControlCharacters(stdout));
  const noColor = { terminal: { columns: 80, rows: 24 }, environment: { NO_COLOR: "1" } };
  const plain = await ask(file, ["home/+/temp", "--plot"], noColor);
  assert.equal(plain.stdout, stripVTControlCharacters(plain.stdout));
});

test("on a terminal the lines share a chart that fits, and each has a colour and a name", async (context) => {
  const file = await writeRooms(context);
  for (const [columns, rows] of [
    [80, 24],
    [200, 50],
    [40, 15],
  ]) {
    const args = ["home/+/temp", "--plot", "--since", "2026-11-20"];
    const { stdout } = await ask(file, args, { terminal: { columns, rows } });
    const lines = stdout.trimEnd().split("\n");
    const plain = lines.map((line) => stripVTControlCharacters(line));
    const size = `${columns}x${rows}`;
    assert.ok(Math.max(...plain.map((line) => line.length)) <= columns, size);
    assert.ok(lines.length < rows, size);
    assert.deepEqual(lines.slice(1, 3), [
      "\u001b[32m━━\u001b[0m home/bath/temp °C",
      "\u001b[33m━━\u001b[0m home/hall/temp °C",
    ]);
    const drawing = lines.slice(3).join("");
    assert.ok(drawing.includes("\u001b[32m") && drawing.includes("\u001b[33m"), size);
  }
});

test("--every and --aggregate are what is drawn", async (context) => {
  const file = await writeReadings(
    context,
    dayOf("a", (minute) => minute % 60),
  );
  const drawn = async (...args: string[]) => (await linesOf(file, ["--plot", ...args])).join("\n");
  assert.match(await drawn("--every", "2h"), /mean of each 2 h/);
  assert.match(
    await drawn("--every", "1h", "--aggregate", "max"),
    /max of each 1 h\n(?:.*\n){3} *55┤/,
  );
  assert.match(await drawn("--every", "1h", "--aggregate", "count"), /\n *60┤/);
  const { code, stderr } = await ask(file, ["--plot", "--every", "1s"]);
  assert.equal(code, 1);
  assert.match(stderr, /--every 1 s is too short for a chart of 23 h: choose a longer one/);
});

test("one reading, values that do not change, huge and tiny numbers are charts", async (context) => {
  const values: Readonly<Record<string, readonly number[]>> = {
    one: [21.5],
    zero: [0, 0, 0],
    huge: [-1e308, 1e308, 0],
    tiny: [1e-200, 3e-200, 2e-200],
    bytes: [8e9, 9e9, 8.5e9],
    close: [1e6, 1e6 + 1e-3, 1e6],
  };
  const parts = Object.entries(values).flatMap(([topic, numbers]) =>
    numbers.map((value, index) => ({ topic, time: start + index * second, fields: { value } })),
  );
  const file = await writeReadings(context, parts);
  const labels: Readonly<Record<string, RegExp>> = {
    one: / 22┤/,
    zero: /0\.0┤━+$/m,
    huge: /5\.0e\+307┤/,
    tiny: /2\.0e-200┤/,
    bytes: /8\.4G┤/,
    close: /1\.00000\d+M┤/,
  };
  for (const [topic, label] of Object.entries(labels)) {
    const lines = await linesOf(file, [topic, "--plot"]);
    assert.match(lines.join("\n"), label, topic);
    assert.ok(lines.some((line) => line.includes("━")));
    assert.ok(Math.max(...lines.map((line) => line.length)) <= 80, topic);
  }
});

test("switches are drawn as 0 and 1, texts not at all, and of too many series the first", async (context) => {
  const file = await writeReadings(context, [
    ...[true, false, true].map((isOpen, index) => ({
      topic: "door",
      time: start + index * second,
      fields: { isOpen, note: "x" },
    })),
    ...Array.from({ length: 9 }, (_, index) => ({
      topic: `many/${index}`,
      time: start,
      fields: { value: index },
    })),
  ]);
  const door = await linesOf(file, ["door", "--plot"]);
  assert.match(door[0], /^door isOpen {2}/);
  assert.equal(door.filter((line) => line.includes("door")).length, 1);
  const { stdout, stderr } = await ask(file, ["many/+", "--plot"]);
  assert.equal(stdout.split("\n\n").length, 6);
  assert.match(stderr, /9 series match: the first 6 are drawn\. Narrow the filter, or add --field/);
});
