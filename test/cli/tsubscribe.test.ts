/** tsubscribe against mosquitto: what is printed, what is left out, and when it ends. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Mosquitto, withoutMosquitto } from "./mosquitto.ts";
import { RunningProgram, run, start, startSubscribed } from "./programs.ts";

const skip = withoutMosquitto;
let broker: Mosquitto;
let at: string[];

before(async () => {
  if (skip) return;
  broker = await Mosquitto.start();
  at = ["-h", "127.0.0.1", "-p", String(broker.port)];
});
after(() => broker?.stop());

async function publish(topic: string, message: string, ...more: string[]): Promise<void> {
  const ended = await run("tpublish", [...at, "-q", "1", "-t", topic, "-m", message, ...more]);
  assert.deepEqual([ended.code, ended.stderr], [0, ""]);
}

test("the payload alone, one message a line", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "s/plain", "-C", "2"]);
  await publish("s/plain", "one");
  await publish("s/plain", "");
  const { code, stdout } = await subscriber.ended;
  assert.deepEqual([code, stdout], [0, "one\n\n"]);
});

test("payloads are printed as their bytes", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "s/bytes", "-C", "1", "-N"]);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  await run("tpublish", [...at, "-t", "s/bytes", "-s"], { stdin: bytes });
  await subscriber.ended;
  assert.deepEqual(subscriber.bytes, bytes);
});

test("a payload larger than the output's slab is printed whole", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "s/large", "-C", "1", "-v"]);
  const payload = "0123456789".repeat(100_000);
  await run("tpublish", [...at, "-t", "s/large", "-s"], { stdin: payload });
  assert.equal((await subscriber.ended).stdout, `s/large ${payload}\n`);
});

test("-v prints the topic first; -t may be repeated; -T hides", { skip }, async () => {
  const topics = ["-t", "s/v/+", "-t", "s/w", "-T", "s/v/hidden"];
  const subscriber = await startSubscribed([...at, ...topics, "-v", "-C", "2"]);
  await publish("s/v/hidden", "no");
  await publish("s/v/a", "1");
  await publish("s/w", "2");
  assert.equal((await subscriber.ended).stdout, "s/v/a 1\ns/w 2\n");
});

test("-N leaves the newline out", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "s/N", "-C", "2", "-N"]);
  await publish("s/N", "a");
  await publish("s/N", "b");
  assert.equal((await subscriber.ended).stdout, "ab");
});

test("-W ends with 27, and what came is printed", { skip }, async () => {
  const subscriber = await startSubscribed([...at, "-t", "s/W", "-C", "2", "-W", "1.5"]);
  await publish("s/W", "only");
  const { code, stdout, stderr } = await subscriber.ended;
  assert.deepEqual([code, stdout], [27, "only\n"]);
  assert.match(stderr, /tsubscribe: timed out\n$/);
});

test("--quiet says nothing, and the exit code stays", { skip }, async () => {
  const ended = await run("tsubscribe", [...at, "--quiet", "-t", "s/none", "-W", "0.2"]);
  assert.deepEqual(ended, { code: 27, stdout: "", stderr: "" });
});

test("-E ends once subscribed, and with -c the session keeps what follows", { skip }, async () => {
  const session = ["-t", "s/kept", "-q", "1", "-i", "s-kept", "-c"];
  const first = await run("tsubscribe", [...at, ...session, "-E"]);
  assert.deepEqual(first, { code: 0, stdout: "", stderr: "" });
  await publish("s/kept", "while away 1");
  await publish("s/kept", "while away 2");
  await publish("s/kept", "while away 3");
  // What comes after the end is not acknowledged: the next run has it.
  const second = await run("tsubscribe", [...at, ...session, "-C", "1", "-W", "10"]);
  assert.equal(second.stdout, "while away 1\n");
  const third = await run("tsubscribe", [...at, ...session, "-C", "2", "-W", "10"]);
  assert.equal(third.stdout, "while away 2\nwhile away 3\n");
});

test("-x keeps the session of MQTT 5 so long", { skip }, async () => {
  const session = ["-t", "s/x", "-q", "1", "-i", "s-x", "-c", "-x", "60"];
  assert.equal((await run("tsubscribe", [...at, ...session, "-E"])).code, 0);
  await publish("s/x", "kept");
  const second = await run("tsubscribe", [...at, ...session, "-C", "1", "-W", "10"]);
  assert.equal(second.stdout, "kept\n");
});

test("-U takes a subscription back from a kept session", { skip }, async () => {
  const session = ["-i", "s-U", "-c", "-q", "1"];
  assert.equal((await run("tsubscribe", [...at, ...session, "-t", "s/U", "-E"])).code, 0);
  assert.equal((await run("tsubscribe", [...at, ...session, "-U", "s/U", "-E"])).code, 0);
  await publish("s/U", "nobody");
  const third = await run("tsubscribe", [...at, ...session, "-t", "s/other", "-W", "1"]);
  assert.deepEqual([third.stdout, third.code], ["", 27]);
});

test("-L names broker and topic at once", { skip }, async () => {
  const url = `mqtt://127.0.0.1:${broker.port}/s/url/#`;
  const subscriber = await startSubscribed(["-L", url, "-C", "1", "-v"]);
  await publish("s/url/deep/er", "x");
  assert.equal((await subscriber.ended).stdout, "s/url/deep/er x\n");
});

test("--retain-as-published shows the flag of the publisher", { skip }, async () => {
  const format = ["-F", "%r %p", "-C", "1"];
  const plain = await startSubscribed([...at, "-t", "s/rap", ...format]);
  const kept = await startSubscribed([...at, "-t", "s/rap", ...format, "--retain-as-published"]);
  await publish("s/rap", "x", "-r");
  assert.equal((await plain.ended).stdout, "0 x\n");
  assert.equal((await kept.ended).stdout, "1 x\n");
});

test("-D subscribe subscription-identifier comes back as %S", { skip }, async () => {
  const identifier = ["-D", "subscribe", "subscription-identifier", "7", "-F", "%S"];
  const subscriber = await startSubscribed([...at, "-t", "s/S", ...identifier, "-C", "1"]);
  await publish("s/S", "x");
  assert.equal((await subscriber.ended).stdout, "7\n");
});

test("each subscriber of MQTT 3.1, 3.1.1 and 5 hears the others", { skip }, async () => {
  for (const version of ["31", "311", "5"]) {
    const args = ["-t", "s/V", "-V", version, "-q", "2", "-C", "1", "-F", "%p %q"];
    const subscriber = await startSubscribed([...at, ...args]);
    await publish("s/V", version, "-V", "5", "-q", "2");
    assert.equal((await subscriber.ended).stdout, `${version} 2\n`);
  }
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`${signal} ends with DISCONNECT and 0: the will stays unsaid`, { skip }, async () => {
    const will = ["--will-topic", `s/will/${signal}`, "--will-payload", "wrong"];
    const watcher = await startSubscribed([...at, "-t", `s/will/${signal}`, "-W", "2"]);
    const subscriber = await startSubscribed([...at, "-t", "s/signal", ...will]);
    subscriber.child.kill(signal);
    assert.equal((await subscriber.ended).code, 0);
    assert.match(subscriber.stderr, /sent DISCONNECT/);
    assert.deepEqual([(await watcher.ended).stdout, (await watcher.ended).code], ["", 27]);
  });
}

test("-C 1 in the middle of a flood ends at once, and the will stays unsaid", {
  skip,
}, async () => {
  const will = ["--will-topic", "s/will/flood", "--will-payload", "wrong"];
  const watcher = await startSubscribed([...at, "-t", "s/will/flood", "-C", "1", "-W", "4"]);
  const flood = start("tpublish", [
    ...at,
    "-t",
    "s/flood",
    "-m",
    "x".repeat(5000),
    "--repeat",
    "1000000",
  ]);
  const subscriber = await startSubscribed([...at, "-t", "s/flood", "-C", "1", ...will]);
  const begin = Date.now();
  assert.equal((await subscriber.ended).stdout.length, 5001);
  const milliseconds = Date.now() - begin;
  flood.child.kill("SIGKILL");
  assert.ok(milliseconds < 1500, `${milliseconds} ms`);
  assert.deepEqual([(await watcher.ended).stdout, (await watcher.ended).code], ["", 27]);
});

test("a pipe that closes ends it quietly, with 0", { skip }, async () => {
  const command = `${process.execPath} src/cli/tsubscribe.ts ${at.join(" ")} -t s/pipe -i s-pipe -q 1`;
  // pipefail: the exit code is that of tsubscribe.
  const script = `set -o pipefail; ${command} | head -1`;
  const pipe = new RunningProgram("bash", ["--norc", "-c", script]);
  const publisher = start("tpublish", [
    ...[...at, "-t", "s/pipe", "-m", "x", "-q", "1"],
    ...["--repeat", "1000", "--repeat-delay", "0.05"],
  ]);
  assert.deepEqual(await pipe.ended, { code: 0, stdout: "x\n", stderr: "" });
  publisher.child.kill("SIGKILL");
});

for (const count of ["1", "2"]) {
  test(`-C ${count}: a disk that is full is told, with 1`, { skip }, async () => {
    const topic = `s/full${count}`;
    await publish(topic, "x", "-r");
    const command = `${process.execPath} src/cli/tsubscribe.ts ${at.join(" ")} -t ${topic} -C ${count} -W 20`;
    const program = new RunningProgram("bash", ["--norc", "-c", `${command} > /dev/full`]);
    const { code, stderr } = await program.ended;
    assert.match(stderr, /^tsubscribe: what came .* stdout: no space left on the disk\n$/);
    assert.equal(code, 1);
  });
}

test("a reader that is slow slows it down, and loses nothing", { skip }, async () => {
  const count = 20_000;
  const command = `${process.execPath} src/cli/tsubscribe.ts ${at.join(" ")} -d -t s/slow -q 1 -C ${count}`;
  const pipe = new RunningProgram("bash", ["--norc", "-c", `${command} | (sleep 1; wc -l)`]);
  await pipe.saw("subscribed\n");
  const lines = "a line that is long enough to fill the buffer of a pipe soon\n".repeat(count);
  await run("tpublish", [...at, "-t", "s/slow", "-q", "1", "-l"], { stdin: lines });
  assert.equal((await pipe.ended).stdout.trim(), String(count));
});
