import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { hasSpool, makeFolder, readLetters } from "./consumer-world.ts";

const program = join(import.meta.dirname, "crash-child.ts");
const end = 10_000_000;

interface Life {
  readonly folder: string;
  readonly first: number;
  readonly end: number;
  readonly presence: "always" | "never" | "sometimes";
  /** SIGKILL so long after the first message was safe; it ends by itself otherwise. */
  readonly milliseconds?: number;
}

/** The first number that is not known to be safe. */
async function live(context: TestContext, life: Life): Promise<number> {
  const facts = [life.folder, String(life.first), String(life.end), life.presence];
  const child = spawn(process.execPath, [program, ...facts], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => child.kill("SIGKILL"));
  const closed = once(child, "close");
  let [safe, isToBeKilled] = [life.first, life.milliseconds !== undefined];
  for await (const line of createInterface(child.stdout)) {
    safe = Number(line);
    if (!isToBeKilled) continue;
    isToBeKilled = false;
    setTimeout(() => child.kill("SIGKILL"), life.milliseconds);
  }
  const [code, signal] = await closed;
  if (life.milliseconds === undefined) assert.deepEqual([code, signal], [0, null]);
  else assert.equal(signal, "SIGKILL");
  return safe;
}

test("killed again and again with a spool in use: what was safe is there, and in order", async (context) => {
  const folder = makeFolder(context);
  let first = 0;
  for (const presence of ["never", "sometimes", "never", "sometimes"] as const) {
    const milliseconds = 50 + Math.random() * 200;
    const before = first;
    first = await live(context, { folder, first, end, presence, milliseconds });
    context.diagnostic(`${presence} there, killed after ${milliseconds} ms: ${first} are safe`);
    assert.ok(first > before);
    assert.ok(presence === "sometimes" || hasSpool(folder, "spooled"));
  }
  const last = first + 5000;
  assert.equal(await live(context, { folder, first, end: last, presence: "always" }), last);
  const letters = readLetters(folder);
  for (const sink of ["spooled", "well"]) {
    const lines = readFileSync(join(folder, `${sink}.txt`), "utf8")
      .split("\n")
      .slice(0, -1);
    const has = [...new Set(lines.map(Number))];
    const refused = letters.filter((letter) => letter.sink === sink);
    const dead = [...new Set(refused.map(({ payload }) => Number(payload)))];
    for (const numbers of [has, dead]) {
      assert.ok(numbers.every((number, index) => index === 0 || number > numbers[index - 1]));
    }
    assert.equal(has.length + dead.length, last);
    assert.ok(dead.every((number) => number % 100 === 99));
  }
});
