#!/usr/bin/env node
/**
 * tmonitor: publishes the state of this machine to any MQTT broker, one number a topic, until it is told to end.
 * Signals end it with 0, after it has said that it goes.
 */
import { openTalk, quietly, reportFailures } from "./client/index.ts";
import { Monitor } from "./monitor/monitor.ts";
import { parseMonitorOptions } from "./monitor/options.ts";
import { removeFromHomeAssistant } from "./monitor/removal.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";

const name = "tmonitor";

/** Runs tmonitor with the arguments after its name, and returns its exit code. */
export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  return reportFailures(name, io, async () => {
    const options = await parseMonitorOptions(args, io);
    if (options === undefined) return 0;
    const talk = openTalk(io.stderr, name, options.connection);
    return quietly(talk, () =>
      options.homeAssistantRemove
        ? removeFromHomeAssistant(options, io, talk)
        : new Monitor(options, io, talk).run(),
    );
  });
}

if (import.meta.main) await runAsProcess(run);
