import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Progress } from "./progress.ts";

/** What it says within a bit more than a second. */
async function follow(isTTY: boolean, columns?: number): Promise<string> {
  const stderr = Object.assign(new PassThrough(), { isTTY, columns });
  const progress = new Progress(stderr, () => "going on");
  progress.start();
  await sleep(1300);
  progress.stop();
  return (stderr.read() as Buffer | null)?.toString() ?? "";
}

test("on a terminal one line is written over, and gone at the end", async () => {
  assert.equal(await follow(true), "\r\x1b[Kgoing on\r\x1b[K");
});

test("a line that is wider than the terminal is cut: the rest could not be written over", async () => {
  assert.equal(await follow(true, 6), "\r\x1b[Kgoing\r\x1b[K");
});

test("elsewhere nothing is said every second", async () => {
  assert.equal(await follow(false), "");
});
