/**
 * One tserve process with every kind of listener, for other people's clients. What a test opened through it is closed
 * with it, whether the test passed or not. All waits are bounded.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from "mqtt";
import { RunningProgram } from "../cli/programs.ts";
import { ServeProcess } from "../cli/tserve-process.ts";
import { Inbox } from "./inbox.ts";

export const versions = [
  { name: "3.1", isV5: false, options: { protocolId: "MQIsdp", protocolVersion: 3 } },
  { name: "3.1.1", isV5: false, options: { protocolId: "MQTT", protocolVersion: 4 } },
  { name: "5", isV5: true, options: { protocolId: "MQTT", protocolVersion: 5 } },
] as const;
export type Version = (typeof versions)[number];

export const transports = ["mqtt", "ws", "unix"] as const;
type TransportName = (typeof transports)[number];

export interface Client {
  readonly client: MqttClient;
  /** Of the first connection. */
  readonly connack: IConnackPacket;
  readonly inbox: Inbox;
}

interface Options {
  /** Its configuration file. */
  readonly yaml?: string;
  /** Keeps its state on disk, in a folder of its own; otherwise in memory, which is quicker. */
  readonly keeps: boolean;
}

export class BrokerProcess {
  readonly folder: string;
  /** The same across `restart`. */
  readonly port: number;
  readonly webSocketPort: number;
  #serve: ServeProcess;
  readonly #options: Options;
  readonly #clients: MqttClient[] = [];
  readonly #programs: RunningProgram[] = [];

  private constructor(serve: ServeProcess, folder: string, options: Options) {
    this.#serve = serve;
    this.#options = options;
    this.folder = folder;
    this.port = serve.port;
    this.webSocketPort = Number(/ws:\/\/127\.0\.0\.1:(\d+)/.exec(serve.output)?.[1]);
  }

  static start(yaml?: string): Promise<BrokerProcess> {
    return BrokerProcess.startWith({ yaml, keeps: false });
  }

  static async startWith(options: Options): Promise<BrokerProcess> {
    const folder = mkdtempSync(path.join(tmpdir(), "interop-"));
    const urls = ["ws://127.0.0.1:0/mqtt", socketUrl(folder)];
    return new BrokerProcess(await startServe(urls, folder, options), folder, options);
  }

  /** What it logged since its last start. */
  get log(): string {
    return this.#serve.output;
  }

  url(transport: TransportName): string {
    if (transport === "mqtt") return `mqtt://127.0.0.1:${this.port}`;
    if (transport === "ws") return `ws://127.0.0.1:${this.webSocketPort}/mqtt`;
    return `mqtt+unix://${this.folder}/tserve.sock`;
  }

  /** MQTT.js, connected; by default 3.1.1 over TCP, with a clean session and without reconnecting. */
  async connect(options: IClientOptions = {}, transport: TransportName = "mqtt"): Promise<Client> {
    const client = mqtt.connect(this.url(transport), { reconnectPeriod: 0, ...options });
    this.#clients.push(client);
    const inbox = new Inbox(client);
    const connack = await new Promise<IConnackPacket>((resolve, reject) => {
      client.once("connect", resolve);
      client.once("error", reject);
      client.once("close", () => reject(new Error("closed before CONNACK")));
    });
    client.on("error", () => undefined); // the tests ask for the end of the connection, not for its cause
    return { client, connack, inbox };
  }

  /** Another program that is a client of this broker. */
  start(command: string, args: readonly string[], stdin = ""): RunningProgram {
    const program = new RunningProgram(command, args, { stdin });
    this.#programs.push(program);
    return program;
  }

  /** Ends the broker with SIGKILL and starts another with the same options on the same ports; it remembers what it was to keep. */
  async restart(whileDown: () => Promise<void> = async () => undefined): Promise<void> {
    this.#serve.running.child.kill("SIGKILL");
    await this.#serve.running.ended;
    rmSync(`${this.folder}/tserve.sock`, { force: true });
    await whileDown();
    const urls = [this.url("mqtt"), this.url("ws"), socketUrl(this.folder)];
    this.#serve = await startServe(urls, this.folder, this.#options);
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.end(true);
    for (const { child } of this.#programs) child.kill("SIGKILL");
    await Promise.all(this.#programs.map((program) => program.ended));
    await this.#serve.stop();
    rmSync(this.folder, { recursive: true });
  }
}

function socketUrl(folder: string): string {
  return `unix://${folder}/tserve.sock`;
}

/** `ServeProcess` listens on a free TCP port besides. */
function startServe(
  urls: readonly string[],
  folder: string,
  { yaml, keeps }: Options,
): Promise<ServeProcess> {
  const args = [...urls.flatMap((url) => ["--listen", url]), "--log-format", "json"];
  return ServeProcess.start({ args, yaml, data: keeps ? path.join(folder, "data") : undefined });
}

/** Runs `use` against a broker of its own, which keeps its state in memory. */
export async function withBroker(
  use: (broker: BrokerProcess) => Promise<void>,
  yaml?: string,
): Promise<void> {
  await useAndStop(await BrokerProcess.start(yaml), use);
}

/** Runs `use` against a broker that keeps its state on disk, as users have it. */
export async function withKeepingBroker(
  use: (broker: BrokerProcess) => Promise<void>,
  yaml?: string,
): Promise<void> {
  await useAndStop(await BrokerProcess.startWith({ yaml, keeps: true }), use);
}

async function useAndStop(
  broker: BrokerProcess,
  use: (broker: BrokerProcess) => Promise<void>,
): Promise<void> {
  try {
    await use(broker);
  } finally {
    await broker.stop();
  }
}

/** A session that outlives its connection, as each version asks for it. */
export function persistent(version: Version, clientId: string): IClientOptions {
  return {
    ...version.options,
    clientId,
    clean: false,
    ...(version.isV5 ? { properties: { sessionExpiryInterval: 3600 } } : {}),
  };
}

/** Cuts the connection without DISCONNECT, as a lost network does. */
export async function cut(client: MqttClient): Promise<void> {
  const closed = new Promise<void>((resolve) => client.once("close", () => resolve()));
  client.stream.destroy();
  await closed;
}
