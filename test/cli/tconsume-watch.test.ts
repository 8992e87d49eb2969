/** What tconsume tells those who watch it, before it runs and while it does. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ConsumeWorld, countUp, interrupt, publish, valuesOf } from "./consume-world.ts";
import { run } from "./programs.ts";
import { ServeProcess } from "./tserve-process.ts";

let broker: ServeProcess;

before(async () => {
  broker = await ServeProcess.start();
});
after(() => broker.stop());

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

test("--explain says of a sink that gets nothing of a message that it does", async (context) => {
  const world = new ConsumeWorld(context, 1);
  const { stdout } = await world.run("--sink", "graphite", "--explain", "site/hall/door", "open");
  assert.match(stdout, /^graphite \(.*\)\n {2}nothing: it cannot hold that\n$/m);
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

test("--metrics tells Prometheus how it stands", async (context) => {
  const world = new ConsumeWorld(context, broker.port);
  const consumer = await world.consuming("-t", "figures/#", "--metrics", "0");
  const [url] = /http:\S+/.exec(consumer.stderr) ?? [""];
  await publish(world.port, countUp("figures/x", 1, 5));
  await consumer.saw("figures/x 5\n", "stdout");
  const read = async () => (await fetch(url)).text();
  let text = await read();
  for (let again = 0; again < 1000 && !text.includes("acknowledged_total 5"); again += 1) {
    await setTimeout(10);
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
  const { code, stderr } = await consumer.ended;
  assert.equal(code, 0, stderr);
  const { stdout } = await world.run(...args, "--once");
  assert.deepEqual(
    valuesOf(stdout).map(Number),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
});
