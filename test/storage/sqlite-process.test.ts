/** The worker and the process around it: whose life holds up whose. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  type LogLine,
  makeFolder,
  numbersTo,
  openFolder,
  readPositions,
  recordLog,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

/** The worker of the next engine: nothing else shows it. */
function catchWorker(context: TestContext): () => Worker {
  const found: Worker[] = [];
  const original = Worker.prototype.postMessage;
  context.mock.method(
    Worker.prototype,
    "postMessage",
    function (this: Worker, ...given: unknown[]) {
      found.push(this);
      return Reflect.apply(original, this, given);
    },
  );
  return () => found[0];
}

const unavailable = { code: "STORAGE_UNAVAILABLE", message: /has ended by itself/ };

test("a worker that dies: what is under way and all that comes is refused, nothing hangs, nothing reported is lost", async (context) => {
  const workerOf = catchWorker(context);
  const folder = makeFolder(context);
  const lines: LogLine[] = [];
  const storage = await openFolder(context, folder, { log: recordLog(lines) });
  await storage.commit(sessionWithRows(5));
  const underWay = [storage.commit(rowsFrom(6, 20_000)), readPositions(storage)] as const;
  const ends = Promise.allSettled(underWay);
  await workerOf().terminate();
  for (const end of await ends) {
    assert.equal(end.status === "rejected" && end.reason.code, unavailable.code);
  }
  await assert.rejects(async () => storage.commit(rowsFrom(6, 1)), unavailable);
  await assert.rejects(readPositions(storage), unavailable);
  await assert.rejects(async () => storage.readUnderWay(1), unavailable);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ["error"],
  );
  await storage.close();
  const again = await openFolder(context, folder);
  const positions = await readPositions(again);
  assert.deepEqual(positions.slice(0, 5), numbersTo(5));
});

test("close finishes what was asked for, can be called again, and refuses what comes after", async (context) => {
  const folder = makeFolder(context);
  const storage = await openFolder(context, folder);
  const asked = [storage.commit(sessionWithRows(500)), readPositions(storage)] as const;
  const closed = storage.close();
  await storage.close();
  await closed;
  assert.deepEqual(await asked[0], { trimmed: [] });
  assert.equal((await asked[1]).length, 500);
  await assert.rejects(async () => storage.commit(rowsFrom(501, 1)), {
    code: "STORAGE_UNAVAILABLE",
    message: /is closed/,
  });
});

test("an engine that was asked nothing is closed", async (context) => {
  const folder = makeFolder(context);
  await (await openFolder(context, folder)).close();
  await (await openFolder(context, folder)).close();
});

const programHead = (folder: string) => `
  import { openSqliteStorage } from ${JSON.stringify(join(import.meta.dirname, "../../src/storage/index.ts"))};
  import { sessionWithRows } from ${JSON.stringify(join(import.meta.dirname, "sqlite-folder.ts"))};
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const storage = await openSqliteStorage({ folder: ${JSON.stringify(folder)}, durability: "os", log, holder: "a program" });
`;

function runProgram(folder: string, rest: string) {
  const code = `${programHead(folder)}${rest}`;
  const options = { encoding: "utf8", timeout: 20_000 } as const;
  const run = spawnSync(process.execPath, ["--input-type=module", "-e", code], options);
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}

test("an engine that nobody closes keeps no process alive, but one that somebody waits for does", async (context) => {
  const folder = makeFolder(context);
  assert.deepEqual(runProgram(folder, ""), { status: 0, output: "" });
  const rest = `storage.commit(sessionWithRows(3)).then(() => console.log("kept"));`;
  assert.deepEqual(runProgram(folder, rest), { status: 0, output: "kept\n" });
  const storage = await openFolder(context, folder);
  assert.deepEqual(await readPositions(storage), [1, 2, 3]);
});

test("an engine that is closed leaves nothing behind that keeps the process", (context) => {
  const folder = makeFolder(context);
  const rest = `await storage.commit(sessionWithRows(3)); await storage.close(); console.log("closed");`;
  assert.deepEqual(runProgram(folder, rest), { status: 0, output: "closed\n" });
});
