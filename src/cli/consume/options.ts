/** What tconsume is asked to do: its command line, checked, with what must be read for it. */
import type { Command } from "commander";
import { TstackError } from "../../base/index.ts";
import { createDefaultMapping, type Mapping, parseMapping } from "../../readings/index.ts";
import {
  type ConnectionOptions,
  ProgramFailure,
  parseArguments,
  readOptionFile,
  resolveConnection,
  topicFilterMistake,
  topicNameMistake,
  UsageError,
} from "../client/index.ts";
import { defaultPipelineLimits, type PipelineLimits } from "../pipeline/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { type ConsumeArguments, consumeCommand, type MetricsAddress } from "./command.ts";
import { type ChosenSink, chooseSinks, loadSinkKinds } from "./sink-choice.ts";
import { statusTexts } from "./status-topic.ts";

const sessionExpirySeconds = 7 * 24 * 3600;

/** What a message goes through. */
export interface Course {
  readonly mapping: Mapping;
  readonly sinks: readonly ChosenSink[];
}

/** `--explain`. */
export interface ExplainOptions {
  readonly task: "explain";
  readonly course: Course;
  readonly topic: string;
  readonly payload: string;
}

export interface ConsumeOptions {
  readonly task: "consume" | "dry-run";
  readonly course: Course;
  /** Its client identifier is one for this time, unless `hasOwnIdentifier`. */
  readonly connection: ConnectionOptions;
  readonly hasOwnIdentifier: boolean;
  readonly topics: readonly string[];
  readonly qos: 0 | 1 | 2;
  readonly once: boolean;
  readonly dataFolder: string;
  readonly limits: PipelineLimits;
  readonly statusTopic?: string;
  readonly metrics?: MetricsAddress;
}

/** Undefined where only help or the version was asked for. @throws {ProgramFailure} */
export async function parseConsumeOptions(
  args: readonly string[],
  io: ProgramIo,
): Promise<ExplainOptions | ConsumeOptions | undefined> {
  const kinds = await loadSinkKinds();
  const command = consumeCommand(kinds);
  const parsed = parseArguments<ConsumeArguments>(command, args, io);
  if (parsed === undefined) return undefined;
  const payload = readPayloadArgument(command, parsed);
  const course = {
    mapping: await readMapping(parsed.mapping),
    sinks: await chooseSinks(parsed.sink, command, kinds, io),
  };
  if (parsed.explain !== undefined && payload !== undefined) {
    return { task: "explain", course, topic: parsed.explain, payload };
  }
  return resolveConsuming(parsed, course, io);
}

function readPayloadArgument(command: Command, { explain }: ConsumeArguments): string | undefined {
  const [payload] = command.args;
  if (explain === undefined) {
    if (payload === undefined) return undefined;
    throw new UsageError(`"${payload}" belongs to no option: quote what has spaces`);
  }
  checkTopic("--explain", explain);
  if (payload === undefined) {
    throw new UsageError("--explain takes a topic and a payload, which may be - for stdin");
  }
  return payload;
}

async function readMapping(file: string | undefined): Promise<Mapping> {
  if (file === undefined) return createDefaultMapping();
  const text = (await readOptionFile("--mapping", file)).toString();
  try {
    return await parseMapping(text, file);
  } catch (error) {
    if (!(error instanceof TstackError)) throw error;
    throw new ProgramFailure(error.message, { cause: error });
  }
}

async function resolveConsuming(
  parsed: ConsumeArguments,
  course: Course,
  io: ProgramIo,
): Promise<ConsumeOptions> {
  const { clean = false, statusTopic } = parsed;
  if (clean && parsed.sessionExpiryInterval !== undefined) {
    throw new UsageError("--clean and -x exclude each other: there is no session to keep");
  }
  if (!clean && parsed.idPrefix !== undefined) {
    throw new UsageError("-I makes a new name each time, and a session needs one that stays: -i");
  }
  if (statusTopic !== undefined && parsed.willTopic !== undefined) {
    throw new UsageError("--status-topic is a will already: leave --will-topic away");
  }
  if (statusTopic !== undefined) checkTopic("--status-topic", statusTopic);
  const version = parsed.protocolVersion ?? 5;
  const shared = { ...parsed, protocolVersion: version, disableCleanSession: false };
  const program = { name: "tconsume", needsVersion5: [] };
  const { connection, topic } = await resolveConnection(shared, program, io);
  const topics = topic === undefined ? parsed.topic : [topic, ...parsed.topic];
  const isDryRun = parsed.dryRun === true;
  return {
    task: isDryRun ? "dry-run" : "consume",
    course,
    connection: isDryRun ? connection : adaptConnection(connection, parsed),
    hasOwnIdentifier: clean || parsed.id !== undefined,
    // A part of the group's messages would never come to the others.
    topics: chooseTopics(topics, connection.username, isDryRun ? undefined : parsed.share),
    qos: parsed.qos,
    once: parsed.once === true,
    dataFolder: parsed.data,
    limits: chooseLimits(parsed),
    statusTopic,
    metrics: parsed.metrics,
  };
}

function checkTopic(flag: string, topic: string): void {
  const mistake = topicNameMistake(topic);
  if (mistake !== undefined) throw new UsageError(`${flag} "${topic}" ${mistake}`);
}

function chooseTopics(
  topics: readonly string[],
  username: string | undefined,
  group: string | undefined,
): string[] {
  const wanted = topics.length > 0 ? topics : [username === undefined ? "#" : `${username}/#`];
  return [...new Set(wanted)].map((filter) => {
    const mistake = topicFilterMistake(filter);
    if (mistake !== undefined) throw new UsageError(`-t "${filter}" ${mistake}`);
    if (group === undefined) return filter;
    if (filter.startsWith("$share/")) {
      throw new UsageError(`-t "${filter}" has a group already: leave --share away`);
    }
    const shared = `$share/${group}/${filter}`;
    if (group.includes("/") || topicFilterMistake(shared) !== undefined) {
      throw new UsageError(`--share is a word without / + and #, not "${group}"`);
    }
    return shared;
  });
}

/** The session of a consumer: kept while it is away, and with no more under way than it holds. */
function adaptConnection(
  connection: ConnectionOptions,
  { clean = false, statusTopic, pendingMessages }: ConsumeArguments,
): ConnectionOptions {
  const { properties, will } = connection;
  const payload = Buffer.from(statusTexts.offline);
  return {
    ...connection,
    clean,
    will: statusTopic === undefined ? will : { topic: statusTopic, payload, qos: 1, retain: true },
    properties: {
      ...properties,
      connect: {
        ...(clean ? {} : { sessionExpiryInterval: sessionExpirySeconds }),
        receiveMaximum: pendingMessages,
        ...properties.connect,
      },
    },
  };
}

function chooseLimits(parsed: ConsumeArguments): PipelineLimits {
  return {
    ...defaultPipelineLimits,
    batchMessagesMax: parsed.batchMessages,
    // Who waits for the end does not wait for more.
    batchMilliseconds: parsed.once ? 0 : parsed.batchSeconds * 1000,
    pendingMessagesMax: parsed.pendingMessages,
    spoolBytesMax: parsed.spoolBytes,
  };
}
