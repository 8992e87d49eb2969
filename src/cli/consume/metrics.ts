/** What Prometheus is told, on `/metrics` of a port of its own. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";
import { describeSystemError, ProgramFailure } from "../client/index.ts";
import type { SinkState } from "../pipeline/index.ts";
import type { MetricsAddress } from "./command.ts";
import { type Figures, metrics, sinkMetrics } from "./metric-table.ts";

export class MetricsServer {
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server, host: string) {
    const { port } = server.address() as AddressInfo;
    this.#server = server;
    this.url = `http://${host.includes(":") ? `[${host}]` : host}:${port}/metrics`;
  }

  /** @param read undefined until there is anything to tell. @throws {ProgramFailure} */
  static async listen(
    { host, port }: MetricsAddress,
    read: () => Figures | undefined,
  ): Promise<MetricsServer> {
    const registry = await createRegistry(read);
    const server = createServer((request, response) => {
      const path = request.url?.split("?", 1)[0];
      if (request.method !== "GET" || path !== "/metrics") {
        response.writeHead(404).end("the only page is /metrics\n");
        return;
      }
      void registry.metrics().then((text) => {
        response.writeHead(200, { "content-type": registry.contentType }).end(text);
      });
    });
    try {
      server.listen(port, host);
      await once(server, "listening");
    } catch (error) {
      const reason = describeListenError(error as NodeJS.ErrnoException);
      throw new ProgramFailure(`--metrics ${host}:${port}: ${reason}`, { cause: error });
    }
    return new MetricsServer(server, host);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

function describeListenError(error: NodeJS.ErrnoException): string {
  if (error.code === "EADDRINUSE") return "another program listens there already";
  return describeSystemError(error);
}

interface Value {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind: "counter" | "gauge";
  readonly labelNames: readonly string[];
  read(figures: Figures): Value[];
}

const states: readonly SinkState[] = ["flowing", "retrying", "spooling", "full"];

/** One of these is 1: so that a sink's state can be drawn and asked for by name. */
const stateFamily: Family = {
  name: "tconsume_sink_state",
  help: "1 for the state that the sink is in.",
  kind: "gauge",
  labelNames: ["sink", "state"],
  read: ({ counts }) =>
    counts.sinks.flatMap(({ name, state: current }) =>
      states.map((state) => {
        return { labels: { sink: name, state }, value: Number(state === current) };
      }),
    ),
};

function listFamilies(): Family[] {
  const ofAll = Object.entries(metrics).map(([name, { help, kind, read }]): Family => {
    const values = (figures: Figures) => [{ labels: {}, value: read(figures) }];
    return { name, help, kind, labelNames: [], read: values };
  });
  const ofSinks = Object.entries(sinkMetrics).map(([name, { help, kind, read }]): Family => {
    const values = ({ counts }: Figures) =>
      counts.sinks.map((sink) => ({ labels: { sink: sink.name }, value: read(sink) }));
    return { name, help, kind, labelNames: ["sink"], read: values };
  });
  return [...ofAll, ...ofSinks, stateFamily];
}

async function createRegistry(read: () => Figures | undefined): Promise<Registry> {
  const { Counter, Gauge, Registry } = await import("prom-client");
  const registry = new Registry();
  for (const { name, help, kind, labelNames, read: readFamily } of listFamilies()) {
    const settings = {
      name,
      help,
      labelNames: [...labelNames],
      registers: [registry],
      // The totals are counted elsewhere: at each question they are put here anew.
      collect(this: {
        reset(): void;
        inc(labels: Readonly<Record<string, string>>, value: number): void;
      }) {
        this.reset();
        const figures = read();
        if (figures === undefined) return;
        for (const { labels, value } of readFamily(figures)) this.inc(labels, value);
      },
    };
    if (kind === "counter") new Counter(settings);
    else new Gauge(settings);
  }
  return registry;
}
