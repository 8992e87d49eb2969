/** tconsume and a connection that is lost while messages wait for a slow write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, readCounts, until } from "./consume-world.ts";
import { run } from "./programs.ts";
import { Relay } from "./relay.ts";
import { ServeProcess } from "./tserve-process.ts";

for (const [version, qos] of [
  ["5", 1],
  ["5", 2],
  ["311", 1],
  ["311", 2],
] as const) {
  test(`-V ${version} -q ${qos}: the connection is cut while messages wait for a slow write: none is taken twice`, async (context) => {
    const broker = await ServeProcess.start();
    context.after(() => broker.stop());
    const relay = await Relay.start(broker.port);
    context.after(() => relay.stop());
    const world = new ConsumeWorld(context, relay.port);
    const database = world.file("readings.db");
    const sink = ["--sink", "sqlite", "--sqlite-file", database, "--batch-seconds", "3"];
    const consumer = await world.consuming(
      ...["-V", version, "-q", String(qos), "-t", "crash/#", "-d", ...sink],
    );
    await publish(broker.port, countUp("crash/x", 1, 50, qos));
    const last = () => consumer.stderr.split("received PUBLISH").length - 1;
    await until("the messages", () => last() >= 50);
    relay.cut();
    await consumer.saw("connected again");
    await until("what comes again", () => last() >= 100);
    await until("the database", () => readCounts(database).size === 50);
    await interrupt(consumer);
    const counts = readCounts(database);
    assert.deepEqual([...new Set(counts.values())], [1]);
    const { stderr } = await world.run("-V", version, "-t", "crash/#", "-d", "--once", ...sink);
    assert.doesNotMatch(stderr, /received PUBLISH/, "all is acknowledged");
  });
}

test("while the pipeline has no room nothing is read, and the connection is kept alive all the same", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const few = ["--pending-messages", "10", "--batch-messages", "5", "-V", "311", "-k", "2"];
  const consumer = await world.consuming("-t", "slow/#", "-d", ...few);
  consumer.child.stdout.pause();
  const padding = "x".repeat(1000);
  const messages = countUp("slow/x", 1, 500).map(({ topic, payload }) => {
    return { topic, payload: JSON.stringify({ number: Number(payload), padding }) };
  });
  await publish(world.port, messages);
  const pings = () => consumer.stderr.split("sent PINGREQ").length - 1;
  await until("three times the keep alive", () => pings() >= 6);
  assert.doesNotMatch(consumer.stderr, /trying again/);
  consumer.child.stdout.resume();
  await consumer.saw("number=500", "stdout");
  const { code, stdout } = await interrupt(consumer);
  assert.deepEqual([code, stdout.match(/number=/g)?.length], [0, 500]);
});

test("5.0 a session that is there without its subscriptions, as after a broker's crash: they are asked for again", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const args = ["-i", "meter-1", "-t", "lost/#"];
  await interrupt(await world.consuming(...args));
  const address = ["-h", "127.0.0.1", "-p", String(broker.port), "-V", "5"];
  const session = ["-i", "meter-1", "-c", "-x", "3600"];
  const thief = await run("tsubscribe", [...address, ...session, "-U", "lost/#", "-E"]);
  assert.equal(thief.code, 0, thief.stderr);
  const consumer = await world.consuming(...args);
  await publish(world.port, countUp("lost/x", 1, 1));
  await consumer.saw("lost/x 1\n", "stdout");
  await interrupt(consumer);
});
