/**
 * What the reads and writes of one scenario cost without a broker: 100 pairs at QoS 1, where every message is two reads
 * and two writes of its own. Says how much of a broker's CPU is the kernel's and Node's, and cannot be saved.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { type RunningProgram, startBroker, startProgram } from "./brokers.ts";
import { type LoadFigures, runLoad } from "./mqload.ts";
import type { Measured } from "./results.ts";
import { measureRounds } from "./rounds.ts";
import { floorLabels, floorScenario } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

const folder = join(import.meta.dirname, "floor");

export async function measureFloor(settings: Settings): Promise<Measured<LoadFigures>> {
  const relay = join(settings.folder, "relay");
  execFileSync("cc", ["-O2", "-o", relay, join(folder, "relay.c")]);
  const inNode = [process.execPath, join(folder, "relay.ts")];
  const start: Record<string, () => Promise<RunningProgram>> = {
    [floorLabels.c]: () => startProgram("relay.c", ({ mqtt }) => [relay, String(mqtt)]),
    [floorLabels.plain]: () =>
      startProgram("relay.ts", ({ mqtt }) => [...inNode, String(mqtt), "plain"]),
    [floorLabels.shared]: () =>
      startProgram("relay.ts", ({ mqtt }) => [...inNode, String(mqtt), "shared"]),
    tStack: () => startBroker("tStack", settings.folder),
    mosquitto: () => startBroker("mosquitto", settings.folder),
  };
  const programs = new Map<string, RunningProgram>();
  try {
    for (const [label, run] of Object.entries(start)) programs.set(label, await run());
    const contestants = [...programs].map(([label, program]) => ({
      label,
      measure: () => runLoad(settings, program, floorScenario.load),
    }));
    for (const program of programs.values()) {
      await runLoad({ ...settings, seconds: 1 }, program, floorScenario.load);
    }
    return await measureRounds(settings, contestants);
  } finally {
    for (const program of programs.values()) await program.stop();
  }
}
