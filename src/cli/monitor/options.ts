/** The options of tmonitor beside those of every client, and what contradicts what among them. */
import { hostname } from "node:os";
import { Command } from "commander";
import {
  addConnectionOptions,
  type ConnectionArguments,
  type ConnectionOptions,
  gather,
  parseArguments,
  readSeconds,
  resolveConnection,
  topicNameMistake,
  UsageError,
} from "../client/index.ts";
import type { ProgramIo } from "../program-io.ts";
import type { ChangeOptions } from "./change-filter.ts";
import { parseCommand } from "./command-line-words.ts";
import { reservedNames, type SourceOptions } from "./sources.ts";
import { toTopicLevel } from "./topic-level.ts";
import { readUnitName } from "./unit-source.ts";

export interface MonitorOptions {
  readonly connection: ConnectionOptions;
  /** Above all topics of this machine. */
  readonly name: string;
  readonly intervalSeconds: number;
  readonly retain: boolean;
  readonly qos: 0 | 1 | 2;
  /** One message `NAME/state` instead of one for each figure. */
  readonly json: boolean;
  readonly change?: ChangeOptions;
  readonly sources: SourceOptions;
  /** The first level of Home Assistant's topics, where it is to be told. */
  readonly homeAssistant?: string;
  readonly homeAssistantRemove: boolean;
}

interface MonitorArguments extends ConnectionArguments {
  readonly name?: string;
  readonly interval: number;
  readonly retain?: boolean;
  readonly json?: boolean;
  readonly cores?: boolean;
  readonly unit: readonly string[];
  readonly containers?: boolean;
  readonly command: readonly string[];
  readonly change?: number;
  readonly atLeast?: number;
  readonly homeAssistant?: string | true;
  readonly homeAssistantRemove?: boolean;
}

const defaultPrefix = "homeassistant";
const defaultAtLeastSeconds = 300;
const intervalSecondsMin = 1;
const listMax = 100;

/** Undefined where only help or the version was asked for. @throws {UsageError} */
export async function parseMonitorOptions(
  args: readonly string[],
  io: ProgramIo,
): Promise<MonitorOptions | undefined> {
  const parsed = parseArguments<MonitorArguments>(monitorCommand(), args, io);
  if (parsed === undefined) return undefined;
  if (parsed.willTopic !== undefined) {
    throw new UsageError("the will of tmonitor is NAME/status: leave --will-topic away");
  }
  if (parsed.interval < intervalSecondsMin) {
    throw new UsageError(`--interval is ${intervalSecondsMin} second at least`);
  }
  if (parsed.atLeast !== undefined && parsed.change === undefined) {
    throw new UsageError("--at-least goes with --change");
  }
  const sources = readSources(parsed, io);
  const program = { name: "tmonitor", needsVersion5: [] };
  const { connection, topic } = await resolveConnection(parsed, program, io);
  if (topic !== undefined) throw new UsageError("no topic in -L: the topics are below --name");
  const name = chooseName(parsed.name, connection.username);
  const will = { topic: `${name}/status`, payload: Buffer.from("offline"), qos: 1, retain: true };
  return {
    connection: { ...connection, will: { ...will, qos: 1 } },
    name,
    intervalSeconds: parsed.interval,
    retain: parsed.retain === true,
    qos: parsed.qos,
    json: parsed.json === true,
    change:
      parsed.change === undefined
        ? undefined
        : { share: parsed.change, secondsMax: parsed.atLeast ?? defaultAtLeastSeconds },
    sources,
    homeAssistant: choosePrefix(parsed),
    homeAssistantRemove: parsed.homeAssistantRemove === true,
  };
}

function monitorCommand(): Command {
  const command = new Command("tmonitor")
    .description("Publishes the state of this machine to an MQTT broker.")
    .usage("[options]")
    .optionsGroup("The figures:")
    .option("--name <name>", "topics are NAME/... (default: the user name, or the host's name)")
    .option("--interval <seconds>", "publish so often", readSeconds("--interval"), 10)
    .option("--cores", "each core of the processor too")
    .option("--unit <name>", "this unit of systemd too (may be repeated)", gather, [])
    .option("--containers", "the containers of Docker or Podman too (DOCKER_HOST)")
    .option("--command <name=program>", "what this prints: lines NAME VALUE", gather, [])
    .optionsGroup("The messages:")
    .option("--json", "one message NAME/state with all figures")
    .option("-r, --retain", "the broker keeps the figures for later subscribers")
    .option("--change <percent>", "only figures that have changed by so much", readChange)
    .option(
      "--at-least <seconds>",
      `but each so often (default: ${defaultAtLeastSeconds})`,
      readSeconds("--at-least"),
    )
    .option("--home-assistant [prefix]", `tell Home Assistant (default: ${defaultPrefix})`)
    .option("--home-assistant-remove", "take the machine away from there, and end");
  addConnectionOptions(command);
  // It has a will already, and says so to whoever asks for another one.
  for (const option of command.options) if (option.long?.startsWith("--will-")) option.hideHelp();
  return command;
}

/** `5%`, or `5`, as 0.05. */
function readChange(text: string): number {
  const percent = Number(text.replace(/%$/, ""));
  if (!/^\d*\.?\d+%?$/.test(text) || percent <= 0 || percent > 100) {
    throw new UsageError(`--change takes a percentage up to 100, as in 5%, not "${text}"`);
  }
  return percent / 100;
}

function readSources(parsed: MonitorArguments, io: ProgramIo): SourceOptions {
  const commands = parsed.command.map(parseCommand);
  const names = new Set<string>(reservedNames);
  for (const { name } of commands) {
    if (names.has(name)) throw new UsageError(`--command ${name}=...: this name is taken`);
    names.add(name);
  }
  const units = [...new Set(parsed.unit.map(readUnitName))];
  if (units.length > listMax || commands.length > listMax) {
    throw new UsageError(`more than ${listMax} of --unit or --command are too many`);
  }
  return {
    eachCore: parsed.cores === true,
    units,
    containerSocket: parsed.containers
      ? findContainerSocket(io.environment.DOCKER_HOST)
      : undefined,
    commands,
  };
}

/** A device that registered owns the topics below its user name. */
function chooseName(named: string | undefined, username: string | undefined): string {
  if (named === undefined) return toTopicLevel(username || hostname());
  const mistake =
    topicNameMistake(named) ??
    (/^[/$]|\/$/.test(named) ? "begins with $ or /, or ends with /" : undefined);
  if (mistake !== undefined) throw new UsageError(`--name "${named}" ${mistake}`);
  return named;
}

function choosePrefix(parsed: MonitorArguments): string | undefined {
  const { homeAssistant, homeAssistantRemove } = parsed;
  if (homeAssistant === undefined && !homeAssistantRemove) return undefined;
  const prefix = typeof homeAssistant === "string" ? homeAssistant : defaultPrefix;
  const mistake = topicNameMistake(prefix);
  if (mistake !== undefined) throw new UsageError(`--home-assistant "${prefix}" ${mistake}`);
  return prefix;
}

/** `unix:///run/podman/podman.sock` as DOCKER_HOST has it, or Docker's own place. */
function findContainerSocket(dockerHost: string | undefined): string {
  if (dockerHost?.startsWith("unix://")) return dockerHost.slice("unix://".length);
  return process.platform === "win32" ? "//./pipe/docker_engine" : "/var/run/docker.sock";
}
