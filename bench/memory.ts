/** What idle connections and subscriptions cost in memory. Every round is a fresh broker: memory once taken is seldom given back. */
import { once } from "node:events";
import { join } from "node:path";
import {
  type BrokerName,
  brokerNames,
  type RunningBroker,
  readResidentBytes,
  startBroker,
} from "./brokers.ts";
import { startClient } from "./client-process.ts";
import { runIdle } from "./mqload.ts";
import type { Measured, SubscriptionFigures } from "./results.ts";
import { measureRounds } from "./rounds.ts";
import { idle, subscriptions } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

export async function measureIdle(settings: Settings): Promise<Measured<number>> {
  const contestants = brokerNames.map((label) => ({
    label,
    measure: () =>
      withFreshBroker(label, [], settings, (broker) => runIdle(settings, broker, idle.connections)),
  }));
  return measureRounds(settings, contestants);
}

export async function measureSubscriptions(
  settings: Settings,
): Promise<Measured<SubscriptionFigures>> {
  const contestants = subscriptions.brokers.map((label) => ({
    label,
    measure: () => withFreshBroker(label, reporter, settings, growBySubscriptions),
  }));
  return measureRounds(settings, contestants);
}

const reporter = [
  "--expose-gc",
  "--import",
  join(import.meta.dirname, "clients/memory-reporter.ts"),
];

async function withFreshBroker<Result>(
  name: BrokerName,
  nodeArguments: readonly string[],
  { folder }: Settings,
  work: (broker: RunningBroker) => Promise<Result>,
): Promise<Result> {
  const broker = await startBroker(name, folder, { nodeArguments });
  try {
    return await work(broker);
  } finally {
    await broker.stop();
  }
}

async function growBySubscriptions(broker: RunningBroker): Promise<SubscriptionFigures> {
  const { clients, filtersEach } = subscriptions;
  const usedBefore = await readUsedBytes(broker);
  const residentBefore = readResidentBytes(broker.pid);
  const client = startClient("subscription-client", [
    `mqtt://127.0.0.1:${broker.port}`,
    String(clients),
    String(filtersEach),
  ]);
  await client.firstOutput;
  const resident = readResidentBytes(broker.pid) - residentBefore;
  const used = (await readUsedBytes(broker)) - usedBefore;
  client.leave();
  await client.output;
  const count = clients * filtersEach;
  return {
    residentBytes: Math.round(resident / count),
    usedBytes: Number.isNaN(used) ? undefined : Math.round(used / count),
  };
}

/** Heap and buffers in use, by `memory-reporter.ts`; NaN for a broker that does not run in Node. */
async function readUsedBytes({ name, process: child }: RunningBroker): Promise<number> {
  if (name !== "tStack" && name !== "aedes") return Number.NaN;
  const answer = once(child, "message");
  child.send("report");
  const [usage] = (await answer) as [NodeJS.MemoryUsage];
  return usage.heapUsed + usage.external;
}
