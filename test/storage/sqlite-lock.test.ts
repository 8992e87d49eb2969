/** Two engines never share a folder, whoever opens it; the lock goes with the one who held it, however it ended. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { test } from "node:test";
import {
  makeFolder,
  openFolder,
  readPositions,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

async function startHolder(folder: string) {
  const program = join(import.meta.dirname, "sqlite-committing.ts");
  const child = spawn(process.execPath, [program, folder, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  // It goes on writing; what it writes is taken so that it does not stop.
  child.stdout.resume();
  return child;
}

test("a folder in use by another process is refused, with the name of who has it; when that is killed it is free", async (context) => {
  const folder = makeFolder(context);
  const holder = await startHolder(folder);
  const closed = once(holder, "close");
  try {
    await assert.rejects(openFolder(context, folder), (error: Error) => {
      assert.match(
        error.message,
        /^the folder .* is in use by a process to be killed since \d{4}-\d\d-\d\dT[\d:.]+Z: stop it, or give this broker a folder of its own with --data$/,
      );
      assert.ok(error.message.includes(folder));
      assert.equal((error as Error & { code: string }).code, "STORAGE_LOCKED");
      return true;
    });
  } finally {
    holder.kill("SIGKILL");
    await closed;
  }
  const storage = await openFolder(context, folder);
  assert.equal((await storage.restore()).queueLast, 1);
});

test("a folder in use in the same process is refused, until it is closed", async (context) => {
  const folder = makeFolder(context);
  const first = await openFolder(context, folder, { holder: "the first" });
  const refused = { code: "STORAGE_LOCKED", message: /in use by the first since/ };
  await assert.rejects(openFolder(context, folder, { holder: "the second" }), refused);
  await assert.rejects(openFolder(context, join(folder, "..", basename(folder))), refused);
  await first.commit(sessionWithRows(2));
  await first.close();
  const second = await openFolder(context, folder, { holder: "the second" });
  assert.deepEqual(await readPositions(second), [1, 2]);
  await assert.rejects(openFolder(context, folder), {
    code: "STORAGE_LOCKED",
    message: /in use by the second since/,
  });
});

test("of many that open a folder at the same time one gets it", async (context) => {
  const folder = makeFolder(context);
  const attempts = await Promise.allSettled(
    Array.from({ length: 5 }, (_, index) =>
      openFolder(context, folder, { holder: `holder ${index}` }),
    ),
  );
  const reasons = attempts.flatMap((attempt) =>
    attempt.status === "rejected" ? [attempt.reason.code] : [],
  );
  assert.deepEqual(reasons, new Array(4).fill("STORAGE_LOCKED"));
});

test("whoever loses the lock file writes no more: another may have the folder", async (context) => {
  const folder = makeFolder(context);
  const first = await openFolder(context, folder);
  rmSync(join(folder, "tstack.lock"));
  const second = await openFolder(context, folder);
  await second.commit(sessionWithRows(1));
  await assert.rejects(async () => first.commit(rowsFrom(2, 1)), {
    code: "STORAGE_GONE",
    message: /tstack\.lock has vanished or was replaced/,
  });
  await second.commit(rowsFrom(2, 1));
  assert.deepEqual(await readPositions(second), [1, 2]);
});

test("two folders of one process are two", async (context) => {
  const [one, other] = [makeFolder(context), makeFolder(context)];
  const first = await openFolder(context, one);
  const second = await openFolder(context, other);
  await first.commit(sessionWithRows(1));
  await second.commit(sessionWithRows(2));
  assert.deepEqual(await readPositions(first), [1]);
  assert.deepEqual(await readPositions(second), [1, 2]);
});

test("a lock file that is none is told of, and nothing is opened", async (context) => {
  const folder = makeFolder(context);
  writeFileSync(join(folder, "tstack.lock"), "x".repeat(5000));
  await assert.rejects(openFolder(context, folder), {
    code: "STORAGE_DAMAGED",
    message: /tstack\.lock is not what tStack wrote: delete it/,
  });
});
