/**
 * Measures contestants in turn, round after round: what disturbs the machine for a while disturbs all of them. Every
 * round begins with another contestant.
 */
import { readTstackVersion } from "./machine.ts";
import type { Measured } from "./results.ts";
import type { Settings } from "./settings.ts";

export interface Contestant<Figure> {
  readonly label: string;
  measure(): Promise<Figure>;
}

export async function measureRounds<Figure>(
  settings: Settings,
  contestants: readonly Contestant<Figure>[],
): Promise<Measured<Figure>> {
  const rounds: Record<string, Figure>[] = [];
  for (let round = 0; round < settings.rounds; round++) {
    const figures: Record<string, Figure> = {};
    for (let turn = 0; turn < contestants.length; turn++) {
      const { label, measure } = contestants[(round + turn) % contestants.length];
      figures[label] = await measure();
      console.log(`  round ${round + 1}, ${label}: ${JSON.stringify(figures[label])}`);
    }
    rounds.push(figures);
  }
  const date = new Date().toISOString().slice(0, 10);
  return { date, tStack: readTstackVersion(), seconds: settings.seconds, rounds };
}
