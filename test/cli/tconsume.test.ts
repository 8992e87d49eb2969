/** tconsume against tserve: what it takes, where it puts it, and how it ends. */
import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  ConsumeWorld,
  countUp,
  interrupt,
  publish,
  readCounts,
  valuesOf,
} from "./consume-world.ts";
import { ServeProcess } from "./tserve-process.ts";

let broker: ServeProcess;

before(async () => {
  broker = await ServeProcess.start();
});
after(() => broker.stop());

test("messages of every QoS are printed, those that are retained too, and Ctrl-C ends it with 0", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  await publish(world.port, [{ topic: "first/retained", payload: "1", retain: true }]);
  const consumer = await world.consuming("-t", "first/#", "-q", "2");
  await consumer.saw("first/retained 1\n", "stdout");
  await publish(world.port, [
    { topic: "first/a", payload: "2", qos: 0 },
    { topic: "first/b", payload: "3", qos: 1 },
    { topic: "first/c", payload: "4", qos: 2 },
  ]);
  for (const line of ["first/a 2\n", "first/b 3\n", "first/c 4\n"]) {
    await consumer.saw(line, "stdout");
  }
  const { code, stdout, stderr } = await interrupt(consumer);
  assert.deepEqual([code, valuesOf(stdout).sort()], [0, ["1", "2", "3", "4"]]);
  assert.match(
    stderr,
    /^tconsume: consumes first\/# from mqtt:\/\/127\.0\.0\.1:\d+ as tconsume-[0-9a-f]{12}, into stdout as text\n$/,
  );
});

test("what comes while it is away waits at the broker: its identifier is kept, and nobody else may read it", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  await publish(world.port, [{ topic: "away/retained", payload: "0", retain: true }]);
  await world.run("-t", "away/#", "--once");
  assert.equal(statSync(world.file("data")).mode & 0o777, 0o700);
  assert.equal(statSync(world.file("data/client-id")).mode & 0o777, 0o600);
  await publish(world.port, countUp("away/x", 1, 3));
  const { code, stdout } = await world.run("-t", "away/#", "--once");
  assert.deepEqual(
    [code, valuesOf(stdout)],
    [0, ["1", "2", "3"]],
    "and the retained message does not come again",
  );
});

test("--clean keeps nothing at the broker", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  await world.run("-t", "clean/#", "--clean", "--once");
  await publish(world.port, countUp("clean/x", 1, 3));
  const { code, stdout } = await world.run("-t", "clean/#", "--clean", "--once");
  assert.deepEqual([code, stdout], [0, ""]);
});

test("topics that are left away at the next start are given back, and new ones are asked for", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  await world.run("-t", "topics/a", "-t", "topics/b", "--once");
  await world.run("-t", "topics/b", "-t", "topics/c", "--once");
  await publish(
    world.port,
    ["a", "b", "c"].map((name) => ({ topic: `topics/${name}`, payload: `"${name}"` })),
  );
  const { stdout } = await world.run("-t", "topics/b", "-t", "topics/c", "--once");
  assert.deepEqual(valuesOf(stdout), ["b", "c"]);
});

test("--once takes all that waits, though it comes in many portions, and -W bounds it with 27", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const portions = ["-t", "once/#", "--pending-messages", "100", "--once"];
  await world.run(...portions);
  await publish(world.port, countUp("once/x", 1, 3000));
  const { code, stdout } = await world.run(...portions);
  assert.equal(code, 0);
  assert.deepEqual(
    valuesOf(stdout).map(Number),
    Array.from({ length: 3000 }, (_, index) => index + 1),
  );
  const bounded = await world.run("-t", "once/#", "-W", "0.5");
  assert.deepEqual([bounded.code, bounded.stderr.includes("timed out")], [27, true]);
});

test("several sinks each get every message", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const lines = world.file("lines.json");
  const args = ["-t", "two/#", "--sink", "stdout", "--sink", "file", "--file-path", lines];
  const consumer = await world.consuming(...args);
  await publish(world.port, countUp("two/x", 1, 20));
  await consumer.saw("two/x 20\n", "stdout");
  const { stdout } = await interrupt(consumer);
  assert.equal(valuesOf(stdout).length, 20);
  assert.equal(readFileSync(lines, "utf8").trim().split("\n").length >= 20, true);
});

test("| head -1: it ends with 0 and without a word, and what was not printed comes the next time", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const consumer = await world.consuming("-t", "head/#");
  await publish(world.port, countUp("head/x", 1, 1));
  await consumer.saw("head/x 1\n", "stdout");
  consumer.child.stdout.destroy();
  await publish(world.port, countUp("head/x", 2, 2));
  const { code, stderr } = await consumer.ended;
  assert.equal(code, 0);
  assert.match(stderr, /^tconsume: consumes .*\n$/);
  const { stdout } = await world.run("-t", "head/#", "--once");
  assert.deepEqual(valuesOf(stdout), ["2"]);
});

for (const once of [["-q", "0"], ["--clean"]]) {
  test(`${once.join(" ")}: what came before the broker went is written at the end, for it does not come again`, async (context) => {
    const mortal = await ServeProcess.start();
    context.after(() => mortal.stop());
    const world = new ConsumeWorld(context, mortal.port);
    const database = world.file("readings.db");
    const slow = ["--sink", "sqlite", "--sqlite-file", database, "--batch-seconds", "20"];
    const consumer = await world.consuming("-t", "last/#", ...once, ...slow, "-d");
    await publish(world.port, countUp("last/x", 1, 1));
    await consumer.saw("received PUBLISH");
    await mortal.stop("SIGKILL");
    await consumer.saw("trying again");
    const { code, stderr } = await interrupt(consumer);
    assert.equal(code, 0, stderr);
    assert.deepEqual([...readCounts(database).keys()], [1]);
  });
}
