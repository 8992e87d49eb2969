/** A process that is killed in the middle of its commits: what it reported as kept is there, and what it did not is whole or absent. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { makeFolder, openFolder, readPositions } from "./sqlite-folder.ts";

const rounds = 12;
const millisecondsMax = 150;

/** What the process has said: every row that must be there, and those of which it did not live to hear. */
class Reported {
  readonly present = new Set<number>();
  /** Being removed when the process was killed. */
  doubtful: readonly number[] = [];
  last = 0;

  read(lines: readonly string[]): void {
    this.doubtful = [];
    for (const line of lines) {
      const [what, ...numbers] = line.split(" ");
      const [first, last] = numbers.map(Number);
      if (what === "kept") this.#keep(first);
      else if (what === "removing") this.doubtful = range(first, last);
      else {
        for (const position of range(first, last)) this.present.delete(position);
        this.doubtful = [];
      }
    }
  }

  #keep(last: number): void {
    for (const position of range(this.last + 1, last)) this.present.add(position);
    this.last = last;
  }
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** Lines of a process that is killed after some milliseconds; a line that is not complete was not said. */
async function runAndKill(folder: string, start: number, milliseconds: number) {
  const program = join(import.meta.dirname, "sqlite-committing.ts");
  const child = spawn(process.execPath, [program, folder, String(start)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const closed = once(child, "close");
  await Promise.race([once(child.stdout, "data"), closed]);
  await wait(milliseconds);
  child.kill("SIGKILL");
  const [, signal] = await closed;
  assert.equal(signal, "SIGKILL", "it went on until it was killed");
  return output.split("\n").slice(0, -1);
}

function checkTables(folder: string): void {
  const database = new DatabaseSync(join(folder, "tstack.db"), { readOnly: true });
  const one = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0];
  assert.equal(one("pragma integrity_check"), "ok");
  assert.equal(one("select count(*) from row where message not in (select id from message)"), 0);
  assert.equal(one("select count(*) from message where id not in (select message from row)"), 0);
  database.close();
}

test("killed in the middle of commits, again and again: everything reported is there", async (context) => {
  const folder = makeFolder(context);
  const reported = new Reported();
  for (let round = 0; round < rounds; round++) {
    const milliseconds = Math.random() * millisecondsMax;
    const lines = await runAndKill(folder, reported.last, milliseconds);
    reported.read(lines);
    const storage = await openFolder(context, folder);
    const positions = await readPositions(storage);
    const found = new Set(positions);
    const about = `round ${round}, killed after ${milliseconds} ms`;

    const { doubtful, last } = reported;
    const beyond = positions.filter((position) => position > last);
    for (const position of beyond) reported.present.add(position);
    reported.last = positions.at(-1) === undefined ? last : Math.max(last, ...positions);
    const kept = doubtful.filter((position) => found.has(position));
    assert.ok(kept.length === 0 || kept.length === doubtful.length, `${about}: half a batch`);
    if (kept.length === 0) for (const position of doubtful) reported.present.delete(position);
    const missing = [...reported.present].filter((position) => !found.has(position));
    assert.deepEqual(missing, [], about);
    assert.equal(found.size, reported.present.size, `${about}: nothing comes back`);
    await storage.close();
    checkTables(folder);
  }
  assert.ok(reported.present.size > 0);
});
