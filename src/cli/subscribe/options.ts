/** The options of tsubscribe, by the names of mosquitto_sub, and what contradicts what among them. */
import { Command } from "commander";
import {
  addConnectionOptions,
  type ConnectionArguments,
  type ConnectionOptions,
  gather,
  parseArguments,
  readWhole,
  resolveConnection,
  topicFilterMistake,
  UsageError,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";

/** Which retained messages are printed; the first fresh one ends a program that wants them only. */
export type RetainedChoice = "all" | "none" | "only";

export interface SubscribeOptions {
  readonly connection: ConnectionOptions;
  readonly topics: readonly string[];
  readonly unsubscribeTopics: readonly string[];
  readonly filterOutTopics: readonly string[];
  readonly qos: 0 | 1 | 2;
  readonly messageCount?: number;
  readonly exitAfterSubscribe: boolean;
  readonly retained: RetainedChoice;
  readonly removeRetained: boolean;
  readonly retainAsPublished: boolean;
  readonly verbose: boolean;
  readonly format?: string;
  readonly newline: boolean;
  readonly pretty: boolean;
}

interface SubscribeArguments extends ConnectionArguments {
  readonly topic: readonly string[];
  readonly unsubscribe: readonly string[];
  readonly filterOut: readonly string[];
  readonly count?: number;
  readonly exitAfterSubscribe?: boolean;
  readonly freshOnly?: boolean;
  readonly retainedOnly?: boolean;
  readonly removeRetained?: boolean;
  readonly retainAsPublished?: boolean;
  readonly verbose?: boolean;
  readonly format?: string;
  readonly newline: boolean;
  readonly pretty?: boolean;
}

/** Undefined where only help or the version was asked for. @throws {UsageError} */
export async function parseSubscribeOptions(
  args: readonly string[],
  io: ProgramIo,
): Promise<SubscribeOptions | undefined> {
  const parsed = parseArguments<SubscribeArguments>(subscribeCommand(), args, io);
  if (parsed === undefined) return undefined;
  if (parsed.freshOnly && parsed.retainedOnly) {
    throw new UsageError("-R and --retained-only together leave nothing");
  }
  const needsVersion5 = parsed.retainAsPublished ? ["--retain-as-published"] : [];
  const program = { name: "tsubscribe", needsVersion5 };
  const { connection, topic: urlTopic } = await resolveConnection(parsed, program, io);
  if (connection.properties.publish !== undefined) {
    throw new UsageError("-D publish is for tpublish");
  }
  const topics = urlTopic === undefined ? parsed.topic : [urlTopic, ...parsed.topic];
  if (topics.length === 0 && parsed.unsubscribe.length === 0) {
    throw new UsageError("no topic: add -t topic, as in -t 'home/#'");
  }
  checkFilters("-t", topics);
  checkFilters("-U", parsed.unsubscribe);
  checkFilters("-T", parsed.filterOut);
  return {
    connection,
    topics,
    unsubscribeTopics: parsed.unsubscribe,
    filterOutTopics: parsed.filterOut,
    qos: parsed.qos,
    messageCount: parsed.count,
    exitAfterSubscribe: parsed.exitAfterSubscribe === true,
    retained: parsed.retainedOnly ? "only" : parsed.freshOnly ? "none" : "all",
    removeRetained: parsed.removeRetained === true,
    retainAsPublished: parsed.retainAsPublished === true,
    verbose: parsed.verbose === true,
    format: parsed.format,
    newline: parsed.newline,
    pretty: parsed.pretty === true,
  };
}

function checkFilters(flag: string, filters: readonly string[]): void {
  for (const filter of filters) {
    const mistake = topicFilterMistake(filter);
    if (mistake !== undefined) throw new UsageError(`${flag} "${filter}" ${mistake}`);
  }
}

function subscribeCommand(): Command {
  const nothing: readonly string[] = [];
  const command = new Command("tsubscribe")
    .description("Prints the messages of topics, each on a line of its own.")
    .usage("-t topic [-t topic] [options]")
    .optionsGroup("The topics:")
    .option("-t, --topic <filter>", "subscribe to this; + and # are wildcards", gather, nothing)
    .option("-T, --filter-out <filter>", "do not print these topics", gather, nothing)
    .option("-U, --unsubscribe <filter>", "unsubscribe from this (see -c)", gather, nothing)
    .option("-R, --fresh-only", "do not print retained messages")
    .option("--retained-only", "print retained messages only; end at the first other one")
    .option("--remove-retained", "delete each retained message that comes (but -T)")
    .option("--retain-as-published", "MQTT 5: keep the retain flag as the publisher set it")
    .optionsGroup("The end:")
    .option("-C, --count <count>", "end after so many messages", readWhole("-C", 1, 4_294_967_295))
    .option(
      "-E, --exit-after-subscribe",
      "end once the broker has subscribed us; with --retained-only, after the retained messages",
    )
    .optionsGroup("The output:")
    .option("-v, --verbose", "print topic and payload (default: the payload alone)")
    .option(
      "-F, --format <format>",
      String.raw`%t topic, %p payload, %x %X payload in hex, %l its length, %q QoS, %r retain, %m packet id,
%I %U time, %j JSON, %J JSON with the payload's own JSON;
MQTT 5: %P user properties, %R response topic, %D correlation data, %E expiry, %C content type,
%S subscription identifier, %A topic alias, %F payload format;
widths: %-20t %05l, cut: %.20t; time of arrival: @Y-@m-@d @H:@M:@S.@N;
\n \t \0 \e \a \r \v \\ %% @@`,
    )
    .option("-N, --no-newline", "do not end messages with a newline")
    .option("--pretty", "indent the JSON of %j and %J");
  return addConnectionOptions(command);
}
