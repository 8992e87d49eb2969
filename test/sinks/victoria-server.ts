/** A real VictoriaMetrics for the tests of sinks, on 127.0.0.1 only, with its files in a folder of its own. */
import path from "node:path";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import { HttpServerProcess, isInstalled } from "./http-server-process.ts";

/** The reason to skip; false where it is installed. */
export const withoutVictoria: string | false = isInstalled("victoria-metrics", "-version")
  ? false
  : "victoria-metrics is not installed";

/** Lines of `/api/v1/export`. */
export interface ExportedSeries {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly number[];
  /** Milliseconds since 1970. */
  readonly timestamps: readonly number[];
}

export class VictoriaServer {
  readonly process: HttpServerProcess;

  private constructor(process: HttpServerProcess) {
    this.process = process;
  }

  /** It leaves out what it has already of a series and a millisecond. */
  static async start(): Promise<VictoriaServer> {
    const process = await HttpServerProcess.start({
      name: "victoria-metrics",
      readyPath: "/health",
      portCount: 1,
      prepare: async (folder, [port]) => [
        `-storageDataPath=${path.join(folder, "data")}`,
        `-httpListenAddr=127.0.0.1:${port}`,
        "-retentionPeriod=100y",
        "-dedup.minScrapeInterval=1ms",
      ],
    });
    return new VictoriaServer(process);
  }

  get url(): string {
    return this.process.url;
  }

  /** `selector`: `{db="x"}`. */
  async export(selector: string): Promise<ExportedSeries[]> {
    await this.process.ask("/internal/force_flush");
    const body = new URLSearchParams({ "match[]": selector });
    const text = await this.process.ask("/api/v1/export", { method: "POST", body });
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  async readBack(selector: string): Promise<StoredValue[]> {
    const all = await this.export(selector);
    return all.flatMap(({ metric, values, timestamps }) =>
      values.map((value, index) => ({
        series: JSON.stringify(metric),
        field: metric.field ?? "value",
        time: timestamps[index] * 1000,
        value,
      })),
    );
  }
}
