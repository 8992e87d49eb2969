/**
 * From what the command line says to what a connection needs: URL, environment, files and prompt are
 * asked here, in this order of weight: option, URL, environment, settings file. Contradictions end as `UsageError`.
 */
import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { ProgramIo } from "../program-io.ts";
import { findSettingsFile, readSettings, type Settings } from "../settings-file.ts";
import { type BrokerUrl, parseBrokerUrl, type Scheme } from "./broker-url.ts";
import type { ConnectionArguments } from "./command-line.ts";
import { describeSystemError, ProgramFailure, UsageError } from "./failure.ts";
import { type PropertiesByPacket, parseProperties } from "./properties.ts";
import { topicNameMistake } from "./topic-filter.ts";

export interface TlsFiles {
  readonly ca?: readonly Buffer[];
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly insecure: boolean;
  readonly alpn?: string;
}

/** Where the broker is, and how to get there. */
export interface Endpoint {
  readonly scheme: Scheme;
  readonly host: string;
  readonly port: number;
  readonly path?: string;
  readonly localAddress?: string;
  readonly tls: TlsFiles;
}

export interface Will {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
}

export interface ConnectionOptions {
  readonly endpoint: Endpoint;
  readonly protocolVersion: 3 | 4 | 5;
  readonly clientId: string;
  readonly clean: boolean;
  readonly keepAliveSeconds: number;
  readonly username?: string;
  readonly password?: string;
  readonly will?: Will;
  readonly properties: PropertiesByPacket;
  readonly reconnect: boolean;
  readonly timeOutSeconds?: number;
  readonly debug: boolean;
  readonly quiet: boolean;
}

const sessionNeverExpires = 4_294_967_295;
const defaultPorts: Readonly<Record<Scheme, number>> = {
  mqtt: 1883,
  mqtts: 8883,
  ws: 80,
  wss: 443,
  unix: 0,
};

/** `topic` is the one of `-L`, for the program whose topics these options do not know. */
export interface ResolvedConnection {
  readonly connection: ConnectionOptions;
  readonly topic?: string;
}

/** @param needsVersion5 the program's own options that exist in MQTT 5 only, as the user wrote them. */
export async function resolveConnection(
  args: ConnectionArguments,
  program: { readonly name: string; readonly needsVersion5: readonly string[] },
  io: ProgramIo,
): Promise<ResolvedConnection> {
  if (args.url !== undefined && (args.host !== undefined || args.unix !== undefined)) {
    throw new UsageError("the broker is given twice: -L, or -h and --unix");
  }
  const settings = await findSettings(args, program.name, io);
  const url = findUrl(args, settings, io);
  const properties = parseProperties(args.property);
  const protocolVersion = chooseVersion(args, program.needsVersion5);
  if (protocolVersion === 5) applySessionExpiry(args, properties);
  const endpoint = await resolveEndpoint(args, url, settings);
  const username =
    args.username ?? url?.username ?? io.environment.TSTACK_USERNAME ?? settings.username;
  // The password of the file belongs to its user, and to nobody else.
  const kept = username === settings.username ? settings.password : undefined;
  const password = (await findPassword(args, url, io)) ?? kept;
  if (password !== undefined && username === undefined && protocolVersion < 5) {
    throw new UsageError("a password needs a user name before MQTT 5: add -u name, or -V 5");
  }
  return {
    topic: args.url === undefined ? undefined : url?.topic,
    connection: {
      endpoint,
      protocolVersion,
      clientId: chooseClientId(args, program.name),
      clean: args.disableCleanSession !== true,
      keepAliveSeconds: args.keepalive,
      username,
      password,
      will: resolveWill(args),
      properties,
      reconnect: args.reconnect,
      timeOutSeconds: args.timeout,
      debug: args.debug === true,
      quiet: args.quiet === true,
    },
  };
}

/** The settings file, unless something else names the broker: its credentials are for no other one. */
async function findSettings(
  { settings, url, host, unix, quiet }: ConnectionArguments,
  programName: string,
  io: ProgramIo,
): Promise<Settings> {
  const isNamed = url !== undefined || host !== undefined || unix !== undefined;
  if (isNamed && settings !== undefined) {
    throw new UsageError("the broker is given twice: --settings, or -L, -h and --unix");
  }
  if (isNamed || (settings === undefined && io.environment.TSTACK_BROKER)) return {};
  const file = await findSettingsFile(settings, io);
  if (file === undefined) return {};
  return readSettings(file, (line) => {
    if (!quiet) io.stderr.write(`${programName}: warning: ${line}\n`);
  });
}

function findUrl(
  args: ConnectionArguments,
  { broker }: Settings,
  io: ProgramIo,
): BrokerUrl | undefined {
  if (args.unix !== undefined) return parseBrokerUrl(`unix://${path.resolve(args.unix)}`);
  if (args.url !== undefined) return parseBrokerUrl(args.url);
  // The credentials of one broker are not for another: a host on the command line sets it all aside.
  if (args.host !== undefined) return undefined;
  if (broker !== undefined) return parseBrokerUrl(broker);
  const fromEnvironment = io.environment.TSTACK_BROKER;
  if (!fromEnvironment || args.settings !== undefined) return undefined;
  try {
    return parseBrokerUrl(fromEnvironment);
  } catch (error) {
    throw new UsageError(`TSTACK_BROKER: ${(error as Error).message}`, { cause: error });
  }
}

