/**
 * The whole way of a message, every part of it real and a process of its own: tserve with its folder, tconsume with its
 * own, and the databases. Each part can be killed and comes back as it was; what the broker has acknowledged is known.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type IClientOptions, MqttClient } from "mqtt";
import { findFreePort } from "../cli/mosquitto.ts";
import { RunningProgram } from "../cli/programs.ts";
import { ServeProcess } from "../cli/tserve-process.ts";
import { CarbonServer } from "../sinks/carbon-server.ts";
import { InfluxdServer } from "../sinks/influxd-server.ts";
import { PostgresServer } from "../sinks/postgres-server.ts";

const program = join(import.meta.dirname, "../../src/cli/tconsume.ts");
const database = "chain";
const pollMilliseconds = 100;
/** While its writer makes the file, or writes to it, it is locked for moments. */
const busyMilliseconds = 5000;
/** Between two messages: a stream that the kills fall into, not one that is over before. */
const paceMilliseconds = 4;

export const sinkNames = ["sqlite", "postgres", "influxdb", "graphite"] as const;
export type SinkName = (typeof sinkNames)[number];
/** By the number of the message, how often it is there. */
export type Found = ReadonlyMap<number, number>;

export class Chain {
  readonly #folder = mkdtempSync(join(tmpdir(), "tstack-chain-"));
  readonly #port: number;
  readonly carbon: CarbonServer;
  readonly influxd: InfluxdServer;
  readonly postgres: PostgresServer;
  #broker: ServeProcess | undefined;
  #consumer: RunningProgram | undefined;
  #published = 0;

  private constructor(
    port: number,
    [carbon, influxd, postgres]: [CarbonServer, InfluxdServer, PostgresServer],
  ) {
    this.#port = port;
    this.carbon = carbon;
    this.influxd = influxd;
    this.postgres = postgres;
  }

  static async start(): Promise<Chain> {
    const servers = await Promise.all([
      CarbonServer.start(),
      InfluxdServer.start(),
      PostgresServer.start(),
    ]);
    const chain = new Chain(await findFreePort(), servers);
    await chain.startBroker();
    await chain.startConsumer();
    return chain;
  }

  async startBroker(): Promise<void> {
    this.#broker = await ServeProcess.start({
      yaml: `listen:\n  - mqtt://127.0.0.1:${this.#port}\n`,
      data: join(this.#folder, "tserve"),
    });
  }

  async killBroker(): Promise<void> {
    await this.#broker?.stop("SIGKILL");
  }

  async startConsumer(): Promise<void> {
    const { carbon, influxd, postgres } = this;
    const args = [
      ...["-L", `mqtt://127.0.0.1:${this.#port}`, "-t", "chain/#", "--keepalive", "5"],
      ...["--data", join(this.#folder, "tconsume")],
      ...sinkNames.flatMap((name) => ["--sink", name]),
      ...["--sqlite-file", this.#sqliteFile],
      ...["--postgres-url", postgres.url],
      ...["--influxdb-url", influxd.url, "--influxdb-database", database],
      ...["--graphite-host", "127.0.0.1", "--graphite-port", String(carbon.port)],
    ];
    const environment = { PGPASSWORD: postgres.password };
    this.#consumer = new RunningProgram(process.execPath, [program, ...args], { environment });
    await this.#consumer.saw("consumes chain/#");
  }

  async killConsumer(): Promise<void> {
    this.#consumer?.child.kill("SIGKILL");
    await this.#consumer?.ended;
  }

  /** What tconsume has said on stderr since it was started last. */
  get said(): string {
    return this.#consumer?.stderr ?? "";
  }

  /**
   * Publishes the next `count` numbers, each to a topic of its own, with QoS 1; resolves when the broker has acknowledged
   * all. While the broker is away it waits, and sends again what was not acknowledged.
   */
  async publish(count: number): Promise<void> {
    // MQTT.js types the streams of another package, which are made after those of Node.
    const openStream = () => connect(this.#port, "127.0.0.1") as unknown as MqttClient["stream"];
    const options: IClientOptions = { clientId: `publisher-${this.#published}`, clean: false };
    const client = new MqttClient(openStream, {
      ...options,
      reconnectPeriod: 200,
    });
    client.on("error", () => undefined); // the broker is away
    try {
      const acknowledged: Promise<unknown>[] = [];
      for (let index = 0; index < count; index += 1) {
        this.#published += 1;
        const number = this.#published;
        acknowledged.push(publishUntilAcknowledged(client, number));
        await sleep(paceMilliseconds);
      }
      await Promise.all(acknowledged);
    } finally {
      await client.endAsync();
    }
  }

  /** Waits until every number is at every sink, or for so long; then what each has. */
  async arrive(secondsMax: number): Promise<ReadonlyMap<SinkName, Found>> {
    const until = performance.now() + secondsMax * 1000;
    const found = new Map<SinkName, Found>();
    for (const name of sinkNames) {
      for (;;) {
        const numbers = await this.#read(name);
        found.set(name, countEach(numbers));
        if ((found.get(name)?.size ?? 0) >= this.#published || performance.now() > until) break;
        await sleep(pollMilliseconds);
      }
    }
    return found;
  }

  /** Those that were published and acknowledged, and are not there. */
  missingIn(found: Found): number[] {
    const missing: number[] = [];
    for (let number = 1; number <= this.#published; number += 1) {
      if (!found.has(number)) missing.push(number);
    }
    return missing;
  }

  async end(): Promise<void> {
    await this.killConsumer();
    await this.killBroker();
    await Promise.all([this.carbon.end(), this.influxd.process.end(), this.postgres.end()]);
    rmSync(this.#folder, { recursive: true });
  }

  get #sqliteFile(): string {
    return join(this.#folder, "readings.db");
  }

  async #read(name: SinkName): Promise<readonly number[]> {
    switch (name) {
      case "sqlite":
        return readSqlite(this.#sqliteFile);
      case "postgres": {
        const rows = await this.postgres.sql`select value from readings`;
        return rows.map(({ value }) => Number(value));
      }
      case "influxdb":
        return (await this.influxd.readBack(database)).map(({ value }) => Number(value));
      case "graphite":
        return (await this.carbon.read("chain")).map(({ value }) => value);
    }
  }
}

/** MQTT.js gives a message up, for its caller, when the connection ends before its PUBACK. */
async function publishUntilAcknowledged(client: MqttClient, number: number): Promise<void> {
  for (;;) {
    try {
      await client.publishAsync(`chain/${number}`, String(number), { qos: 1 });
      return;
    } catch {
      await sleep(pollMilliseconds);
    }
  }
}

function readSqlite(file: string): number[] {
  const reader = new DatabaseSync(file, { readOnly: true, timeout: busyMilliseconds });
  try {
    return reader
      .prepare("select value from readings")
      .all()
      .map(({ value }) => Number(value));
  } finally {
    reader.close();
  }
}

function countEach(numbers: readonly number[]): Found {
  const counts = new Map<number, number>();
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
  return counts;
}
