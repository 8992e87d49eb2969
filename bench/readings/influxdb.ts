/** Readings into a real InfluxDB: the sink, and what curl and influx do with the same lines alone. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createDefaultMapping } from "../../src/readings/index.ts";
import { writeLine } from "../../src/sinks/influxdb/format.ts";
import type { InfluxdServer } from "../../test/sinks/influxd-server.ts";
import type { ReadingsFigures } from "../results.ts";
import type { Contestant } from "../rounds.ts";
import { readings } from "../scenarios.ts";
import type { Settings } from "../settings.ts";
import {
  amountsOf,
  runAlone,
  runPipeline,
  type Stretch,
  timeSeconds,
  writeLines,
} from "./loader.ts";
import { messageAt } from "./messages.ts";

const database = "readings";
const mapping = createDefaultMapping();

export function enterInfluxdb(
  settings: Settings,
  server: InfluxdServer,
): Contestant<ReadingsFigures>[] {
  const { sink, curl, program } = readings.influxdb;
  return [
    {
      label: sink,
      measure: async () => {
        await begin(server);
        return runPipeline("influxdb", { "influxdb-url": server.url }, settings);
      },
    },
    { label: curl, measure: () => measureLoad(settings, server, writeBodies) },
    { label: program, measure: () => measureLoad(settings, server, writeImport) },
  ];
}

/** Writes files, and answers the command that loads them. */
type Prepare = (
  server: InfluxdServer,
  file: string,
  stretch: Stretch,
) => Promise<readonly string[]>;

async function measureLoad(
  settings: Settings,
  server: InfluxdServer,
  prepare: Prepare,
): Promise<ReadingsFigures> {
  const { before, count } = amountsOf(settings);
  const own = mkdtempSync(join(settings.folder, "influxdb-"));
  try {
    await begin(server);
    await runAlone(await prepare(server, join(own, "first"), { from: 0, count: before }));
    const command = await prepare(server, join(own, "rows"), { from: before, count });
    const seconds = await timeSeconds(() => runAlone(command));
    await check(server, before + count);
    return { readingsPerSecond: count / seconds };
  } finally {
    rmSync(own, { recursive: true });
  }
}

function lineAt(index: number): string {
  return `${mapping.map(messageAt(index)).map(writeLine).join("\n")}\n`;
}

/** curl posts one body after the other over one connection. */
async function writeBodies(
  { url }: InfluxdServer,
  file: string,
  { from, count }: Stretch,
): Promise<string[]> {
  const requests: string[] = [];
  for (let done = 0; done < count; done += readings.influxdb.linesOfBody) {
    const body = `${file}-${done}`;
    const lines = Math.min(readings.influxdb.linesOfBody, count - done);
    await writeLines(body, { from: from + done, count: lines }, lineAt);
    const write = `${url}/write?db=${database}&precision=u`;
    requests.push(`url = "${write}"\ndata-binary = "@${body}"\nheader = "Expect:"\nfail\n`);
  }
  writeFileSync(`${file}-requests`, requests.join("next\n"));
  return ["curl", "--silent", "--show-error", "--config", `${file}-requests`];
}

async function writeImport(
  { url }: InfluxdServer,
  file: string,
  stretch: Stretch,
): Promise<string[]> {
  const head = `# DML\n# CONTEXT-DATABASE: ${database}\n`;
  await writeLines(file, stretch, lineAt, head);
  const { hostname, port } = new URL(url);
  const there = ["-host", hostname, "-port", port, "-precision", "u"];
  return ["influx", "-import", "-path", file, ...there];
}

async function begin(server: InfluxdServer): Promise<void> {
  await server.query(`DROP DATABASE ${database}`);
  await server.query(`CREATE DATABASE ${database}`);
}

/** curl and influx end well also where lines were refused. */
async function check(server: InfluxdServer, count: number): Promise<void> {
  const series = await server.query("SELECT count(value) FROM /.*/", { db: database });
  const stored = series.reduce((sum, { values }) => sum + Number(values?.[0][1]), 0);
  if (stored !== count) throw new Error(`${stored} of ${count} readings are in InfluxDB`);
}
