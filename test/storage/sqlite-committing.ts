/**
 * A process for `sqlite-crash.test.ts` to kill: opens the folder named as its argument, commits rows to session 1 in batches of
 * all sizes, takes the oldest away now and then, and prints a line for each commit that was answered.
 */
import { writeSync } from "node:fs";
import { silentLog } from "../../src/base/index.ts";
import { removed, rowOf } from "../../src/storage/conformance/records.ts";
import { openSqliteStorage } from "../../src/storage/index.ts";
import { rowsFrom, sessionWithRows } from "./sqlite-folder.ts";

const [folder, startText] = process.argv.slice(2);
const options = { durability: "os", log: silentLog, holder: "a process to be killed" } as const;
const storage = await openSqliteStorage({ folder, ...options });
const report = (line: string) => writeSync(1, `${line}\n`);

let last = Number(startText);
if (last === 0) await storage.commit(sessionWithRows(0));
report(`kept ${last}`);
for (let round = 1; ; round++) {
  const count = round % 7 === 0 ? 700 : round % 5;
  await storage.commit(rowsFrom(last + 1, count, 300));
  last += count;
  report(`kept ${last}`);
  if (round % 3 !== 0) continue;
  const first = last - count + 1;
  report(`removing ${first} ${last}`);
  await storage.commit(
    Array.from({ length: count }, (_, index) => removed(rowOf(1, first + index))),
  );
  report(`removed ${first} ${last}`);
}
