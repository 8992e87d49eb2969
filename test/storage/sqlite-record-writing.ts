/**
 * A process for `sqlite-records.test.ts` to kill: opens the folder named as its argument, writes records in pairs while batches are
 * committed as well, takes a pair away now and then, and prints a line for each write that was answered.
 */
import { writeSync } from "node:fs";
import { silentLog } from "../../src/base/index.ts";
import { openSqliteStorage } from "../../src/storage/index.ts";
import { rowsFrom, sessionWithRows } from "./sqlite-folder.ts";

const [folder, startText] = process.argv.slice(2);
const options = { durability: "os", log: silentLog, holder: "a process to be killed" } as const;
const storage = await openSqliteStorage({ folder, ...options });
const { queueLast, messageLast } = await storage.restore();
if (queueLast === 0) await storage.commit(sessionWithRows(0));

for (let round = 1; ; round++) {
  const number = Number(startText) + round;
  if (round % 5 === 0) writeSync(1, `removing ${number - 2}\n`);
  const batch = storage.commit(rowsFrom(messageLast + round * 10, 10));
  const value = round % 5 === 0 ? undefined : `${number}`;
  const target = round % 5 === 0 ? number - 2 : number;
  await storage.writeRecords([
    { kind: "left", name: `${target}`, value },
    { kind: "right", name: `${target}`, value },
  ]);
  writeSync(1, `${value === undefined ? "removed" : "kept"} ${target}\n`);
  await batch;
}
