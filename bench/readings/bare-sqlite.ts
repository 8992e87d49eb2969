/**
 * What node:sqlite does alone, with the sink's own tables, settings and size of transactions, and rows that are ready:
 *
 *   node bench/readings/bare-sqlite.ts FILE BEFORE COUNT
 */
import { defaultPipelineLimits } from "../../src/cli/pipeline/pipeline-options.ts";
import { seriesAt, timeAt, valueAt } from "./messages.ts";
import { createReadingsFile } from "./sqlite-file.ts";

const [file, before, count] = process.argv.slice(2);
const database = createReadingsFile(file);
const [begin, commit] = ["begin immediate", "commit"].map((text) => database.prepare(text));
const insert = database.prepare(
  "insert or ignore into data (series, time, value) values (?, ?, ?)",
);

function load(from: number, to: number): void {
  for (let index = from; index < to; ) {
    const end = Math.min(index + defaultPipelineLimits.batchMessagesMax, to);
    begin.run();
    for (; index < end; index++) {
      insert.run(seriesAt(index), timeAt(index) / 1e6, valueAt(index));
    }
    commit.run();
  }
}

load(0, Number(before));
const cpuBefore = process.cpuUsage();
const startedAt = performance.now();
load(Number(before), Number(before) + Number(count));
const seconds = (performance.now() - startedAt) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
database.close();
const figures = {
  readingsPerSecond: Number(count) / seconds,
  cpuMicroseconds: (user + system) / Number(count),
};
console.log(JSON.stringify(figures));
