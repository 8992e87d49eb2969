/** Several tconsume that share the messages: each message goes to one of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConsumeWorld, countUp, interrupt, publish, until, valuesOf } from "./consume-world.ts";
import { ServeProcess } from "./tserve-process.ts";

const messages = 400;

test("two consumers of a group each get a part, together everything once", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const args = ["--share", "group", "-t", "shared/#"];
  const consumers = await Promise.all(
    ["one", "two"].map((name) => world.consuming(...args, "--data", world.file(name))),
  );
  await publish(world.port, countUp("shared/x", 1, messages));
  const values = () => consumers.flatMap(({ bytes }) => valuesOf(bytes.toString()));
  await until("all messages", () => values().length >= messages);
  const ends = await Promise.all(consumers.map(interrupt));
  for (const { code, stdout } of ends) assert.deepEqual([code, stdout === ""], [0, false]);
  assert.deepEqual(
    values()
      .map(Number)
      .sort((a, b) => a - b),
    Array.from({ length: messages }, (_, index) => index + 1),
  );
});

test("what one of them had not acknowledged when it was killed is not lost", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const args = ["--share", "group", "-t", "shared/#"];
  const slow = [...args, "--data", world.file("slow"), "--batch-seconds", "100", "-d"];
  const [quick, killed] = await Promise.all([
    world.consuming(...args, "--data", world.file("quick")),
    world.consuming(...slow),
  ]);
  await publish(world.port, countUp("shared/x", 1, messages));
  await until("its part", () => killed.stderr.includes("received PUBLISH"));
  killed.child.kill("SIGKILL");
  assert.equal((await killed.ended).stdout, "");
  const { stdout: rest } = await world.run(...slow, "--once");
  const { stdout } = await interrupt(quick);
  const values = new Set([...valuesOf(stdout), ...valuesOf(rest)]);
  assert.equal(values.size, messages);
});

test("--dry-run of a group takes nothing away from it", async (context) => {
  const broker = await ServeProcess.start();
  context.after(() => broker.stop());
  const world = new ConsumeWorld(context, broker.port);
  const args = ["--share", "group", "-t", "shared/#"];
  const consumer = await world.consuming(...args);
  const dry = await world.consuming(...args, "--dry-run");
  await publish(world.port, countUp("shared/x", 1, 20));
  await until("all", () => valuesOf(consumer.bytes.toString()).length === 20);
  await interrupt(dry);
  assert.equal((await interrupt(consumer)).code, 0);
});
