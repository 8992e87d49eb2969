/**
 * What docs/mapping.md and examples/mapping.yaml say of messages is so. In the page a `yaml` block is a mapping file for the
 * `text` block behind it: a topic and a payload on a line, and below it, indented, what `tconsume --explain` says; or, where
 * the file is wrong, what is told of it.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { explainMessage } from "../../src/cli/consume/explain.ts";
import * as bounds from "../../src/readings/bounds.ts";
import { createDefaultMapping, type Mapping, parseMapping } from "../../src/readings/index.ts";
import { mappingShape } from "../../src/readings/mapping-shape.ts";
import { payloadFormats } from "../../src/readings/payload-format.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/mapping.md"), "utf8");
const example = readFileSync(join(root, "examples/mapping.yaml"), "utf8");

const arrivedAt = Date.UTC(2000, 0, 1) * 1_000;
const arrival = " at 2000-01-01T00:00:00.000Z";

/** As `tconsume --explain` has it, without the line of the message and without the time of its arrival. */
function explain(mapping: Mapping, topic: string, payload: string): string {
  const message = {
    topic,
    payload: Buffer.from(payload),
    qos: 1,
    retain: false,
    arrivedAt,
  } as const;
  const { text } = explainMessage(message, { mapping, sinks: [] });
  return text.slice(text.indexOf("\n") + 1).replaceAll(`${arrival}\n`, "\n");
}

interface Block {
  readonly heading: string;
  /** Undefined: without a file. */
  readonly file: string | undefined;
  readonly text: string;
}

function readBlocks(): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  let file: string | undefined;
  for (const [, title, kind, text] of page.matchAll(/^## (.*)$|^```(\w+)\n([\s\S]*?)^```$/gm)) {
    if (title !== undefined) {
      heading = title;
      file = undefined;
    } else if (kind === "yaml") file = text;
    else if (kind === "text") blocks.push({ heading, file, text });
  }
  return blocks;
}

const blocks = readBlocks();

for (const { heading, file, text } of blocks) {
  test(`${heading}: ${text.slice(0, 40).trimEnd()}...`, async () => {
    if (text.startsWith("mapping.yaml:")) {
      const message = text.trimEnd();
      const parsed = parseMapping(file ?? "", "mapping.yaml");
      await assert.rejects(parsed, { code: "CONFIGURATION_INVALID", message });
      return;
    }
    const mapping =
      file === undefined ? createDefaultMapping() : await parseMapping(file, "mapping.yaml");
    const messages = [...text.matchAll(/^(\S+) (.*)\n((?: {2}.*\n)+)/gm)];
    assert.equal(messages.map(([all]) => all).join(""), text, "the block has messages only");
    for (const [, topic, payload, explained] of messages) {
      assert.equal(explain(mapping, topic, payload), explained);
    }
  });
}

test("every section of docs/mapping.md but the last was tried", () => {
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  assert.deepEqual([...new Set(blocks.map(({ heading }) => heading))], headings.slice(0, -1));
});

test("docs/mapping.md names every key, and examples/mapping.yaml uses it", () => {
  const { rules } = mappingShape.shape;
  const keys = Object.keys(rules.element.shape);
  const rows = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, key]) => key);
  assert.deepEqual(rows.toSorted(), keys.toSorted());
  for (const key of keys) assert.match(example, new RegExp(`[ {]${key}:\\s`), key);
  for (const format of payloadFormats) {
    assert.ok(page.includes(`\`${format}\``), format);
    assert.ok(example.includes(`payload: ${format}`), format);
  }
});

test("docs/mapping.md has the bounds", () => {
  const { rememberedBytesMax, rememberedMax, ...shown } = bounds;
  assert.ok(rememberedBytesMax > rememberedMax);
  const rows = [...page.matchAll(/^\| .* \| ([\d,]+) \|$/gm)].map(([, most]) => most);
  const values = Object.values(shown).map((most) => most.toLocaleString("en-US"));
  assert.deepEqual(rows.toSorted(), values.toSorted());
});

const exampleMessages: readonly (readonly [topic: string, payload: string, explained: string])[] = [
  [
    "site/main/kitchen/temperature",
    "21.5",
    "temperature building=main room=kitchen: value 21.5 °C",
  ],
  ["site/main/kitchen/debug/x", "1", "is dropped by the mapping"],
  [
    "weather/hill",
    '{"ts": 1763899200000, "sensors": [{"temp": 9.5}], "wind": {"speed": 3, "direction": 90}, "rain": "no", "device": {"model": "X1"}}',
    "weather country=de model=X1 station=hill: temperature 9.5 °C, wind.speed 3 m/s, wind.direction 90, raining false at 2025-11-23T12:00:00.000Z",
  ],
  [
    "machines/saw/state",
    '{"on": true, "debug": {"a": 1}, "network": {"password": "x", "rssi": -60}}',
    "machines/state machine=saw: on true, network.rssi -60",
  ],
  ["lamps/kitchen", "ON", "lamps room=kitchen: on true"],
  ["notes/kitchen", "007", 'notes room=kitchen: value "007"'],
  ["telegraf/h", "cpu idle=97.5", "cpu host=h: idle 97.5"],
  ["elsewhere", "7", "elsewhere: value 7"],
];
for (const [topic, payload, explained] of exampleMessages) {
  test(`examples/mapping.yaml reads ${topic}`, async () => {
    const mapping = await parseMapping(example, "examples/mapping.yaml");
    assert.equal(explain(mapping, topic, payload), `  ${explained}\n`);
  });
}
