/** The options of tpublish, by the names of mosquitto_pub, and what contradicts what among them. */
import { Command } from "commander";
import {
  addConnectionOptions,
  type ConnectionArguments,
  type ConnectionOptions,
  parseArguments,
  readSeconds,
  readWhole,
  resolveConnection,
  topicNameMistake,
  UsageError,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";

/** Where the payloads come from. */
export type PayloadSource =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "stdin" }
  | { readonly kind: "lines" };

export interface PublishOptions {
  readonly connection: ConnectionOptions;
  readonly topic: string;
  readonly source: PayloadSource;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Messages of QoS 1 and 2 under way at most, if the broker does not ask for fewer. */
  readonly inFlightMessagesMax: number;
  readonly repeatCount: number;
  readonly repeatDelaySeconds: number;
}

interface PublishArguments extends ConnectionArguments {
  readonly topic?: string;
  readonly message?: string;
  readonly file?: string;
  readonly stdinLine?: boolean;
  readonly stdinFile?: boolean;
  readonly nullMessage?: boolean;
  readonly retain?: boolean;
  readonly maxInflight: number;
  readonly repeat?: number;
  readonly repeatDelay?: number;
}

/** Undefined where only help or the version was asked for. @throws {UsageError} */
export async function parsePublishOptions(
  args: readonly string[],
  io: ProgramIo,
): Promise<PublishOptions | undefined> {
  const parsed = parseArguments<PublishArguments>(publishCommand(), args, io);
  if (parsed === undefined) return undefined;
  const source = chooseSource(parsed);
  if (
    source.kind === "lines" &&
    (parsed.repeat !== undefined || parsed.repeatDelay !== undefined)
  ) {
    throw new UsageError("--repeat goes with -m, -f, -n or -s, not with -l");
  }
  const program = { name: "tpublish", needsVersion5: [] };
  const { connection, topic: urlTopic } = await resolveConnection(parsed, program, io);
  if (connection.properties.subscribe ?? connection.properties.unsubscribe) {
    throw new UsageError("-D subscribe and -D unsubscribe are for tsubscribe");
  }
  const topic = parsed.topic ?? urlTopic;
  if (topic === undefined) throw new UsageError("no topic: add -t topic");
  const mistake = topicNameMistake(topic);
  if (mistake !== undefined) throw new UsageError(`the topic "${topic}" ${mistake}`);
  return {
    connection,
    topic,
    source,
    qos: parsed.qos,
    retain: parsed.retain === true,
    inFlightMessagesMax: parsed.maxInflight,
    repeatCount: parsed.repeat ?? 1,
    repeatDelaySeconds: parsed.repeatDelay ?? 0,
  };
}

function publishCommand(): Command {
  const command = new Command("tpublish")
    .description("Publishes messages to an MQTT broker.")
    .usage("-t topic {-m text | -f file | -l | -s | -n} [options]")
    .optionsGroup("The message:")
    .option("-t, --topic <topic>", "topic to publish to", (text: string, before?: string) => {
      if (before !== undefined) throw new UsageError("only one -t: a message has one topic");
      return text;
    })
    .option("-m, --message <text>", "publish this text")
    .option("-f, --file <file>", "publish the content of this file")
    .option("-l, --stdin-line", "publish each line of stdin as a message")
    .option("-s, --stdin-file", "publish the whole of stdin as one message")
    .option("-n, --null-message", "publish an empty message; with -r it deletes a retained one")
    .option("-r, --retain", "the broker keeps it for later subscribers")
    .option(
      "-M, --max-inflight <count>",
      "messages of QoS 1 and 2 under way at most",
      readWhole("-M", 1, 65_535),
      20,
    )
    .option("--repeat <count>", "publish it so often", readWhole("--repeat", 1, 4_294_967_295))
    .option("--repeat-delay <seconds>", "and wait between", readSeconds("--repeat-delay"));
  return addConnectionOptions(command);
}

function chooseSource(args: PublishArguments): PayloadSource {
  const sources: PayloadSource[] = [];
  if (args.message !== undefined) sources.push({ kind: "text", text: args.message });
  if (args.file !== undefined) sources.push({ kind: "file", file: args.file });
  if (args.stdinLine) sources.push({ kind: "lines" });
  if (args.stdinFile) sources.push({ kind: "stdin" });
  if (args.nullMessage) sources.push({ kind: "text", text: "" });
  if (sources.length === 0) {
    throw new UsageError("no message: add -m text, -f file, -l, -s, or -n");
  }
  if (sources.length > 1) throw new UsageError("only one of -m, -f, -l, -s and -n");
  return sources[0];
}
