/** The sink of SQLite, by the suite of all sinks: cut off, another program holds the file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { testSink } from "../../src/sinks/conformance/index.ts";
import { sqliteSink } from "../../src/sinks/sqlite/index.ts";
import { readRows } from "./sqlite-file.ts";

testSink(
  "sqlite",
  { timeStep: 1, keepsText: true, keepsBooleans: true, hasKey: true },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "tstack-sqlite-sink-"));
    const file = join(folder, "readings.db");
    let holder: DatabaseSync | undefined;
    return {
      sink: await sqliteSink.configure({ "sqlite-file": file }),
      readBack: async () => readRows(file),
      async interrupt() {
        holder = new DatabaseSync(file, { timeout: 5000 });
        holder.exec("begin exclusive");
      },
      async resume() {
        holder?.close();
        holder = undefined;
      },
      async end() {
        holder?.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
);
