/**
 * The command line of tbench: for each command its own options, and those of the other client programs for
 * the connection. Out of it comes a `Plan`; every mistake is one `UsageError` that says what to write.
 */
import { Command } from "commander";
import {
  addConnectionOptions,
  type ConnectionArguments,
  gather,
  parseArguments,
  readSeconds,
  readWhole,
  resolveConnection,
  topicFilterMistake,
  topicNameMistake,
  UsageError,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import { markBytes } from "./payload-mark.ts";
import { type BenchCommand, expandTopic, type Plan } from "./plan.ts";

interface BenchArguments extends ConnectionArguments {
  readonly clients: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly ramp?: number;
  readonly hold: number;
  /** Several for `sub`. */
  readonly topic?: string | readonly string[];
  readonly filter?: string;
  readonly share?: boolean;
  readonly size: number;
  readonly retain?: boolean;
  readonly rate?: number;
  readonly inFlight: number;
  readonly window: number;
  readonly messages?: number;
  readonly count?: number;
  readonly seconds?: number;
  readonly json?: boolean;
}

interface CommandWord {
  readonly summary: string;
  addOptions(command: Command): Command;
}

/** The most that one PUBLISH can carry, less a topic of ordinary length. */
const payloadBytesMax = 268_000_000;
const countMax = 1_000_000;
const longMax = 4_294_967_295;

const defaultSeconds = 10;

export const commandWords: Readonly<Record<BenchCommand, CommandWord>> = {
  conn: {
    summary: "open connections, hold them, and say how long each took",
    addOptions: (command) =>
      addClients(command, "connections to open", 100).option(
        "--hold <seconds>",
        "hold them so long, with keep alive",
        readSeconds("--hold"),
        1,
      ),
  },
  pub: {
    summary: "publish as fast as the broker takes it, or at a rate",
    addOptions: (command) =>
      addInFlight(addPublishing(addClients(command, "publishers", 10), "tbench/%i")),
  },
  sub: {
    summary: "subscribe, count, and check what tbench has published",
    addOptions: (command) =>
      addSeconds(addClients(command, "subscribers", 10), "end after so many seconds")
        .option(
          "-t, --topic <filter>",
          "topic filter, may be repeated (default: tbench/#)",
          gather,
          [],
        )
        .option(
          "-C, --count <messages>",
          "end after so many messages, all subscribers together",
          readWhole("-C", 1, longMax),
        ),
  },
  latency: {
    summary: "pairs of publisher and subscriber at a fixed rate: how long messages take",
    addOptions: (command) =>
      addInFlight(addPublishing(addClients(command, "pairs", 10), "tbench/RUN/%i", 100)),
  },
  fan: {
    summary: "publishers to subscribers, as fast as everything arrives, or at a rate",
    addOptions: (command) =>
      addPublishing(
        command
          .option("--publishers <count>", "publishers", readWhole("--publishers", 1, countMax), 1)
          .option(
            "--subscribers <count>",
            "subscribers",
            readWhole("--subscribers", 1, countMax),
            10,
          )
          .option("--filter <filter>", "what subscribers subscribe to (default: the topic)")
          .option("--share", "subscribers share one subscription: each message goes to one of them")
          .option(
            "--window <messages>",
            "of each publisher under way at most, until every subscriber has them",
            readWhole("--window", 1, 65_535),
            100,
          ),
        "tbench/RUN",
      ),
  },
};

function addClients(command: Command, what: string, count: number): Command {
  return command.option("-n, --clients <count>", what, readWhole("-n", 1, countMax), count);
}

function addInFlight(command: Command): Command {
  return command.option(
    "-M, --in-flight <messages>",
    "of each publisher not acknowledged at most, QoS 1 and 2",
    readWhole("-M", 1, 65_535),
    100,
  );
}

function addSeconds(command: Command, description: string): Command {
  return command.option("--seconds <seconds>", description, readSeconds("--seconds"));
}

function addPublishing(command: Command, topic: string, rate?: number): Command {
  return addSeconds(
    command,
    `end after so many seconds (default: ${defaultSeconds}, or --messages)`,
  )
    .option(
      "-t, --topic <topic>",
      `topic; %i is the client's number, %c its identifier (default: ${topic})`,
    )
    .option("-s, --size <bytes>", "of the payload", readWhole("-s", 0, payloadBytesMax), 64)
    .option("-r, --retain", "the broker keeps the last message of each topic")
    .option("--rate <messages>", "a second, of each publisher", readRate, rate)
    .option(
      "--messages <count>",
      "end after so many of each publisher",
      readWhole("--messages", 1, longMax),
    );
}

function readRate(text: string): number {
  const rate = Number(text);
  if (!/^\d*\.?\d+$/.test(text) || rate === 0 || rate > countMax) {
    throw new UsageError(
      `--rate takes messages a second, above 0 and up to ${countMax}, not "${text}"`,
    );
  }
  return rate;
}

/** Undefined where only help or the version was asked for. @throws {UsageError} */
export async function parseBenchArguments(
  word: BenchCommand,
  args: readonly string[],
  io: ProgramIo,
): Promise<Plan | undefined> {
  const parsed = parseArguments<BenchArguments>(newCommand(word), args, io);
  if (parsed === undefined) return undefined;
  const { connection, topic: urlTopic } = await resolveConnection(
    parsed,
    { name: "tb", needsVersion5: [] },
    io,
  );
  const { localAddress } = connection.endpoint;
  const topics = chooseTopics(word, parsed, urlTopic, connection.clientId);
  const plan: Plan = {
    command: word,
    connection,
    localAddresses: localAddress?.split(",") ?? [],
    ...countClients(word, parsed),
    ...topics,
    isShared: topics.filters.some(groupOf),
    qos: parsed.qos,
    retain: parsed.retain === true,
    payloadBytes: parsed.size ?? 0,
    rampPerSecond: parsed.ramp,
    holdSeconds: parsed.hold,
    inFlightMax: (word === "fan" ? parsed.window : parsed.inFlight) ?? 1,
    isClosedLoop: word === "fan" && parsed.rate === undefined,
    ratePerSecond: parsed.rate,
    messagesMax: parsed.messages,
    receivedMax: parsed.count,
    seconds: chooseSeconds(word, parsed),
    json: parsed.json === true,
  };
  checkPlan(plan);
  return plan;
}

function newCommand(word: BenchCommand): Command {
  const { summary, addOptions } = commandWords[word];
  const command = addConnectionOptions(
    addOptions(
      new Command(`tbench ${word}`)
        .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`)
        .usage("[options]")
        .optionsGroup("The load:"),
    )
      .option(
        "--ramp <clients>",
        "new connections a second (default: as fast as they are answered)",
        readRate,
      )
      .option("--json", "print the results as JSON"),
  );
  // A load never reconnects, and thousands of clients have no packets to tell one by one.
  for (const option of command.options) {
    if (option.long === "--no-reconnect" || option.long === "--debug") option.hideHelp();
    if (option.long === "--id")
      option.description = "client identifiers: this and -NUMBER, or with %i the number there";
    if (option.long === "--bind")
      option.description = "connect from this local address, or from several in turn: a,b,c";
  }
  return command;
}

function countClients(
  word: BenchCommand,
  { clients, publishers, subscribers }: BenchArguments,
): Pick<Plan, "idleCount" | "publisherCount" | "subscriberCount"> {
  const none = { idleCount: 0, publisherCount: 0, subscriberCount: 0 };
  switch (word) {
    case "conn":
      return { ...none, idleCount: clients };
    case "pub":
      return { ...none, publisherCount: clients };
    case "sub":
      return { ...none, subscriberCount: clients };
    case "latency":
      return { ...none, publisherCount: clients, subscriberCount: clients };
    case "fan":
      return { ...none, publisherCount: publishers, subscriberCount: subscribers };
  }
}

/** `runName` keeps what two runs publish apart. */
function chooseTopics(
  word: BenchCommand,
  { topic, filter, share }: BenchArguments,
  urlTopic: string | undefined,
  runName: string,
): Pick<Plan, "topic" | "filters"> {
  const given = [topic ?? []].flat();
  if (given.length === 0 && urlTopic !== undefined) given.push(urlTopic);
  switch (word) {
    case "conn":
      return { topic: "", filters: [] };
    case "pub":
      return { topic: given[0] ?? "tbench/%i", filters: [] };
    case "sub":
      return { topic: "", filters: given.length > 0 ? given : ["tbench/#"] };
    case "latency": {
      const pairs = given[0] ?? `tbench/${runName}/%i`;
      return { topic: pairs, filters: [pairs] };
    }
    case "fan": {
      const one = given[0] ?? `tbench/${runName}`;
      return { topic: one, filters: [`${share ? "$share/tbench/" : ""}${filter ?? one}`] };
    }
  }
}

/** `$share/GROUP` of a shared subscription. */
function groupOf(filter: string): string | undefined {
  return /^\$share\/[^/]*/.exec(filter)?.[0];
}

function chooseSeconds(
  word: BenchCommand,
  { seconds, messages }: BenchArguments,
): number | undefined {
  if (word === "conn" || word === "sub") return seconds;
  return seconds ?? (messages === undefined ? defaultSeconds : undefined);
}

function checkPlan(plan: Plan): void {
  const { command, topic, filters, publisherCount, connection } = plan;
  if (publisherCount > 0) {
    const mistake = topicNameMistake(expandTopic(topic, 0, connection.clientId));
    if (mistake !== undefined) throw new UsageError(`the topic "${topic}" ${mistake}`);
  }
  for (const filter of filters) {
    const mistake = topicFilterMistake(expandTopic(filter, 0, connection.clientId));
    if (mistake !== undefined) throw new UsageError(`the topic filter "${filter}" ${mistake}`);
  }
  if (new Set(filters.map(groupOf)).size > 1) {
    throw new UsageError(
      "-t: all of one $share/GROUP/, or none: else nobody knows what is to come",
    );
  }
  if (command === "latency") {
    if (!/%i/.test(topic)) throw new UsageError("-t needs a %i: each pair has its own topic");
    if (plan.payloadBytes < markBytes) {
      throw new UsageError(`-s of ${markBytes} at least: the payload carries the time`);
    }
  }
}
