/** A real InfluxDB 1 for the tests of sinks, on 127.0.0.1 only, with its files in a folder of its own. */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { FieldValue } from "../../src/readings/index.ts";
import type { StoredValue } from "../../src/sinks/conformance/index.ts";
import { HttpServerProcess, isInstalled, type Program } from "./http-server-process.ts";

/** The reason to skip; false where it is installed. */
export const withoutInfluxd: string | false = isInstalled("influxd", "version")
  ? false
  : "influxd is not installed";

export interface InfluxdOptions {
  /** Asks for a user and password, but not the first, who makes the administrator. */
  readonly authenticates?: boolean;
}

interface Series {
  readonly name: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly columns: readonly string[];
  readonly values?: readonly (readonly (FieldValue | null)[])[];
}

export class InfluxdServer {
  readonly process: HttpServerProcess;

  private constructor(process: HttpServerProcess) {
    this.process = process;
  }

  static async start(options: InfluxdOptions = {}): Promise<InfluxdServer> {
    return new InfluxdServer(await HttpServerProcess.start(describeProgram(options)));
  }

  get url(): string {
    return this.process.url;
  }

  /** Every value of a database, of each series and field; nothing where there is no such database. */
  async readBack(database: string): Promise<StoredValue[]> {
    const [names] = await this.query("SHOW DATABASES");
    if (!names.values?.flat().includes(database)) return [];
    const [measurements] = await this.query("SHOW MEASUREMENTS", { db: database });
    const stored: StoredValue[] = [];
    // Together, a field would have the same type in all measurements, and other values would be left out.
    for (const [name] of measurements?.values ?? []) {
      const from = JSON.stringify(name);
      for (const series of await this.query(`SELECT * FROM ${from} GROUP BY *`, { db: database })) {
        stored.push(...valuesOf(series));
      }
    }
    return stored;
  }

  /** What the one statement `q` answers, times in microseconds. */
  async query(q: string, parameters: Readonly<Record<string, string>> = {}): Promise<Series[]> {
    const query = new URLSearchParams({ epoch: "u", ...parameters });
    const body = new URLSearchParams({ q });
    const text = await this.process.ask(`/query?${query}`, { method: "POST", body });
    const [result] = JSON.parse(text).results;
    if (result.error !== undefined) throw new Error(`${q}: ${result.error}`);
    return result.series ?? [];
  }
}

function valuesOf({ name, tags, columns, values = [] }: Series): StoredValue[] {
  const stored: StoredValue[] = [];
  for (const [time, ...fields] of values) {
    for (const [index, value] of fields.entries()) {
      if (value === null) continue;
      stored.push({
        series: JSON.stringify([name, tags]),
        field: columns[index + 1],
        time: time as number,
        // In a text, its picture stands for a line end.
        value: typeof value === "string" ? value.replaceAll("␊", "\n") : value,
      });
    }
  }
  return stored;
}

function describeProgram({ authenticates = false }: InfluxdOptions): Program {
  return {
    name: "influxd",
    readyPath: "/ping",
    portCount: 2,
    async prepare(folder, [port, rpcPort]) {
      const lines = [
        "reporting-disabled = true",
        `bind-address = "127.0.0.1:${rpcPort}"`,
        "[meta]",
        `dir = "${folder}/meta"`,
        "[data]",
        `dir = "${folder}/data"`,
        `wal-dir = "${folder}/wal"`,
        "[monitor]",
        "store-enabled = false",
        "[http]",
        `bind-address = "127.0.0.1:${port}"`,
        `auth-enabled = ${authenticates}`,
        "log-enabled = false",
      ];
      const file = path.join(folder, "influxdb.conf");
      await writeFile(file, `${lines.join("\n")}\n`);
      return ["-config", file];
    },
  };
}
