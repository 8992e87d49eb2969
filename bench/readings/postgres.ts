/** Readings into a real PostgreSQL: the sink, and what psql's \copy does with the same rows alone. */
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createTables, nameTables } from "../../src/sinks/postgres/schema.ts";
import type { PostgresServer } from "../../test/sinks/postgres-server.ts";
import type { ReadingsFigures } from "../results.ts";
import type { Contestant } from "../rounds.ts";
import { readings } from "../scenarios.ts";
import type { Settings } from "../settings.ts";
import { amountsOf, runAlone, runPipeline, writeLines } from "./loader.ts";
import { seriesAt, timeAt, topicAt, valueAt } from "./messages.ts";

const { values, series, view } = nameTables("readings");

export function enterPostgres(
  settings: Settings,
  server: PostgresServer,
): Contestant<ReadingsFigures>[] {
  const { sink, copy, plain } = readings.postgres;
  return [
    { label: sink, measure: () => measureSink(settings, server) },
    {
      label: copy,
      measure: () => measureCopy(settings, server, () => createSinkTables(server)),
    },
    {
      label: plain,
      measure: () =>
        measureCopy(settings, server, async () => {
          const columns = "series_id bigint, time timestamptz, value double precision";
          await server.sql.unsafe(
            `create table ${values} (${columns}, text text, boolean boolean)`,
          );
        }),
    },
  ];
}

async function measureSink(settings: Settings, server: PostgresServer): Promise<ReadingsFigures> {
  await begin(server);
  const there = { "postgres-url": server.url, "postgres-password": server.password };
  return runPipeline("postgres", there, settings);
}

async function measureCopy(
  settings: Settings,
  server: PostgresServer,
  create: () => Promise<unknown>,
): Promise<ReadingsFigures> {
  const { before, count } = amountsOf(settings);
  const own = mkdtempSync(join(settings.folder, "copy-"));
  try {
    await begin(server);
    await create();
    const first = await writeLines(join(own, "first"), { from: 0, count: before }, rowAt);
    await copyRows(server, first);
    const rows = await writeLines(join(own, "rows"), { from: before, count }, rowAt);
    return { readingsPerSecond: count / (await copyRows(server, rows)) };
  } finally {
    rmSync(own, { recursive: true });
  }
}

function rowAt(index: number): string {
  const microseconds = timeAt(index);
  const rest = String(microseconds % 1000).padStart(3, "0");
  const time = new Date(Math.floor(microseconds / 1000)).toISOString().replace("Z", `${rest}Z`);
  return `${seriesAt(index)}\t${time}\t${valueAt(index)}\n`;
}

/** Seconds, by psql itself. */
async function copyRows({ url, password }: PostgresServer, file: string): Promise<number> {
  const load = `\\copy ${values} (series_id, time, value) from '${file}'`;
  const command = ["psql", "--no-psqlrc", url, "-c", "\\timing on", "-c", load];
  const said = await runAlone(command, { PGPASSWORD: password });
  const [, milliseconds] = /Time: ([\d.]+) ms/.exec(said) ?? [];
  if (milliseconds === undefined) throw new Error(`psql says no time: ${said}`);
  return Number(milliseconds) / 1000;
}

/** Nothing is there, and nothing is left to be written to the disk for who came before. */
async function begin({ sql }: PostgresServer): Promise<void> {
  await sql.unsafe(`drop view if exists ${view}`);
  await sql.unsafe(`drop table if exists ${values}, ${series}`);
  await sql`checkpoint`;
}

async function createSinkTables({ sql }: PostgresServer): Promise<void> {
  await sql.unsafe(createTables(nameTables("readings")));
  const topics = Array.from({ length: readings.topics }, (_, index) => topicAt(index));
  await sql.unsafe(
    `insert into ${series} (key, topic, name, tags, field)
     select gen_random_uuid(), topic, topic, '{}', 'value' from unnest($1::text[]) as t (topic)`,
    [topics],
  );
}
