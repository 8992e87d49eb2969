/**
 * Containers, by the socket of Docker or Podman: whether each runs, its memory and its share of a core. One request for the list
 * and one for each that runs; the answers are bounded.
 */
import { request } from "node:http";
import { describeSystemError } from "../client/index.ts";
import type { Figure } from "./figure.ts";
import { Rates } from "./rates.ts";
import type { Source } from "./source.ts";
import { TopicLevels } from "./topic-level.ts";

const containersMax = 100;
const answerBytesMax = 4_000_000;
const answerMillisecondsMax = 5000;
const nanosecondsPerSecond = 1_000_000_000;

interface ContainerEntry {
  readonly Id: string;
  readonly Names?: readonly string[];
  readonly State?: string;
}

interface ContainerStats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly inactive_file?: number };
  };
}

export class ContainerSource implements Source {
  readonly name = "containers";
  readonly #socket: string;
  readonly #rates: Rates;

  constructor(socket: string, nowSeconds: () => number) {
    this.#socket = socket;
    this.#rates = new Rates(nowSeconds);
  }

  async read(): Promise<readonly Figure[]> {
    const entries = (await this.#ask("/containers/json?all=1")) as readonly ContainerEntry[];
    if (!Array.isArray(entries)) throw new Error(`${this.#socket} does not answer as Docker does`);
    const levels = new TopicLevels();
    const named = entries
      .slice(0, containersMax)
      .map((entry) => ({ entry, name: entry.Names?.[0]?.replace(/^\//, "") ?? entry.Id }))
      .sort((one, other) => (one.name < other.name ? -1 : 1));
    const figures: Figure[] = [];
    this.#rates.look();
    for (const { entry, name } of named) {
      const path = `containers/${levels.take(name)}`;
      const isRunning = entry.State === "running";
      figures.push({ path: `${path}/running`, kind: "running", value: Number(isRunning) });
      if (isRunning) figures.push(...(await this.#usage(entry.Id, path)));
    }
    return figures;
  }

  async #usage(id: string, path: string): Promise<Figure[]> {
    const place = `/containers/${encodeURIComponent(id)}/stats?stream=false&one-shot=true`;
    // One that has just ended has no figures.
    const stats = (await this.#ask(place).catch(() => ({}))) as ContainerStats;
    const figures: Figure[] = [];
    const { usage, stats: parts } = stats.memory_stats ?? {};
    if (typeof usage === "number") {
      // As `docker stats` has it: without the pages of files that nobody has used lately.
      const value = usage - (parts?.inactive_file ?? 0);
      figures.push({ path: `${path}/memory`, kind: "bytes", value });
    }
    const nanoseconds = stats.cpu_stats?.cpu_usage?.total_usage;
    if (typeof nanoseconds === "number") {
      const share = this.#rates.perSecond(id, nanoseconds / nanosecondsPerSecond);
      if (share !== undefined) {
        figures.push({ path: `${path}/cpu`, kind: "percent", value: 100 * share });
      }
    }
    return figures;
  }

  #ask(path: string): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const failed = (reason: string) => reject(new Error(`${this.#socket}: ${reason}`));
    const asked = request({ socketPath: this.#socket, path, headers: { Host: "localhost" } });
    asked.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        chunks.push(chunk);
        if (bytes > answerBytesMax) asked.destroy(new Error("the answer is too long"));
      });
      response.on("error", (error) => failed(error.message));
      response.on("end", () => {
        if (response.statusCode !== 200) return failed(`HTTP ${response.statusCode}`);
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString()));
        } catch {
          failed("no JSON");
        }
      });
    });
    asked.setTimeout(answerMillisecondsMax, () => asked.destroy(new Error("no answer")));
    asked.on("error", (error) => failed(describeSystemError(error)));
    asked.end();
    return promise;
  }
}
