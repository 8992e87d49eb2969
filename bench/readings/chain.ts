/**
 * The whole chain: tserve on one core, with a publisher beside it, and tconsume with a file of SQLite on the other; all
 * as they come, or with more messages that tserve sends ahead. At the end every message must be in the file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { startBroker } from "../brokers.ts";
import { startClient } from "../client-process.ts";
import type { ChainFigures, Measured } from "../results.ts";
import { measureRounds } from "../rounds.ts";
import { readings } from "../scenarios.ts";
import { brokerCore, loadCore, type Settings, user } from "../settings.ts";

const root = join(import.meta.dirname, "../..");
const wideLimits = [`limits: { inFlightMessagesMax: ${readings.chain.inFlightMessagesMax} }`];

export async function measureChain(settings: Settings): Promise<Measured<ChainFigures>> {
  const count = readings.chain.perSecond * settings.seconds;
  const { defaults, wide } = readings.chain;
  return measureRounds(settings, [
    { label: defaults, measure: () => consumeMany(settings, count, []) },
    { label: wide, measure: () => consumeMany(settings, count, wideLimits) },
  ]);
}

export async function measureMemory(settings: Settings): Promise<Measured<ChainFigures>> {
  const { label, samples } = readings.memory;
  const measure = () => consumeMany(settings, Math.max(...samples), wideLimits);
  return measureRounds({ ...settings, rounds: 1 }, [{ label, measure }]);
}

/** @param configuration lines of tserve's */
async function consumeMany(
  { folder }: Settings,
  count: number,
  configuration: readonly string[],
): Promise<ChainFigures> {
  const broker = await startBroker("tStack", folder, { configuration });
  const own = mkdtempSync(join(folder, "chain-"));
  const file = join(own, "readings.db");
  try {
    const consumer = startConsumer(broker.port, own, file);
    try {
      const metricsUrl = await readMetricsUrl(consumer);
      const url = `mqtt://127.0.0.1:${broker.port}`;
      const parameters = [url, broker.pid, metricsUrl, consumer.pid, count].map(String);
      const client = startClient("readings-client", parameters, 0, brokerCore);
      const { sent, ...figures } = JSON.parse(await client.output);
      await end(consumer);
      return { ...figures, missing: sent - countReadings(file) };
    } finally {
      consumer.kill("SIGKILL");
    }
  } finally {
    await broker.stop();
    rmSync(own, { recursive: true, maxRetries: 3 });
  }
}

function startConsumer(port: number, folder: string, file: string): ChildProcess {
  const program = [process.execPath, join(root, "src/cli/tconsume.ts"), "-t", "site/#"];
  const there = ["-h", "127.0.0.1", "-p", String(port), "-u", user.name, "-P", user.password];
  const where = ["--sink", "sqlite", "--sqlite-file", file, "--data", join(folder, "data")];
  const parameters = ["-c", loadCore, ...program, ...there, ...where, "--metrics", "0"];
  const child = spawn("taskset", parameters, { stdio: ["ignore", "ignore", "pipe"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

async function readMetricsUrl({ stderr }: ChildProcess): Promise<string> {
  const said: string[] = [];
  if (stderr === null) throw new Error("tconsume has no stderr");
  const lines = createInterface(stderr);
  for await (const line of lines) {
    const [url] = /http:\S+/.exec(line) ?? [];
    if (url !== undefined) {
      stderr.resume();
      return url;
    }
    said.push(line);
  }
  throw new Error(`tconsume does not start: ${said.join("\n")}`);
}

async function end(consumer: ChildProcess): Promise<void> {
  const exited = once(consumer, "exit");
  consumer.kill("SIGTERM");
  const [code] = await exited;
  if (code !== 0) throw new Error(`tconsume ended with exit code ${code}`);
}

function countReadings(file: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    return Number(database.prepare("select count(*) as count from data").get()?.count);
  } finally {
    database.close();
  }
}
