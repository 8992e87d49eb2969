/** A running stream, alone and while other clients subscribe and unsubscribe as fast as they are acknowledged. */
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningBroker, withBrokers } from "./brokers.ts";
import { startClient } from "./client-process.ts";
import { type LoadFigures, runLoad } from "./mqload.ts";
import type { Measured, StormFigures } from "./results.ts";
import { measureRounds } from "./rounds.ts";
import { storm } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

/** Until all clients of the storm are connected and busy. */
const gatherMilliseconds = 1500;
/** On its own core, the load of the stream goes before that of the storm: what is measured is the broker. */
const stormNiceness = 19;

export async function measureStorm(settings: Settings): Promise<Measured<StormFigures>> {
  return withBrokers(["tStack", "mosquitto"], settings.folder, async (brokers) => {
    const contestants = [...brokers.values()].map((broker) => ({
      label: broker.name,
      measure: () => measureOne(settings, broker),
    }));
    return measureRounds(settings, contestants);
  });
}

async function measureOne(settings: Settings, broker: RunningBroker): Promise<StormFigures> {
  const quiet = await runLoad(settings, broker, storm.load);
  const url = `mqtt://127.0.0.1:${broker.port}`;
  const client = startClient("storm-client", [url, String(storm.clients)], stormNiceness);
  await sleep(gatherMilliseconds);
  let stormy: LoadFigures;
  try {
    stormy = await runLoad(settings, broker, storm.load);
  } finally {
    client.leave();
  }
  const { operationsPerSecond } = JSON.parse(await client.output) as StormFigures;
  return { quiet, stormy, operationsPerSecond };
}
