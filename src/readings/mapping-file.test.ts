/** What is wrong with a mapping file is told with its line, and what to write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMapping } from "./index.ts";

async function readMistakes(text: string): Promise<string[]> {
  try {
    await parseMapping(text, "m.yaml");
    return [];
  } catch (error) {
    const { code, message } = error as { code: unknown; message: string };
    assert.equal(code, "CONFIGURATION_INVALID", String(error));
    return message.split("\n");
  }
}

const topic = "rules:\n  - topic: a/+x/#\n    ";
const form = "must be a path into the payload, or {path: sensors.0.temp, as: number|text|boolean}";
const quotes = "what begins with { or # stands in quotes";

const files: readonly (readonly [name: string, text: string, ...mistakes: string[]])[] = [
  ["a small rule", `${topic}name: x`],
  ["JSON", '{"others": "drop", "rules": [{"topic": "a"}]}'],
  ["an alias", "rules:\n  - &r {topic: a, tags: &t {s: h}}\n  - {topic: b, tags: *t}"],
  ["nothing", "", "1: rules is missing; it must be a list: each rule begins with - topic:"],
  ["text", "rules", "1: the file must have the key rules, and under it a list"],
  ["no rules", "rules: []", "1: rules must not be empty: without rules no mapping file is needed"],
  [
    "a rule that is none",
    "rules:\n  - a/b",
    "2: the rule must have keys: topic, and what becomes of its messages",
  ],
  [
    "an unknown key",
    "rule: []\nrules: [{topic: a}]",
    "1: rule is no key here; did you mean rules?",
  ],
  [
    "an unknown key of a rule",
    `${topic}unit: {a: b}`,
    "3: unit is no key here; did you mean units?",
  ],
  [
    "no topic",
    "rules:\n  - name: a",
    `2: topic is missing; it must say which topics the rule is for, as site/+room/#metric; ${quotes}`,
  ],
  [
    "a topic that is a comment",
    "rules:\n  - topic: #",
    `2: topic must say which topics the rule is for, as site/+room/#metric; ${quotes}`,
  ],
  [
    "a topic that is none",
    "rules:\n  - topic: a/#/b",
    '2: topic has "#" before its end: the rest of a topic comes last',
  ],
  [
    "a mistyped word",
    `${topic}payload: jason`,
    "3: payload must be one of auto, number, text, boolean, json, cbor, influx; did you mean json?",
  ],
  ["a name that is no text", `${topic}name: {x}`, `3: name must be text; ${quotes}`],
  [
    "a name of no level",
    `${topic}name: "{y}"`,
    "3: name has {y}, which no level of topic is called; did you mean {x}?",
  ],
  [
    "a brace alone",
    `${topic}name: "{x"`,
    "3: name has a { or } alone: {metric} stands for the level that topic calls +metric",
  ],
  [
    "nothing to be called by",
    "rules:\n  - topic: +a/+b",
    '2: topic leaves nothing to call the readings by: add name: "{a}", or another text',
  ],
  ["a field without path", `${topic}fields:\n      t: {pth: a}`, `4: fields.t ${form}`],
  [
    "a path that is none",
    `${topic}fields: {t: a..b}`,
    '3: fields.t "a..b" is no path: keys with a point between, as sensors.0.temp',
  ],
  [
    "no fields",
    `${topic}fields: {}`,
    "3: fields must not be empty: leave it away for all that the payload has",
  ],
  [
    "names of more lines",
    `rules: [{topic: a, "x\\ny": 1, name: "{p\\nq}"}]`,
    '1: "x\\ny" is no key here; there are topic, drop, name, payload, precision, fields, omit, tags, time, units',
  ],
  [
    "fields and omit",
    `${topic}fields: {t: a}\n    omit: [b]`,
    "4: omit is for rules without fields, which take nothing but what they name",
  ],
  [
    "a single value with paths",
    `${topic}payload: number\n    fields: {t: a}`,
    "4: fields.t is not for payload: number, which is a single value; its path is value",
  ],
  [
    "a single value with a time",
    `${topic}payload: text\n    time: {path: t, unit: s}`,
    "4: time is not for payload: text, which is a single value",
  ],
  [
    "lines with omit",
    `${topic}payload: influx\n    omit: [a]`,
    "4: omit is not for payload: influx: its lines say it",
  ],
  [
    "lines with fields",
    `${topic}payload: influx\n    fields: {t: value}`,
    "4: fields.t is not for payload: influx: its lines say it",
  ],
  [
    "a precision without lines",
    `${topic}precision: s`,
    "3: precision is only for payload: influx; other times are time: {path: ..., unit: ms}",
  ],
  [
    "a time without unit",
    `${topic}time: {path: t}`,
    "3: time must be arrival, or {path: a.b, unit: s|ms|us|ns|iso} for what the payload says",
  ],
  [
    "a tag that is a level",
    `${topic}tags: {x: y}`,
    "3: tags.x has the name of a level of topic: leave one of them away",
  ],
  [
    "a tag's name",
    `${topic}tags: {a b: y}`,
    '3: tags."a b" must be called by letters, digits, _ and -, and not too long',
  ],
  ["an empty tag", `${topic}tags: {t: ""}`, "3: tags.t must not be empty"],
  [
    "a unit of no field",
    `${topic}fields: {temperature: t}\n    units: {temprature: K}`,
    "4: units.temprature is the unit of no field of this rule; did you mean temperature?",
  ],
  [
    "drop with more",
    `${topic}drop: true\n    name: x`,
    "4: name is not for a rule with drop: true, which has only a topic beside it",
  ],
  [
    "a rule that is never reached",
    `${topic}name: x\n  - topic: a/b/c`,
    "4: topic is never reached: the rule of m.yaml:2 takes all that it is for",
  ],
  [
    "two mistakes",
    `${topic}drop: 1\n    payload: x`,
    "3: drop must be true or false",
    "4: payload must be one of auto, number, text, boolean, json, cbor, influx",
  ],
];
for (const [name, text, ...mistakes] of files) {
  test(`a mapping file with ${name}`, async () => {
    assert.deepEqual(
      await readMistakes(text),
      mistakes.map((mistake) => `m.yaml:${mistake}`),
    );
  });
}

test("a file that is no YAML is told with its line", async () => {
  const [mistake] = await readMistakes("rules:\n  - topic: [a\n");
  assert.match(mistake, /^m\.yaml:\d: this is no YAML: /);
  assert.match((await readMistakes("a: 1\na: 2"))[0], /^m\.yaml:2: this is no YAML: .*unique/);
});

test("aliases that grow are refused, and so are very long files", async () => {
  const grow = ["a: &a [x,x,x,x,x,x,x,x,x,x]"];
  for (const [one, other] of ["ab", "bc", "cd", "de", "ef"]) {
    grow.push(`${other}: &${other} [${Array(10).fill(`*${one}`).join()}]`);
  }
  assert.match((await readMistakes(grow.join("\n")))[0], /^m\.yaml: its aliases grow/);
  assert.match((await readMistakes("#".repeat(1_048_577)))[0], /more than 1048576 characters/);
});

test("of very many mistakes the first are told", async () => {
  const lines = await readMistakes(`rules:\n${"  - {topic: 1}\n".repeat(30)}`);
  assert.equal(lines.length, 21);
  assert.equal(lines[20], "and 10 more");
});

test("a file has at most 1,000 rules", async () => {
  const rules = Array.from({ length: 1_001 }, (_, index) => `  - topic: a${index}\n`).join("");
  assert.deepEqual(await readMistakes(`rules:\n${rules}`), [
    "m.yaml:1: rules must have at most 1000 rules",
  ]);
});
