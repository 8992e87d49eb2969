/**
 * docs/monitoring.md leads from an empty machine to figures that can be looked at, and sends them on into real databases. Its
 * commands are run as they stand but for what needs another machine: packages and services of Debian, for which the
 * test's own carbon, graphite-web, InfluxDB and PostgreSQL stand in.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { findFreePort } from "../cli/mosquitto.ts";
import { CarbonServer, withoutCarbon } from "../sinks/carbon-server.ts";
import { GraphiteWeb, withoutGraphiteWeb } from "../sinks/graphite-web.ts";
import { InfluxdServer, withoutInfluxd } from "../sinks/influxd-server.ts";
import { PostgresServer, withoutPostgres } from "../sinks/postgres-server.ts";
import { FollowedPage } from "./followed-page.ts";

const skip = withoutCarbon || withoutGraphiteWeb || withoutInfluxd || withoutPostgres;
const cpu = "web1/cpu/percent";
const looksMax = 300;
/** While its writer makes the file it is locked for moments. */
const busyMilliseconds = 5000;

const port = await findFreePort();
/** What stands for the page's words, by what stands there. */
const instead = new Map<string, string>([
  ["mqtt://localhost:1883", `mqtt://localhost:${port}`],
  // Debian's packages and services: the tests' own are there.
  ["sudo", "true"],
]);
const page = await FollowedPage.open("docs/monitoring.md", {
  ports: [],
  adapt(command) {
    let text = command;
    for (const [there, here] of instead) text = text.replaceAll(there, here);
    return text;
  },
  environment: {
    TSTACK_LISTEN: `mqtt://127.0.0.1:${port}`,
    TSTACK_BROKER: `mqtt://localhost:${port}`,
  },
});
const ends: (() => Promise<void>)[] = [() => page.close()];

after(async () => {
  for (const end of ends.toReversed()) await end();
});

/** Looks again and again: what is true after some seconds. */
async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < looksMax; looks += 1) {
    if (await look()) return;
    await sleep(100);
  }
  assert.fail(`waited too long until ${what}`);
}

function countReadings(topic: string): number {
  const name = join(page.folder, "readings.db");
  if (!existsSync(name)) return 0;
  const file = new DatabaseSync(name, { readOnly: true, timeout: busyMilliseconds });
  try {
    const view = file.prepare("select 1 from sqlite_schema where name = 'readings'").get();
    if (view === undefined) return 0;
    return Number(file.prepare("select count(*) as n from readings where topic = ?").get(topic)?.n);
  } finally {
    file.close();
  }
}

test("docs/monitoring.md: tserve, tmonitor, tconsume and a query show this machine's CPU", {
  timeout: 55_000,
}, async () => {
  await page.follow("npx tconsume -t");
  await until("five figures are in the file", () => countReadings(cpu) >= 5);
  await page.follow("npx tconsume query 'web1/cpu/#' --last");
  assert.match(page.terminal(4).output, /web1\/cpu\/load1\b.*\d/);
  await page.follow("npx tconsume query web1/cpu/percent");
  const chart = page.terminal(4).output;
  assert.match(chart, /web1\/cpu\/percent/);
  assert.ok(chart.split("\n").length >= 8, `a chart has lines:\n${chart}`);
});

test("docs/monitoring.md: the same figures in Graphite, by its render API", {
  skip,
  timeout: 55_000,
}, async () => {
  const carbon = await CarbonServer.start();
  ends.push(() => carbon.end());
  const web = await GraphiteWeb.start(join(carbon.folder, "whisper"));
  ends.push(() => web.end());
  instead.set("--sink graphite", `--sink graphite --graphite-port ${carbon.port}`);
  instead.set("localhost:2003", `localhost:${carbon.port}`);
  instead.set("127.0.0.1:8085", `127.0.0.1:${web.port}`);
  await page.follow("npx tconsume -t 'web1/#' --sink sqlite --sink graphite");
  await until("carbon has figures", async () => (await carbon.read("web1")).length > 0);
  await page.follow("curl --silent 'http://127.0.0.1:8085");
  const [{ target, datapoints }] = JSON.parse(page.terminal(4).output);
  assert.equal(target, "web1.cpu.load1");
  assert.ok(datapoints.some(([value]: [number | null]) => value !== null));
});

test("docs/monitoring.md: the same figures in InfluxDB", { skip, timeout: 55_000 }, async () => {
  const influxd = await InfluxdServer.start();
  ends.push(() => influxd.process.end());
  instead.set("http://127.0.0.1:8086", influxd.url);
  await page.follow("npx tconsume -t 'web1/#' --sink sqlite --sink influxdb");
  await until("InfluxDB has figures", async () => (await influxd.readBack("readings")).length > 20);
  await page.follow("curl --silent 'http://127.0.0.1:8086");
  const answer = JSON.parse(page.terminal(4).output);
  assert.equal(typeof answer.results[0].series[0].values[0][1], "number");
});

test("docs/monitoring.md: the same figures in PostgreSQL", { skip, timeout: 55_000 }, async () => {
  const postgres = await PostgresServer.start();
  ends.push(() => postgres.end());
  await postgres.sql`create role tstack login password 'better-another'`;
  await postgres.sql`create database readings owner tstack`;
  instead.set("127.0.0.1:5432", `127.0.0.1:${postgres.port}`);
  instead.set("-p 5432", `-p ${postgres.port}`);
  const before = countReadings(cpu);
  await page.follow("npx tconsume -t 'web1/#' --sink sqlite --sink postgres");
  await until("more figures have come", () => countReadings(cpu) > before + 5);
  await page.follow("PGPASSWORD=better-another psql");
  assert.match(page.terminal(4).output, /time +\| +value[\s\S]*\(5 rows\)/);
  assert.equal(page.left, 0, "the whole page was followed");
});