function chooseVersion(args: ConnectionArguments, needed: readonly string[]): 3 | 4 | 5 {
  const reasons = [...needed];
  if (args.property.length > 0) reasons.push("-D");
  if (args.sessionExpiryInterval !== undefined) reasons.push("-x");
  const version = args.protocolVersion ?? (reasons.length > 0 ? 5 : 4);
  if (version < 5 && reasons.length > 0) {
    throw new UsageError(`${reasons.join(" and ")} exists in MQTT 5 only: leave -V away, or -V 5`);
  }
  return version;
}

function applySessionExpiry(args: ConnectionArguments, properties: PropertiesByPacket): void {
  const seconds =
    args.sessionExpiryInterval ?? (args.disableCleanSession ? sessionNeverExpires : undefined);
  if (seconds === undefined) return;
  properties.connect ??= {};
  properties.connect.sessionExpiryInterval ??= seconds;
}

function chooseClientId(args: ConnectionArguments, programName: string): string {
  if (args.id !== undefined && args.idPrefix !== undefined) {
    throw new UsageError("-i and -I exclude each other");
  }
  if (args.disableCleanSession && args.id === undefined) {
    throw new UsageError("-c keeps a session, which needs a name: add -i id");
  }
  if (args.id !== undefined) return args.id;
  if (args.idPrefix !== undefined) return args.idPrefix + String(process.pid);
  // 23 characters at most, the most that every broker of MQTT 3.1 must take. [MQTT-3.1.3-5]
  return `${programName}-${randomBytes(6).toString("hex")}`;
}

function resolveWill(args: ConnectionArguments): Will | undefined {
  if (args.willTopic === undefined) {
    if (args.willPayload !== undefined || args.willQos !== undefined || args.willRetain) {
      throw new UsageError("a will needs a topic: add --will-topic");
    }
    return undefined;
  }
  const mistake = topicNameMistake(args.willTopic);
  if (mistake !== undefined) throw new UsageError(`--will-topic "${args.willTopic}" ${mistake}`);
  return {
    topic: args.willTopic,
    payload: Buffer.from(args.willPayload ?? ""),
    qos: args.willQos ?? 0,
    retain: args.willRetain === true,
  };
}

async function findPassword(
  args: ConnectionArguments,
  url: BrokerUrl | undefined,
  io: ProgramIo,
): Promise<string | undefined> {
  if (args.askPassword || args.password === "-") return askPassword(io);
  if (args.password !== undefined) return args.password;
  if (args.passwordFile !== undefined) {
    const [line] = (await readOptionFile("--password-file", args.passwordFile))
      .toString()
      .split(/\r?\n/, 1);
    return line;
  }
  return url?.password ?? io.environment.TSTACK_PASSWORD;
}

async function askPassword(io: ProgramIo): Promise<string> {
  try {
    return await io.askSecret("Password: ");
  } catch (error) {
    const reason = `no password, ${(error as Error).message}`;
    throw new ProgramFailure(`${reason}: try --password-file or TSTACK_PASSWORD`, { cause: error });
  }
}

async function resolveEndpoint(
  args: ConnectionArguments,
  url: BrokerUrl | undefined,
  settings: Settings,
): Promise<Endpoint> {
  if ((args.cert === undefined) !== (args.key === undefined)) {
    throw new UsageError("--cert and --key belong together");
  }
  const tls = await readTlsFiles(args, settings);
  const port = args.port ?? url?.port;
  const wantsTls =
    args.cafile !== undefined ||
    args.capath !== undefined ||
    args.cert !== undefined ||
    args.insecure === true ||
    (url === undefined && port === 8883);
  const scheme = chooseScheme(url?.scheme ?? "mqtt", wantsTls);
  return {
    scheme,
    host: url?.host ?? args.host ?? "localhost",
    port: port ?? defaultPorts[scheme],
    path: url?.path,
    localAddress: args.bind,
    tls,
  };
}

function chooseScheme(scheme: Scheme, wantsTls: boolean): Scheme {
  if (!wantsTls || scheme === "unix") return scheme;
  return scheme === "ws" || scheme === "wss" ? "wss" : "mqtts";
}

async function readTlsFiles(
  args: ConnectionArguments,
  { cacertfile, verifytls }: Settings,
): Promise<TlsFiles> {
  const ca: Buffer[] = [];
  const isOwnCa = args.cafile !== undefined || args.capath !== undefined;
  if (cacertfile !== undefined && !isOwnCa) ca.push(await readOptionFile("cacertfile", cacertfile));
  if (args.cafile !== undefined) ca.push(await readOptionFile("--cafile", args.cafile));
  if (args.capath !== undefined) {
    const names = await attempt("--capath", args.capath, readdir(args.capath));
    for (const name of names) {
      if (/\.(crt|pem)$/.test(name)) {
        ca.push(await readOptionFile("--capath", path.join(args.capath, name)));
      }
    }
  }
  return {
    ca: ca.length > 0 ? ca : undefined,
    cert: args.cert === undefined ? undefined : await readOptionFile("--cert", args.cert),
    key: args.key === undefined ? undefined : await readOptionFile("--key", args.key),
    insecure: args.insecure === true || verifytls === false,
    alpn: args.tlsAlpn,
  };
}

/** The bytes of the file that an option names. */
export function readOptionFile(flag: string, file: string): Promise<Buffer> {
  return attempt(flag, file, readFile(file));
}

async function attempt<Result>(
  flag: string,
  file: string,
  reading: Promise<Result>,
): Promise<Result> {
  try {
    return await reading;
  } catch (error) {
    const reason = describeSystemError(error as Error);
    throw new ProgramFailure(`${flag} ${file}: ${reason}`, { cause: error });
  }
}
