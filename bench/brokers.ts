/**
 * Starts tStack and its peers, each alone on the broker's core: with all threads, tStack's storage worker among them.
 * tStack runs with users and rights as in service, with all of its limits and counters, and with storage on disk, fsync
 * as by default; the peers run as they come, anonymous, with their own limits out of the way.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { argon2Sync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { debianEnvironment } from "../scripts/debian-packages.ts";
import { brokerCore, rights, user } from "./settings.ts";

export const brokerNames = ["tStack", "nats-server", "mosquitto", "aedes"] as const;
export type BrokerName = (typeof brokerNames)[number];

export interface RunningProgram {
  readonly port: number;
  /** Of tStack only. */
  readonly webSocketPort: number;
  readonly process: ChildProcess;
  readonly pid: number;
  /** From its start until it listened. */
  readonly startMilliseconds: number;
  /** With SIGKILL. */
  stop(): Promise<void>;
}

export interface RunningBroker extends RunningProgram {
  readonly name: BrokerName;
}

interface Ports {
  readonly mqtt: number;
  readonly webSocket: number;
}

const root = join(import.meta.dirname, "..");
const startMilliseconds = 20_000;
/** For what a broker does after it has begun to listen. */
const settleMilliseconds = 500;
/** As many open files as this machine allows: 15,000 connections are more than the usual limit. */
const withManyFiles = ["sh", "-c", 'ulimit -n "$(ulimit -H -n)"; exec "$@"', "sh"] as const;

export interface BrokerOptions {
  /** They stand before the file of a broker that runs in Node. */
  readonly nodeArguments?: readonly string[];
  /** Lines of its configuration, besides those with which it always starts. */
  readonly configuration?: readonly string[];
  /** What the user may do on tStack; undefined lets everybody in, with no users at all. */
  readonly rights?: readonly string[] | undefined;
  /** Where tStack keeps what it must; by default in a folder of its own that goes when it is stopped. */
  readonly data?: string;
}

export async function startBroker(
  name: BrokerName,
  folder: string,
  { nodeArguments = [], configuration = [], data, ...others }: BrokerOptions = {},
): Promise<RunningBroker> {
  const granted = "rights" in others ? others.rights : rights;
  const own = data ?? mkdtempSync(join(folder, "data-"));
  const program = await startProgram(name, (ports) =>
    commandOf(name, { ports, folder, nodeArguments, configuration, data: own, granted }),
  );
  const stop = async (): Promise<void> => {
    await program.stop();
    if (data === undefined) rmSync(own, { recursive: true, force: true });
  };
  return { name, ...program, stop };
}

