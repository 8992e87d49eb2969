/** tconsume is killed in the middle of a stream: nothing is missing in the database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, publish, readCounts, until } from "./consume-world.ts";
import { ServeProcess } from "./tserve-process.ts";

const messages = 1000;

function missing(counts: ReadonlyMap<number, number>): number[] {
  return Array.from({ length: messages }, (_, index) => index + 1).filter(
    (value) => !counts.has(value),
  );
}

for (const qos of [1, 2] as const) {
  test(`tconsume is killed again and again while messages of QoS ${qos} come: nothing is missing`, async (context) => {
    const broker = await ServeProcess.start();
    context.after(() => broker.stop());
    const world = new ConsumeWorld(context, broker.port);
    const database = world.file("readings.db");
    const sink = ["--sink", "sqlite", "--sqlite-file", database, "--batch-messages", "20"];
    const args = ["-t", "crash/#", "-q", String(qos), ...sink];
    await world.run(...args, "--once");
    const published = publish(world.port, countUp("crash/x", 1, messages, qos));
    for (const share of [0.1, 0.3, 0.6]) {
      const consumer = await world.consuming(...args);
      await until("a part", () => readCounts(database).size >= messages * share);
      consumer.child.kill("SIGKILL");
      await consumer.ended;
    }
    await published;
    const { code } = await world.run(...args, "--once");
    assert.equal(code, 0);
    assert.deepEqual(missing(readCounts(database)), []);
  });
}
