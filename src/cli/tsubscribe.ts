#!/usr/bin/env node
/**
 * tsubscribe: prints the messages of any MQTT broker, with the options, formats and exit codes of
 * mosquitto_sub. Data goes to stdout, talk to stderr.
 */
import { openTalk, quietly, reportFailures } from "./client/index.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { compileFormat, compilePlain } from "./subscribe/format.ts";
import { parseSubscribeOptions } from "./subscribe/options.ts";
import { Subscriber } from "./subscribe/subscriber.ts";

const name = "tsubscribe";

/** Runs tsubscribe with the arguments after its name, and returns its exit code. */
export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  return reportFailures(name, io, async () => {
    const options = await parseSubscribeOptions(args, io);
    if (options === undefined) return 0;
    const talk = openTalk(io.stderr, name, options.connection);
    const { newline, pretty, format, verbose } = options;
    const print =
      format === undefined
        ? compilePlain(verbose, newline)
        : compileFormat(format, { newline, pretty, complain: (line) => talk.say(line) });
    return quietly(talk, () => new Subscriber(options, io, { print, talk }).run());
  });
}

if (import.meta.main) await runAsProcess(run);
