/** stdout as a sink: the suite with JSON lines, the formats for people and programs, and readers that are slow or gone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { PassThrough, Writable } from "node:stream";
import { test } from "node:test";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { MessageMaker } from "../../src/sinks/conformance/messages.ts";
import type { MappedMessage } from "../../src/sinks/index.ts";
import type { SinkWorld } from "../../src/sinks/sink.ts";
import { stdoutSink } from "../../src/sinks/stdout/index.ts";
import { readJsonValues } from "./json-values.ts";

const say = () => undefined;

testSink(
  "stdout",
  { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: false },
  async () => {
    const stdout = new PassThrough();
    let text = "";
    stdout.setEncoding("utf8").on("data", (chunk) => {
      text += chunk;
    });
    return {
      sink: await stdoutSink.configure({ "stdout-format": "json" }),
      stdout,
      readBack: async () => text.split("\n").slice(0, -1).flatMap(readJsonValues),
      end: async () => undefined,
    };
  },
);

/** Local times are compared with what they were at home. */
process.env.TZ = "Europe/Berlin";
const time = Date.UTC(2026, 10, 23, 12, 59, 50, 123) * 1000 + 456;

function messageOf(parts: Parameters<MessageMaker["make"]>[0], payload?: string): MappedMessage {
  const { message, readings } = new MessageMaker().make({ ...parts, time });
  const bytes = payload === undefined ? message.payload : Buffer.from(payload);
  return { message: { ...message, arrivedAt: time, payload: bytes }, readings };
}

async function print(format: string, message: MappedMessage, isTTY = false): Promise<string> {
  const stdout = Object.assign(new PassThrough(), { isTTY });
  const sink = await (await stdoutSink.configure({ "stdout-format": format })).open({
    stdout,
    say,
  });
  await sink.write([message]);
  return stdout.read().toString();
}

const weather = messageOf({
  topic: "site/hall",
  tags: { room: "hall" },
  units: { temp: "°C" },
  fields: { temp: 21.5, open: true },
});

test("csv has every message, text and JSON those with readings", async () => {
  const takesMessages = async (format: string) =>
    (await stdoutSink.configure({ "stdout-format": format })).takesMessages === true;
  assert.deepEqual(await Promise.all(["csv", "text", "json"].map(takesMessages)), [
    true,
    false,
    false,
  ]);
});

test("text is time, name, tags and values with their units", async () => {
  assert.equal(
    await print("text", messageOf({ topic: "site/hall/temp", fields: { value: 21.5 } })),
    "2026-11-23 13:59:50.123 site/hall/temp 21.5\n",
  );
  assert.equal(
    await print("text", weather),
    "2026-11-23 13:59:50.123 site/hall room=hall temp=21.5 °C open=true\n",
  );
});

test("CSV is the line of the original: when it came, topic and payload, quotes doubled", async () => {
  const message = messageOf({ topic: "site/hall", fields: { value: 1 } }, 'say "1"');
  assert.equal(await print("csv", message), '"23/11/2026 13:59:50","site/hall","say ""1"""\n');
});

test("JSON has every part of a reading, and only those that it has", async () => {
  assert.deepEqual(JSON.parse(await print("json", weather)), {
    time: "2026-11-23T12:59:50.123456Z",
    topic: "site/hall",
    name: "site/hall",
    tags: { room: "hall" },
    fields: { temp: 21.5, open: true },
    units: { temp: "°C" },
  });
  const plain = messageOf({ topic: "t", fields: { value: "x" } });
  assert.deepEqual(Object.keys(JSON.parse(await print("json", plain))), [
    "time",
    "topic",
    "name",
    "fields",
  ]);
});

test("no control character of a stranger reaches a terminal", async () => {
  const harmful = "\u001b]0;title\u0007\u009b2J\u202e\n\r";
  const message = messageOf({ topic: `t/${harmful}`, fields: { value: harmful } }, harmful);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is they that are looked for
  const control = /[\u0000-\u001f\u007f-\u009f\u202e]/;
  for (const format of ["text", "csv", "json"]) {
    const line = await print(format, message, true);
    assert.match(line, /^[^\n]*\n$/);
    assert.doesNotMatch(line.slice(0, -1), control, format);
    const explained = (await stdoutSink.configure({ "stdout-format": format })).explain(message);
    assert.doesNotMatch(explained, control, `${format} explained`);
  }
  assert.ok((await print("csv", message)).includes(harmful), "a file has what came");
  assert.equal(JSON.parse(await print("json", message)).fields.value, harmful);
});

test("a format that is none is a mistake of the command line", async () => {
  await assert.rejects(stdoutSink.configure({ "stdout-format": "xml" }), {
    code: "CONFIGURATION_INVALID",
    message: '--stdout-format is text, csv or json, not "xml"',
  });
});

test("a batch is written when stdout has taken it", async () => {
  const taken: (() => void)[] = [];
  const stdout = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) });
  const sink = await openText({ stdout, say });
  let isWritten = false;
  const written = sink.write([weather]).then((records) => {
    isWritten = true;
    return records;
  });
  await new Promise(setImmediate);
  assert.equal(isWritten, false);
  taken[0]();
  assert.equal(await written, 1);
});

test("a reader that is gone makes stdout unavailable, and says so by stdout's error", async () => {
  const program = `
    import { stdoutSink } from "./src/sinks/stdout/index.ts";
    import { MessageMaker } from "./src/sinks/conformance/messages.ts";
    const errors = [];
    process.stdout.on("error", (error) => errors.push(error.code));
    const sink = await (await stdoutSink.configure({})).open({ stdout: process.stdout, say() {} });
    const maker = new MessageMaker();
    try {
      for (;;) await sink.write(maker.numbers(100));
    } catch (error) {
      await new Promise(setImmediate);
      console.error(error.code, ...errors);
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let talk = "";
  child.stderr.setEncoding("utf8").on("data", (chunk) => {
    talk += chunk;
  });
  await once(child.stdout, "data");
  child.stdout.destroy();
  await once(child, "close");
  assert.equal(talk, "SINK_UNAVAILABLE EPIPE\n");
});

async function openText(world: SinkWorld) {
  return (await stdoutSink.configure({})).open(world);
}