/** Starts what `commandFor` these ports says on the broker's core, and waits until it listens. */
export async function startProgram(
  name: string,
  commandFor: (ports: Ports) => readonly string[],
): Promise<RunningProgram> {
  const ports = { mqtt: await findFreePort(), webSocket: await findFreePort() };
  const command = [...withManyFiles, "taskset", "-c", brokerCore, ...commandFor(ports)];
  const [program, ...parameters] = command;
  const startedAt = performance.now();
  const child = spawn(program, parameters, {
    cwd: root,
    env: debianEnvironment,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  // Not even an interrupted benchmark leaves one running: it would disturb the next.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  let complaint = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  if (child.pid === undefined || !(await isListening(child, ports.mqtt))) {
    throw new Error(`${name} does not start: ${complaint}`);
  }
  const startMilliseconds = performance.now() - startedAt;
  await sleep(settleMilliseconds);
  // Where somebody else took the port first, what listens there is theirs.
  if (child.exitCode !== null) throw new Error(`${name} has ended: ${complaint}`);
  return {
    port: ports.mqtt,
    webSocketPort: ports.webSocket,
    process: child,
    pid: child.pid,
    startMilliseconds,
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Runs `work` with these brokers, and stops them however it ends. */
export async function withBrokers<Result>(
  names: readonly BrokerName[],
  folder: string,
  work: (brokers: ReadonlyMap<BrokerName, RunningBroker>) => Promise<Result>,
): Promise<Result> {
  const brokers = new Map<BrokerName, RunningBroker>();
  try {
    for (const name of names) brokers.set(name, await startBroker(name, folder));
    return await work(brokers);
  } finally {
    for (const broker of brokers.values()) await broker.stop();
  }
}

interface Start {
  readonly ports: Ports;
  readonly folder: string;
  readonly nodeArguments: readonly string[];
  readonly configuration: readonly string[];
  readonly data: string;
  readonly granted: readonly string[] | undefined;
}

function commandOf(name: BrokerName, start: Start): readonly string[] {
  const { ports, folder } = start;
  const node = [process.execPath, ...start.nodeArguments];
  const file = join(folder, `${name}-${ports.mqtt}.conf`);
  switch (name) {
    case "tStack":
      writeFileSync(file, configureTstack(start));
      return [...node, "src/cli/tserve.ts", "--config", file];
    case "aedes":
      return [...node, "bench/peers/aedes.ts", String(ports.mqtt)];
    case "mosquitto":
      writeFileSync(file, configureMosquitto(start));
      return ["mosquitto", "-c", file];
    case "nats-server":
      writeFileSync(file, configureNats(ports, folder));
      return ["nats-server", "-c", file];
  }
}

/**
 * The cheapest argon2id hash there is: thousands of clients come at once, and what a password costs is not what is
 * measured here.
 */
function hashCheaply(password: string): string {
  const nonce = Buffer.from("benchmark");
  const cost = { memory: 8, passes: 1, parallelism: 1, tagLength: 32 };
  const tag = argon2Sync("argon2id", { message: password, nonce, ...cost });
  const [salt, hash] = [nonce, tag].map((bytes) => bytes.toString("base64").replace(/=+$/, ""));
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${salt}$${hash}`;
}

function configureTstack({ ports, data, configuration, granted }: Start): string {
  const users = [
    "users:",
    `  - name: ${user.name}`,
    `    passwordHash: ${hashCheaply(user.password)}`,
    `    rights: ${JSON.stringify(granted)}`,
  ];
  return [
    `listen: ["mqtt://127.0.0.1:${ports.mqtt}", "ws://127.0.0.1:${ports.webSocket}/mqtt"]`,
    "logLevel: error",
    `data: ${JSON.stringify(data)}`,
    ...(granted === undefined ? [] : users),
    ...configuration,
    "",
  ].join("\n");
}

/** By default it holds back what exceeds 20 in flight and drops what exceeds 1,000 in the queue. */
function configureMosquitto({ ports, configuration }: Start): string {
  return [
    `listener ${ports.mqtt} 127.0.0.1`,
    "allow_anonymous true",
    "max_inflight_messages 0",
    "max_queued_messages 0",
    "set_tcp_nodelay true",
    ...configuration,
    "",
  ].join("\n");
}

/** Its MQTT wants JetStream, which keeps sessions and QoS 1 messages in files. */
function configureNats({ mqtt }: Ports, folder: string): string {
  return [
    'listen: "127.0.0.1:-1"',
    "server_name: bench",
    `jetstream { store_dir: "${folder}/jetstream-${mqtt}" }`,
    `mqtt { host: 127.0.0.1, port: ${mqtt} }`,
    "",
  ].join("\n");
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

async function isListening(child: ChildProcess, port: number): Promise<boolean> {
  const until = Date.now() + startMilliseconds;
  while (child.exitCode === null && Date.now() < until) {
    const socket = connect(port, "127.0.0.1");
    const isConnected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isConnected) return true;
    await sleep(20);
  }
  child.kill("SIGKILL");
  return false;
}

/** CPU seconds of all threads of a process, from its start. Linux counts in hundredths. */
export function readCpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** What a process has in memory, in bytes. */
export function readResidentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
}
