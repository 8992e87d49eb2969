/** The broker of tconsume is killed in the middle of a stream: nothing is missing in the database. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, readCounts, until } from "./consume-world.ts";
import { findFreePort } from "./mosquitto.ts";
import { ServeProcess } from "./tserve-process.ts";

const messages = 1000;

function missing(counts: ReadonlyMap<number, number>): number[] {
  return Array.from({ length: messages }, (_, index) => index + 1).filter(
    (value) => !counts.has(value),
  );
}

test("the broker is killed and comes back: tconsume goes on by itself, and nothing is missing", async (context) => {
  const port = await findFreePort();
  const world = new ConsumeWorld(context, port);
  const serve = () =>
    ServeProcess.start({
      yaml: `listen: [mqtt://127.0.0.1:${port}]\n`,
      data: world.file("broker"),
    });
  let broker = await serve();
  context.after(() => broker.stop());
  const database = world.file("readings.db");
  const args = ["-t", "crash/#", "--sink", "sqlite", "--sqlite-file", database];
  const consumer = await world.consuming(...args, "--batch-seconds", "0.2");
  for (const [first, last] of [
    [1, messages / 2],
    [messages / 2 + 1, messages],
  ]) {
    await publish(port, countUp("crash/x", first, last));
    await broker.stop("SIGKILL");
    broker = await serve();
  }
  await consumer.saw("tconsume: connected again");
  await until("the rest", () => missing(readCounts(database)).length === 0);
  const { code, stderr } = await interrupt(consumer);
  assert.equal(code, 0, stderr);
});
