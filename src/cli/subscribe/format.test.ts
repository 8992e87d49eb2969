import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { type PublishPacket, UsageError } from "../client/index.ts";
import { compileFormat, compilePlain, type Printer } from "./format.ts";
import { Output } from "./output.ts";

const complaints: string[] = [];
const options = {
  pretty: false,
  newline: true,
  complain: (line: string) => complaints.push(line),
};

function message(payload: string | Buffer, more: Partial<PublishPacket> = {}): PublishPacket {
  const base = { cmd: "publish", topic: "a/b", qos: 0, dup: false, retain: false } as const;
  return { ...base, payload: Buffer.from(payload), ...more };
}

function print(printer: Printer, packet: PublishPacket): string {
  const stdout = new PassThrough();
  const output = new Output(stdout);
  printer(packet, output);
  output.flush();
  return stdout.read()?.toString() ?? "";
}

const printed = (format: string, packet: PublishPacket) =>
  print(compileFormat(format, options), packet);

test("widths count characters, and no character is cut", () => {
  const packet = message("x", { topic: "hé😀" });
  assert.equal(printed("[%5t|%-5t|%.2t|%.3t]", packet), "[  hé😀|hé😀  |hé|hé😀]\n");
});

test("%x with a width is padded, not cut", () => {
  assert.equal(
    printed("%5x|%014x|%-12X|", message("hi\xff")),
    "6869c3bf|0000006869c3bf|6869C3BF    |\n",
  );
});

test("a name that came several times is printed several times", () => {
  const properties = { userProperties: { a: ["1", "2"], b: "3" }, subscriptionIdentifier: [4, 5] };
  assert.equal(printed("%P %S", message("x", { properties })), "a:1 a:2 b:3 4 5\n");
});

test("%J leaves the payload's numbers as they are, and stays on one line", () => {
  const packet = message('{"large": 12345678901234567890,\n "exact": 1.50}\n');
  assert.match(
    printed("%J", packet),
    /"payload":\{"large": 12345678901234567890, {2}"exact": 1\.50\}\}\n$/,
  );
});

test("%J of a payload that is no JSON is told, and nothing stands in its place", () => {
  complaints.length = 0;
  assert.equal(printed("<%J>", message("{")), "<>\n");
  assert.deepEqual(complaints, ["the payload is not valid JSON on topic a/b"]);
});

test("%j is JSON whatever the payload is", () => {
  for (const payload of ['"quoted"', "\u0000\n\u2028", Buffer.from([0xff, 0xfe])]) {
    const text = printed("%j", message(payload));
    assert.equal(JSON.parse(text).payload, payload.toString());
    assert.equal(text.trimEnd().split("\n").length, 1);
  }
});

test("--pretty indents, and is the same JSON", () => {
  const packet = message("1", { qos: 1, messageId: 3 });
  const text = print(compileFormat("%J", { ...options, pretty: true }), packet);
  assert.ok(text.split("\n").length > 5);
  assert.deepEqual(
    { ...JSON.parse(text), tst: "" },
    { ...JSON.parse(printed("%J", packet)), tst: "" },
  );
});

test("%I and %U are the time of the message", () => {
  const before = Date.now() / 1000;
  const [iso, unix] = printed("%I %U", message("x")).split(" ");
  assert.ok(Number(unix) >= Math.floor(before * 1000) / 1000 && Number(unix) < before + 5);
  assert.ok(Math.abs(Date.parse(iso) / 1000 - before) < 5);
});

for (const format of ["%Z", "%", "a%1", "%10", "%5.", "@", "@Q", "\\", "\\q", "%é"]) {
  test(`"${format}" is a mistake`, () => {
    assert.throws(() => compileFormat(format, options), UsageError);
  });
}

test("the payload alone is printed as its bytes", () => {
  const stdout = new PassThrough();
  const output = new Output(stdout);
  const payload = Buffer.from([0, 255, 10, 128]);
  compilePlain(false, false)(message("", { payload }), output);
  output.flush();
  assert.deepEqual(stdout.read(), payload);
});
