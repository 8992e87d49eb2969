/** Readings into SQLite: the sink, and what node:sqlite and the program sqlite3 do with the same rows and tables alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ReadingsFigures } from "../results.ts";
import type { Contestant } from "../rounds.ts";
import { readings } from "../scenarios.ts";
import type { Settings } from "../settings.ts";
import { amountsOf, runAlone, runFile, runPipeline, timeSeconds, writeLines } from "./loader.ts";
import { seriesAt, timeAt, valueAt } from "./messages.ts";
import { createReadingsFile } from "./sqlite-file.ts";

export function enterSqlite(settings: Settings): Contestant<ReadingsFigures>[] {
  const { sink, bare, program } = readings.sqlite;
  const amounts = amountsOf(settings);
  const { before, count } = amounts;
  const enter = (label: string, measure: (file: string) => Promise<ReadingsFigures>) => ({
    label,
    measure: () => withFile(settings, measure),
  });
  return [
    enter(sink, (file) => runPipeline("sqlite", { "sqlite-file": file }, settings)),
    enter(bare, (file) => runFile("bare-sqlite", [file, String(before), String(count)])),
    enter(program, async (file) => {
      const database = createReadingsFile(file);
      database.close();
      const rowAt = (index: number) =>
        `${seriesAt(index)},${timeAt(index) / 1e6},${valueAt(index)}\n`;
      await importRows(file, await writeLines(`${file}.before`, { from: 0, count: before }, rowAt));
      const rows = await writeLines(`${file}.rows`, { from: before, count }, rowAt);
      const seconds = await timeSeconds(() => importRows(file, rows));
      return { readingsPerSecond: count / seconds };
    }),
  ];
}

/** One transaction. */
async function importRows(file: string, rows: string): Promise<void> {
  const load = `.import --csv ${rows} data`;
  await runAlone(["sqlite3", "-cmd", "pragma synchronous = full", file, load]);
}

async function withFile<Result>(
  { folder }: Settings,
  work: (file: string) => Promise<Result>,
): Promise<Result> {
  const own = mkdtempSync(join(folder, "sqlite-"));
  try {
    return await work(join(own, "readings.db"));
  } finally {
    rmSync(own, { recursive: true });
  }
}
