/** tconsume and a connection that is lost while messages wait for a slow write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, readCounts, until } from "./consume-world.ts";
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
