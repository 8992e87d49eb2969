#!/usr/bin/env node
/**
 * tpublish: publishes messages to any MQTT broker, with the options and exit codes of mosquitto_pub.
 * It ends with 0 only if every message has been acknowledged, or at QoS 0 has left this machine.
 */
import { openTalk, quietly, reportFailures } from "./client/index.ts";
import { type ProgramIo, runAsProcess } from "./program-io.ts";
import { parsePublishOptions } from "./publish/options.ts";
import { Publisher } from "./publish/publisher.ts";

const name = "tpublish";

/** Runs tpublish with the arguments after its name, and returns its exit code. */
export function run(args: readonly string[], io: ProgramIo): Promise<number> {
  return reportFailures(name, io, async () => {
    const options = await parsePublishOptions(args, io);
    if (options === undefined) return 0;
    const talk = openTalk(io.stderr, name, options.connection);
    return quietly(talk, () => new Publisher(options, io, talk).run());
  });
}

if (import.meta.main) await runAsProcess(run);
