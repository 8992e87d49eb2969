/** What rights cost where messages flow: tStack without users, with the rights that it always has here, and with a thousand rules. */
import { type RunningBroker, startBroker } from "./brokers.ts";
import { type LoadFigures, runLoad } from "./mqload.ts";
import type { Measured } from "./results.ts";
import { measureRounds } from "./rounds.ts";
import { rightsLabels, rightsScenarios } from "./scenarios.ts";
import { rights, type Settings } from "./settings.ts";

const rulesMost = 1000;

/** The rules that apply are the last. */
function listRules(): string[] {
  const others = Array.from({ length: rulesMost - rights.length }, (_, index) => `bent/${index}/+`);
  return [...others, ...rights];
}

export async function measureRights(settings: Settings): Promise<Measured<LoadFigures>> {
  const granted = { none: undefined, few: rights, many: listRules() } as const;
  const brokers: RunningBroker[] = [];
  try {
    const contestants = [];
    for (const [kind, rules] of Object.entries(granted)) {
      const broker = await startBroker("tStack", settings.folder, { rights: rules });
      brokers.push(broker);
      for (const { name, load } of rightsScenarios) {
        const label = `${name}, ${rightsLabels[kind as keyof typeof granted]}`;
        contestants.push({ label, measure: () => runLoad(settings, broker, load) });
        await runLoad({ ...settings, seconds: 1 }, broker, load);
      }
    }
    return await measureRounds(settings, contestants);
  } finally {
    for (const broker of brokers) await broker.stop();
  }
}
