/** The command line of tconsume: its own options, those of every sink, and the shared ones with a consumer's defaults. */
import { Command, Option } from "commander";
import { parseBytes, type SinkKind } from "../../sinks/index.ts";
import {
  addConnectionOptions,
  type ConnectionArguments,
  gather,
  readSeconds,
  readWhole,
  UsageError,
} from "../client/index.ts";
import { defaultPipelineLimits } from "../pipeline/index.ts";
import { describeSinks, hideOptionsOfOthers } from "./sink-help.ts";

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConsumeArguments extends ConnectionArguments {
  readonly topic: readonly string[];
  readonly share?: string;
  readonly clean?: boolean;
  readonly sink: readonly string[];
  readonly mapping?: string;
  readonly data: string;
  readonly batchMessages: number;
  readonly batchSeconds: number;
  readonly pendingMessages: number;
  readonly spoolBytes: number;
  readonly once?: boolean;
  readonly explain?: string;
  readonly dryRun?: boolean;
  readonly statusTopic?: string;
  readonly metrics?: MetricsAddress;
}

/** Receive Maximum has two bytes. (5.0, section 3.1.2.11.3) */
const pendingMessagesMost = 65_535;
const batchMessagesMost = 100_000;
const nothing: readonly string[] = [];

export function consumeCommand(kinds: readonly SinkKind[]): Command {
  const command = new Command("tconsume")
    .description(describeSinks(kinds))
    .usage("[--sink name] [options], or tconsume query ...")
    .argument("[payload]", "of --explain: a text, or - for what comes on stdin");
  addOwnOptions(command);
  for (const { name, summary, options } of kinds) {
    command.optionsGroup(`--sink ${name}: ${summary}`);
    for (const { flags, description, environment } of options) {
      const variable = environment === undefined ? "" : ` (or the variable ${environment})`;
      command.option(flags, description + variable);
    }
  }
  adaptConnectionOptions(addConnectionOptions(command));
  hideOptionsOfOthers(command, kinds);
  return command;
}

function addOwnOptions(command: Command): void {
  const { batchMessagesMax, batchMilliseconds, pendingMessagesMax, spoolBytesMax } =
    defaultPipelineLimits;
  command
    .optionsGroup("The messages:")
    .option(
      "-t, --topic <filter>",
      "take these (default: USERNAME/#, or # without a user name)",
      gather,
      nothing,
    )
    .option(
      "--share <group>",
      "share them with the other consumers of this group: each gets a part",
    )
    .option("--mapping <file>", "how topics and payloads become readings (default: as they look)")
    .optionsGroup("Where they go:")
    .option("--sink <name>", "a destination, also several times (default: stdout)", gather, nothing)
    .option("--data <folder>", "what must outlive this program", "tconsume-data")
    .addOption(
      new Option("--spool-bytes <size>", "for what a sink that is away does not take, each")
        .argParser(readBytes("--spool-bytes"))
        .default(spoolBytesMax, "1 GiB"),
    )
    .option(
      "--batch-messages <count>",
      "at most so many in one write",
      readWhole("--batch-messages", 1, batchMessagesMost),
      batchMessagesMax,
    )
    .option(
      "--batch-seconds <seconds>",
      "wait so long for more before a write",
      readSeconds("--batch-seconds"),
      batchMilliseconds / 1000,
    )
    .option(
      "--pending-messages <count>",
      "at most so many in memory",
      readWhole("--pending-messages", 1, pendingMessagesMost),
      pendingMessagesMax,
    )
    .optionsGroup("To look before:")
    .option(
      "--explain <topic>",
      "with a payload behind it: say what becomes of this message, without a broker",
    )
    .option("--dry-run", "say what becomes of each message that comes, and write nothing")
    .optionsGroup("While it runs:")
    .option("--once", "end when all that waited at the broker is written")
    .option("--status-topic <topic>", "keep online or offline there, as a retained message")
    .option(
      "--metrics <address>",
      "serve Prometheus on this [host:]port (host: 127.0.0.1)",
      readMetricsAddress,
    )
    .option("--clean", "no session: what is published while tconsume is away is lost");
}

/** What is said and done by default is not what it is for clients that come and go. */
function adaptConnectionOptions(command: Command): void {
  const adapt = (long: string, change: (option: Option) => void) => {
    const option = command.options.find((candidate) => candidate.long === long);
    if (option === undefined) throw new Error(`there is no option ${long}`);
    change(option);
  };
  adapt("--qos", (option) => option.default(1));
  command.setOptionValueWithSource("qos", 1, "default");
  adapt("--id", (option) => {
    option.description = "client identifier (default: made up once, and kept in --data)";
  });
  adapt("--protocol-version", (option) => {
    option.description = "31, 311 or 5 (default: 5)";
  });
  adapt("--disable-clean-session", (option) => option.hideHelp()); // it is so without
  adapt("--session-expiry-interval", (option) => {
    option.description = "keep the session so long (default: 604800, a week)";
  });
}

function readBytes(flag: string) {
  return (text: string): number => {
    const bytes = parseBytes(text);
    if (bytes === undefined) {
      throw new UsageError(`${flag} is a size such as 500kB, 100MB or 2GB, not "${text}"`);
    }
    return bytes;
  };
}

function readMetricsAddress(text: string): MetricsAddress {
  const [, host, port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new UsageError(`--metrics takes a port, or host:port, as in 9090; not "${text}"`);
  }
  return { host: host?.replace(/^\[|\]$/g, "") || "127.0.0.1", port: Number(port) };
}
