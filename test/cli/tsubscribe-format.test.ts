/**
 * `-F` beside mosquitto_sub: both subscribe to the same messages with the same format and must print
 * the same. Left out is where mosquitto_sub 2.0.11 departs from its own manual: it counts widths in
 * bytes, cuts `%p` and `%x` to them, pads payloads with zeros, gives an absent `%R` no width, and writes
 * `Z` before the zone in `%j`. QoS 1, since a message of QoS 2 may be overtaken by a later one of QoS 1.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { connectAsync, type IClientPublishOptions, type MqttClient } from "mqtt";
import { Mosquitto, withoutMosquittoClients } from "./mosquitto.ts";
import { RunningProgram, startSubscribed } from "./programs.ts";

const skip = withoutMosquittoClients;
let broker: Mosquitto;
let at: string[];
let seed: MqttClient;

before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
  seed = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 5 });
});
after(async () => {
  await seed?.endAsync();
  await broker?.stop();
});

const formats: readonly string[] = [
  "%t %p %q %r %l %x %X %%",
  "[%10t|%-10t|%.2t|%10.2t|%-10.2t|%010t|%2t]",
  "[%05l|%5l|%-5l|%-05l|%l]",
  "[%20p|%-20p]",
  "[%P|%R|%D|%E|%C|%S|%A|%F]",
  "[%.2R|%20C|%-20C|%.1C|%08E|%8E|%-8E|%04F|%03A|%3A]",
  String.raw`a\tb\\c\ad\ee\nf\rg\vh`,
  "@@ plain @Y",
  "no sequences at all",
  "%t\\0%p",
];
const messages: readonly [payload: string, options: IClientPublishOptions][] = [
  ["plain text", {}],
  ["", {}],
  ['{"a": [1, 2]}', { qos: 1 }],
  ["retained", { qos: 2, retain: true }],
  [
    "with properties",
    {
      qos: 1,
      properties: {
        userProperties: { a: "b", c: "d" },
        responseTopic: "answer/here",
        contentType: "text",
        correlationData: Buffer.from("id"),
        messageExpiryInterval: 77,
        payloadFormatIndicator: true,
      },
    },
  ],
];

async function publishAll(topic: string): Promise<void> {
  for (const [payload, options] of messages) await seed.publishAsync(topic, payload, options);
}

/** What is not told by `-d` itself, which is how a test knows that it has subscribed. */
function withoutTalk(text: string): string {
  const isTalk = (line: string) => /^(Client .* (sending|received) |Subscribed )/.test(line);
  return text
    .split("\n")
    .filter((line) => !isTalk(line))
    .join("\n");
}

async function startMosquittoSub(args: readonly string[]): Promise<RunningProgram> {
  // Into a pipe it would keep its lines until it ends.
  const theirs = new RunningProgram("stdbuf", ["-oL", "mosquitto_sub", ...at, "-d", ...args]);
  await theirs.saw("Subscribed", "stdout");
  return theirs;
}

for (const [index, format] of formats.entries()) {
  test(`-F ${JSON.stringify(format)} prints what mosquitto_sub prints`, { skip }, async () => {
    const topic = `f/${index}`;
    const args = ["-t", topic, "-q", "1", "-V", "5", "-F", format];
    const bounds = ["-C", String(messages.length), "-W", "20"];
    const theirs = await startMosquittoSub([...args, ...bounds]);
    const ours = await startSubscribed([...at, ...args, ...bounds]);
    await publishAll(topic);
    const expected = withoutTalk((await theirs.ended).stdout);
    assert.notEqual(expected, "");
    assert.equal((await ours.ended).stdout, expected);
  });
}

test("%j and %J say what mosquitto_sub says, but for the time", { skip }, async () => {
  const args = ["-t", "f/json", "-q", "1", "-V", "5", "-W", "20"];
  const bounds = ["-C", String(messages.length), "-F", "%j"];
  const theirs = await startMosquittoSub([...args, ...bounds]);
  const ours = await startSubscribed([...at, ...args, ...bounds]);
  const plain = await startSubscribed([...at, ...args, "-F", "%J", "-C", String(messages.length)]);
  await publishAll("f/json");
  const parse = (text: string) =>
    text
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => ({ ...JSON.parse(line), tst: "" }));
  const expected = parse((await theirs.ended).stdout);
  assert.equal(expected.length, messages.length);
  const { stdout } = await ours.ended;
  assert.deepEqual(parse(stdout), expected);
  assert.match(stdout, /^\{"tst":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+0530","topic":"f\/json",/);
  const unquoted = await plain.ended;
  assert.deepEqual(parse(unquoted.stdout)[1], { ...expected[2], payload: { a: [1, 2] } });
  assert.equal(unquoted.stderr.split("the payload is not valid JSON on topic f/json").length, 4);
});
