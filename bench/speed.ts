/** One scenario of `scenarios.ts` on all brokers that can do it, and on tStack with MQTT 5.0 too. */
import { brokerNames, type RunningBroker, withBrokers } from "./brokers.ts";
import { type LoadFigures, runLoad } from "./mqload.ts";
import type { Measured } from "./results.ts";
import { type Contestant, measureRounds } from "./rounds.ts";
import { type Scenario, v5 } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

export async function measureSpeed(
  settings: Settings,
  scenario: Scenario,
): Promise<Measured<LoadFigures>> {
  const names = brokerNames.filter((name) => !scenario.without?.includes(name));
  return withBrokers(names, settings.folder, async (brokers) => {
    const contestants = [...brokers.values()].flatMap((broker) =>
      enter(settings, scenario, broker),
    );
    const warmUp = { ...settings, seconds: 1, rounds: 1 };
    for (const broker of brokers.values()) await runLoad(warmUp, broker, scenario.load);
    return measureRounds(settings, contestants);
  });
}

function enter(
  settings: Settings,
  { load }: Scenario,
  broker: RunningBroker,
): Contestant<LoadFigures>[] {
  const own = { label: broker.name, measure: () => runLoad(settings, broker, load) };
  if (broker.name !== "tStack") return [own];
  const measure = () => runLoad(settings, broker, [...load, ...v5.load]);
  return [own, { label: v5.label, measure }];
}
