#!/usr/bin/env node
/**
 * tconsume: takes the messages of any MQTT broker and writes them to sinks, each at least once: a message is acknowledged
 * when every sink has it. `tconsume query` asks the SQLite sink's database.
 */
import { openTalk, quietly, reportFailures } from "./client/index.ts";
import { consume } from "./consume/consume.ts";
import { explain } from "./consume/explain.ts";
import { parseConsumeOptions } from "./consume/options.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";

const name = "tconsume";

/** Runs tconsume with the arguments after its name, and returns its exit code. */
export async function run(args: readonly string[], io: ProgramIo): Promise<number> {
  if (args[0] === "query") {
    const { runQuery } = await import("./query/query.ts");
    return runQuery(args.slice(1), io);
  }
  return reportFailures(name, io, async () => {
    const options = await parseConsumeOptions(args, io);
    if (options === undefined) return 0;
    if (options.task === "explain") return explain(options, io);
    const talk = openTalk(io.stderr, name, options.connection);
    return quietly(talk, () => consume(options, io));
  });
}

if (import.meta.main) await runAsProcess(run);
