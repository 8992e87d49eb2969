import assert from "node:assert/strict";
import { rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SinkRefusal, SinkUnavailable } from "../../src/sinks/index.ts";
import { mountSmallDisk } from "../storage/sqlite-folder.ts";
import { readLetters, TestSink, World } from "./consumer-world.ts";

/** Leaves no block for anybody else. */
function fill(folder: string): () => void {
  const file = join(folder, "filler");
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, Buffer.alloc(bavail * bsize));
  return () => rmSync(file);
}

const lines = (world: World, part: string) =>
  world.lines.filter((line) => line.includes(part)).length;

test("a full disk: the spool waits in memory, and nothing is missing when there is space", async (context) => {
  const folder = mountSmallDisk(context, 2);
  if (typeof folder !== "string") return context.skip(folder.why);
  const sink = Object.assign(new TestSink(), { isAway: true });
  sink.behave = () => {
    if (sink.isAway) throw new SinkUnavailable("home is away");
  };
  const limits = { batchMessagesMax: 100, pendingMessagesMax: 500 };
  const world = await World.open({ folder, sinks: { sink }, limits });
  const texts = Array.from({ length: 400 }, (_, index) => `${index} ${"x".repeat(1000)}`);
  world.take(...texts.slice(0, 200));
  await world.until(() => world.safe === 200);
  const free = fill(folder);
  world.take(...texts.slice(200));
  await world.until(() => world.sink("sink").state === "full");
  assert.match(world.sink("sink").lastError ?? "", /the disk is full: free some space/);
  assert.ok(world.safe < 400);
  free();
  await world.until(() => world.safe === 400);
  assert.equal(world.sink("sink").state, "spooling");
  assert.equal(lines(world, "disk is full"), 1);
  sink.isAway = false;
  await world.until(() => sink.has.length === 400);
  assert.deepEqual(sink.has, texts);
  await world.pipeline.close();
});

test("a full disk: dead letters wait for space, and are whole", async (context) => {
  const folder = mountSmallDisk(context, 2);
  if (typeof folder !== "string") return context.skip(folder.why);
  const sink = new TestSink();
  sink.behave = (batch) => {
    throw new SinkRefusal("no", { refused: new Map(batch.map((_, index) => [index, "no"])) });
  };
  const world = await World.open({ folder, sinks: { sink } });
  const texts = Array.from({ length: 100 }, (_, index) => `${index} ${"x".repeat(100)}`);
  world.take(...texts.slice(0, 10));
  await world.until(() => world.safe === 10);
  const free = fill(folder);
  world.take(...texts.slice(10));
  await world.until(() => lines(world, "cannot be kept") === 1);
  assert.equal(world.safe, 10);
  free();
  await world.until(() => world.safe === 100);
  assert.deepEqual(
    readLetters(folder).map(({ payload }) => payload),
    texts,
  );
  await world.pipeline.close();
});
