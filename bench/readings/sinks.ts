/** Each sink with a real database beside what that does alone with the same rows, all in turn. */
import { execFileSync } from "node:child_process";
import { InfluxdServer } from "../../test/sinks/influxd-server.ts";
import { PostgresServer } from "../../test/sinks/postgres-server.ts";
import type { Measured, ReadingsFigures, ReadingsResults } from "../results.ts";
import { measureRounds } from "../rounds.ts";
import { readings } from "../scenarios.ts";
import { loadCore, type Settings } from "../settings.ts";
import { enterInfluxdb } from "./influxdb.ts";
import { runPipeline } from "./loader.ts";
import { enterPostgres } from "./postgres.ts";
import { enterSqlite } from "./sqlite.ts";

export async function measureSinks(
  settings: Settings,
): Promise<Pick<ReadingsResults, "versions" | "sinks">> {
  const postgres = await onCore(loadCore, () => PostgresServer.start());
  const influxdb = await onCore(loadCore, () => InfluxdServer.start());
  try {
    return {
      versions: await readVersions(postgres, influxdb),
      sinks: await measureAll(settings, postgres, influxdb),
    };
  } finally {
    await postgres.end();
    await influxdb.process.end();
  }
}

function measureAll(
  settings: Settings,
  postgres: PostgresServer,
  influxdb: InfluxdServer,
): Promise<Measured<ReadingsFigures>> {
  return measureRounds(settings, [
    { label: readings.nothing, measure: () => runPipeline("nothing", {}, settings) },
    ...enterSqlite(settings),
    ...enterPostgres(settings, postgres),
    ...enterInfluxdb(settings, influxdb),
  ]);
}

/** What is started meanwhile stays there, with all that it starts itself. */
async function onCore<Result>(core: string, start: () => Promise<Result>): Promise<Result> {
  const pin = (cores: string) => {
    execFileSync("taskset", ["-c", "-p", cores, String(process.pid)], { stdio: "ignore" });
  };
  const said = execFileSync("taskset", ["-c", "-p", String(process.pid)], { encoding: "utf8" });
  const [before = ""] = /[\d,-]+$/.exec(said.trim()) ?? [];
  pin(core);
  try {
    return await start();
  } finally {
    pin(before);
  }
}

async function readVersions(
  postgres: PostgresServer,
  influxdb: InfluxdServer,
): Promise<ReadingsResults["versions"]> {
  const [{ version }] = await postgres.sql<{ version: string }[]>`
    select current_setting('server_version') as version`;
  const { headers } = await fetch(`${influxdb.url}/ping`);
  return {
    SQLite: process.versions.sqlite ?? "unknown",
    PostgreSQL: version.split(" ")[0],
    InfluxDB: headers.get("x-influxdb-version") ?? "unknown",
  };
}
