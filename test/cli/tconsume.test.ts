/** tconsume against tserve: what it takes, where it puts it, what it says, and how it ends. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync } from "node:fs";
import { after, before, test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, until, valuesOf } from "./consume-world.ts";
import { run } from "./programs.ts";
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

test("the status topic is online, offline at the end, and offline by the broker where it is killed", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const status = async () => {
    const at = ["-h", "127.0.0.1", "-p", String(world.port)];
    const { stdout } = await run("tsubscribe", [...at, "-t", "status/c", "-C", "1", "-W", "10"]);
    return stdout;
  };
  const args = ["-t", "none", "--status-topic", "status/c"];
  const first = await world.consuming(...args);
  assert.equal(await status(), "online\n");
  await interrupt(first);
  assert.equal(await status(), "offline\n");
  const second = await world.consuming(...args);
  assert.equal(await status(), "online\n");
  second.child.kill("SIGKILL");
  await second.ended;
  assert.equal(await status(), "offline\n");
});

test("--explain says what becomes of a message without a broker, and 1 where it is unreadable", async (context) => {
  const world = new ConsumeWorld(context, 1);
  const { code, stdout, stderr } = await world.run("--explain", "site/hall/temp", "21.5");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    stdout,
    /^site\/hall\/temp, 4 bytes\n {2}site\/hall\/temp: value 21\.5 at .*Z\nstdout \(stdout as text\)\n {2}.* site\/hall\/temp 21\.5\n$/,
  );
  assert.ok(!existsSync(world.file("data")));
});

test("--dry-run prints what each sink would get, and neither writes nor takes anything away", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const database = world.file("readings.db");
  await world.run("-t", "dry/#", "--once");
  const sink = ["--sink", "sqlite", "--sqlite-file", database];
  const dry = await world.consuming("-t", "dry/#", "--dry-run", ...sink);
  await publish(world.port, [{ topic: "dry/\u001b[2J", payload: "7" }]);
  await dry.saw("sqlite (", "stdout");
  const { code, stdout } = await interrupt(dry);
  assert.equal(code, 0);
  assert.ok(!stdout.includes("\u001b"), "what strangers send moves no cursor");
  assert.ok(!existsSync(database));
  const { stdout: waited } = await world.run("-t", "dry/#", "--once");
  assert.deepEqual(valuesOf(waited), ["7"]);
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

test("--metrics tells Prometheus how it stands", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const consumer = await world.consuming("-t", "figures/#", "--metrics", "0");
  const [url] = /http:\S+/.exec(consumer.stderr) ?? [""];
  await publish(world.port, countUp("figures/x", 1, 5));
  await consumer.saw("figures/x 5\n", "stdout");
  const read = async () => (await fetch(url)).text();
  let text = await read();
  for (let again = 0; again < 100 && !text.includes("acknowledged_total 5"); again += 1) {
    text = await read();
  }
  for (const line of [
    "# TYPE tconsume_messages_total counter",
    "tconsume_messages_total 5",
    "tconsume_acknowledged_total 5",
    "tconsume_pending_messages 0",
    "tconsume_connected 1",
    'tconsume_sink_messages_total{sink="stdout"} 5',
    'tconsume_sink_state{sink="stdout",state="flowing"} 1',
    'tconsume_sink_state{sink="stdout",state="full"} 0',
    'tconsume_spool_messages{sink="stdout"} 0',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line}\n${text}`);
  }
  const elsewhere = await fetch(url.replace("/metrics", "/"));
  assert.equal(elsewhere.status, 404);
  assert.equal((await interrupt(consumer)).code, 0);
});

test("a reader of stdout that goes away ends it, and what was not printed stays with the broker", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const args = ["-t", "pipe/#"];
  await world.run(...args, "--once");
  const consumer = await world.consuming(...args);
  consumer.child.stdout.destroy();
  await publish(world.port, countUp("pipe/x", 1, 50));
  assert.equal((await consumer.ended).code, 0);
  const { stdout } = await world.run(...args, "--once");
  await until("the messages", () => valuesOf(stdout).length >= 1);
  assert.equal(valuesOf(stdout).at(-1), "50");
});
