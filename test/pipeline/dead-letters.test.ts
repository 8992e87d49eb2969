import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { DeadLetters } from "../../src/cli/pipeline/dead-letters.ts";
import {
  defaultPipelineLimits,
  type PipelineLimits,
} from "../../src/cli/pipeline/pipeline-options.ts";
import { makeFolder, makeMessage, readLetters } from "./consumer-world.ts";

function open(context: TestContext, folder: string, limits: Partial<PipelineLimits> = {}) {
  const lines: string[] = [];
  const letters = new DeadLetters({
    folder,
    limits: { ...defaultPipelineLimits, retryMillisecondsMin: 5, ...limits },
    talk: { say: (line) => lines.push(line), debug: () => undefined, debugging: false },
    chance: () => 0,
  });
  context.after(() => letters.close());
  return { letters, lines };
}

const letterOf = (text: string) => ({ sink: "x", reason: "no", message: makeMessage(text) });
const payloads = (folder: string) => readLetters(folder).map(({ payload }) => payload);

test("a letter has all of its message, as text or as base64, and is its owner's only", async (context) => {
  const folder = makeFolder(context);
  const { letters } = open(context, folder);
  const bytes = Buffer.from([0xff, 0x00]);
  const userProperties = [["a", "1"]] as const;
  const message = makeMessage("", {
    payload: bytes,
    qos: 0,
    retain: true,
    correlationData: bytes,
    userProperties,
  });
  const reason = `a "page"\n${"x".repeat(5000)}`;
  assert.equal(await letters.keep([{ sink: "http", reason, message }, letterOf("ü\n")]), true);
  const [binary, text] = readLetters(folder);
  const { time, reason: kept, ...rest } = binary;
  assert.ok(Math.abs(Date.parse(String(time)) - Date.now()) < 60_000);
  assert.equal(kept, reason.slice(0, 1000));
  assert.deepEqual(rest, {
    sink: "http",
    topic: "site/room",
    qos: 0,
    retain: true,
    payloadBase64: "/wA=",
    arrivedAt: message.arrivedAt,
    userProperties: [["a", "1"]],
    correlationDataBase64: "/wA=",
  });
  assert.equal(text.payload, "ü\n");
  assert.ok(!("payloadBase64" in text));
  assert.equal(statSync(join(folder, "dead-letters.jsonl")).mode & 0o777, 0o600);
});

test("a line that a crash has cut off goes, however long, and what was whole stays", async (context) => {
  const folder = makeFolder(context);
  const first = open(context, folder);
  await first.letters.keep([letterOf("1"), letterOf("2")]);
  await first.letters.close();
  const file = join(folder, "dead-letters.jsonl");
  const whole = readFileSync(file);
  appendFileSync(file, `{"payload":"${"x".repeat(200_000)}`);
  const second = open(context, folder);
  await second.letters.keep([letterOf("3")]);
  assert.deepEqual(payloads(folder), ["1", "2", "3"]);
  assert.deepEqual(readFileSync(file).subarray(0, whole.length), whole);
});

test("files are bounded in bytes and number, and the deletion of the oldest is told", async (context) => {
  const folder = makeFolder(context);
  const limits = { deadLetterBytesMax: 2000, deadLetterFilesMax: 3 };
  const { letters, lines } = open(context, folder, limits);
  const texts = Array.from({ length: 100 }, (_, index) => `message ${index}`);
  for (const text of texts) await letters.keep([letterOf(text)]);
  const files = readdirSync(folder).sort();
  const names = ["dead-letters.1.jsonl", "dead-letters.2.jsonl", "dead-letters.jsonl"];
  assert.deepEqual(files, names);
  for (const file of files) assert.ok(statSync(join(folder, file)).size <= 2000);
  const kept = payloads(folder);
  assert.ok(kept.length > 20);
  assert.deepEqual(kept, texts.slice(-kept.length));
  assert.equal(
    lines.filter((line) => line.includes("the oldest dead letters are deleted")).length,
    1,
  );
});

test("many long letters at once: every file stays within its bound", async (context) => {
  const folder = makeFolder(context);
  const deadLetterBytesMax = 2_097_152;
  const { letters } = open(context, folder, { deadLetterBytesMax });
  const texts = Array.from({ length: 8 }, (_, index) => String(index).repeat(700_000));
  assert.equal(await letters.keep(texts.map(letterOf)), true);
  for (const file of readdirSync(folder)) {
    assert.ok(statSync(join(folder, file)).size <= deadLetterBytesMax, file);
  }
  assert.deepEqual(payloads(folder), texts);
});

test("a letter that would be too long for a text as JSON is kept", async (context) => {
  const folder = makeFolder(context);
  const { letters } = open(context, folder);
  const payload = Buffer.alloc(90_000_000, 1);
  const message = { ...makeMessage("x"), payload };
  assert.equal(await letters.keep([{ sink: "x", reason: "no", message }]), true);
  assert.equal(statSync(join(folder, "dead-letters.jsonl")).size > payload.length, true);
});

test("a file that was dealt with and deleted is begun again", async (context) => {
  const folder = makeFolder(context);
  const { letters } = open(context, folder);
  await letters.keep([letterOf("1")]);
  rmSync(join(folder, "dead-letters.jsonl"));
  await letters.keep([letterOf("2")]);
  assert.deepEqual(payloads(folder), ["2"]);
});

test("what cannot be kept waits until it can, told once, in its order", async (context) => {
  const folder = makeFolder(context);
  const file = join(folder, "dead-letters.jsonl");
  mkdirSync(file);
  const { letters, lines } = open(context, folder);
  const kept = Promise.all([letters.keep([letterOf("1")]), letters.keep([letterOf("2")])]);
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  rmdirSync(file);
  assert.deepEqual(await kept, [true, true]);
  assert.deepEqual(payloads(folder), ["1", "2"]);
  assert.equal(lines.filter((line) => line.includes("cannot be kept")).length, 1);
});

test("a topic and a reason with line ends are told on one line", async (context) => {
  const { letters, lines } = open(context, makeFolder(context));
  const message = { ...makeMessage("x"), topic: "a\ntconsume: all is well" };
  await letters.keep([{ sink: "x", reason: "no\nyes", message }]);
  assert.equal(lines.length, 1);
  assert.doesNotMatch(lines[0], /\n/);
  assert.match(lines[0], /a\\u000atconsume: all is well is refused by x: no\\u000ayes/);
});

test("closed before the disk was there: it was not kept, and says so", async (context) => {
  const folder = makeFolder(context);
  mkdirSync(join(folder, "dead-letters.jsonl"));
  const { letters, lines } = open(context, folder, { retryMillisecondsMin: 60_000 });
  const kept = letters.keep([letterOf("1")]);
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  await letters.close();
  assert.equal(await kept, false);
});
