/** tmonitor as a process of its own, and somebody who sees all that it publishes. */
import path from "node:path";
import { type IPublishPacket, MqttClient } from "mqtt";
import { openTransport } from "../../src/cli/client/index.ts";
import { RunningProgram } from "./programs.ts";

const file = path.join(import.meta.dirname, "../../src/cli/tmonitor.ts");
const waitMillisecondsMax = 20_000;

/** On the broker at `port` of this machine, if it is told. */
export function startMonitor(
  port: number | undefined,
  args: readonly string[],
  environment?: Readonly<Record<string, string>>,
): RunningProgram {
  const where = port === undefined ? [] : ["-h", "127.0.0.1", "-p", String(port)];
  return new RunningProgram(process.execPath, [file, ...where, ...args], {
    stdin: "",
    environment,
  });
}

export interface Seen {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  readonly qos: number;
}

/** Subscribed to everything, and with every message that came since. */
export class Onlooker {
  readonly seen: Seen[] = [];
  readonly client: MqttClient;
  readonly #waiting = new Set<() => void>();

  private constructor(client: MqttClient) {
    this.client = client;
    client.on("message", (topic, payload, packet: IPublishPacket) => {
      const { retain, qos } = packet;
      this.seen.push({ topic, payload: payload.toString(), retain, qos });
      for (const look of this.#waiting) look();
    });
  }

  /** `name` and `password` where the broker knows users. */
  static async join(port: number, name?: string, password?: string): Promise<Onlooker> {
    const endpoint = { scheme: "mqtt", host: "127.0.0.1", port, tls: { insecure: false } } as const;
    const client = new MqttClient(() => openTransport(endpoint, "mqtt"), {
      protocolVersion: 5,
      username: name,
      password,
      clientId: `onlooker-${port}`,
      reconnectPeriod: 100,
    });
    const onlooker = new Onlooker(client);
    // `rap`: whether a message was published to be retained shows also when it is not an old one.
    await client.subscribeAsync(["#"], { qos: 2, rap: true });
    return onlooker;
  }

  /** The first message that is so, among those that came since `from`. */
  async saw(what: string, isIt: (seen: Seen) => boolean, from = 0): Promise<Seen> {
    const found = () => this.seen.slice(from).find(isIt);
    const { promise, resolve, reject } = Promise.withResolvers<Seen>();
    const look = () => {
      const seen = found();
      if (seen !== undefined) resolve(seen);
    };
    const timer = setTimeout(() => {
      const topics = this.seen.slice(from).map(({ topic, payload }) => `${topic} ${payload}`);
      reject(new Error(`never saw ${what}, but\n${topics.join("\n")}`));
    }, waitMillisecondsMax);
    this.#waiting.add(look);
    try {
      look();
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(look);
    }
  }

  sawMessage(topic: string, payload?: string, from = 0): Promise<Seen> {
    const isIt = (seen: Seen) =>
      seen.topic === topic && (payload === undefined || seen.payload === payload);
    return this.saw(`${topic} ${payload ?? ""}`, isIt, from);
  }

  async leave(): Promise<void> {
    await this.client.endAsync(true);
  }
}
