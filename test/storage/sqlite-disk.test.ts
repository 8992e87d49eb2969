/** Full and read-only disks: real file systems of a few MB. */
import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  mountSmallDisk,
  numbersTo,
  openFolder,
  readPositions,
  remount,
  rowsFrom,
  sessionWithRows,
} from "./sqlite-folder.ts";

const batchRows = 500;
const messageBytes = 1000;

for (const durability of ["fsync", "os"] as const) {
  test(`a full disk, durability ${durability}: the batch is refused, nothing is lost, and there is space again`, async (context) => {
    const disk = mountSmallDisk(context, 16);
    if (typeof disk !== "string") return context.skip(disk.why);
    const ballast = join(disk, "ballast");
    writeFileSync(ballast, Buffer.alloc(8_388_608));
    const storage = await openFolder(context, join(disk, "data"), { durability });
    await storage.commit(sessionWithRows(0));

    let kept = 0;
    const next = () => rowsFrom(kept + 1, batchRows, messageBytes);
    await assert.rejects(
      async () => {
        for (;;) {
          await storage.commit(next());
          kept += batchRows;
        }
      },
      { code: "STORAGE_FULL", message: /the disk that holds .*data is full: free some space/ },
    );
    assert.ok(kept >= batchRows, "something was kept before");
    await assert.rejects(async () => storage.commit(next()), { code: "STORAGE_FULL" });
    assert.deepEqual(await readPositions(storage), numbersTo(kept));

    rmSync(ballast);
    await storage.commit(next());
    kept += batchRows;
    assert.deepEqual(await readPositions(storage), numbersTo(kept));
    await storage.close();
    const again = await openFolder(context, join(disk, "data"), { durability });
    assert.deepEqual(await readPositions(again), numbersTo(kept));
  });
}

test("a disk without room for a first database says so, and works when there is", async (context) => {
  const disk = mountSmallDisk(context, 1);
  if (typeof disk !== "string") return context.skip(disk.why);
  const ballast = join(disk, "ballast");
  assert.throws(() => writeFileSync(ballast, Buffer.alloc(2_097_152)), { code: "ENOSPC" });
  await assert.rejects(openFolder(context, join(disk, "data")), { code: "STORAGE_FULL" });
  rmSync(ballast);
  const storage = await openFolder(context, join(disk, "data"));
  await storage.commit(sessionWithRows(2));
  assert.deepEqual(await readPositions(storage), [1, 2]);
});

test("a read-only disk is no damage: the broker is told, and the data stays as it is", async (context) => {
  const disk = mountSmallDisk(context, 8);
  if (typeof disk !== "string") return context.skip(disk.why);
  const folder = join(disk, "data");
  const storage = await openFolder(context, folder);
  await storage.commit(sessionWithRows(3));
  await storage.close();
  const files = readdirSync(folder);

  remount(disk, "ro");
  for (const path of [folder, join(disk, "another")]) {
    await assert.rejects(openFolder(context, path), {
      code: "STORAGE_READ_ONLY",
      message: /may not be written .*another folder with --data/,
    });
  }
  remount(disk, "rw");
  assert.deepEqual(readdirSync(folder), files);
  const again = await openFolder(context, folder);
  assert.deepEqual(await readPositions(again), [1, 2, 3]);
});
