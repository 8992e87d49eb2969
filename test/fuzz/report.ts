/** What a run tells people: how deep it went, and how to see a failure again. */
import type { Totals } from "./coverage.ts";
import type { Verdict } from "./supervisor.ts";

const actionsShown = 60;

export function describeProgress({ rounds, packets, mutated }: Totals, seconds: number): string {
  const rate = Math.round(packets / seconds);
  return `${mutated} mutated of ${packets} packets in ${rounds} rounds, ${Math.round(seconds)} s, ${rate} packets/s`;
}

export function describeFailure(seed: number, { failure }: Verdict): string {
  if (failure === undefined) return "";
  const { round, kind, detail, settings, actions } = failure;
  const first = Math.max(0, actions.length - actionsShown);
  const lines = actions.slice(first).map((action, index) => `  ${first + index + 1}. ${action}`);
  return [
    `FAILED: ${kind}`,
    detail,
    `seed ${seed}, round ${round}, settings ${settings}`,
    `the last of ${actions.length} actions (after leaving out what is not needed, unless it hangs):`,
    ...lines,
    `to see it again: npm run fuzz -- --seed ${seed} --round ${round}`,
  ].join("\n");
}

export function describeTotals(totals: Totals, heapBytes: readonly number[]): string {
  const { packets, connected, combinations, met, answers, endings, counters } = totals;
  const share = ((100 * connected) / Math.max(1, packets)).toFixed(1);
  const heap = heapBytes.map((bytes) => (bytes / 1e6).toFixed(1)).join(" ");
  return [
    `${share} % of the packets met a connection that had its CONNACK; up to ${combinations} combinations of state, packet and outcome in a generation`,
    "",
    "packets by the state they met:",
    ...describeStates(met),
    "",
    "answers:",
    ...describeSums(answers, 45),
    "",
    `ends of connections (${endings.size} kinds, the most frequent):`,
    ...describeSums(endings, 25),
    "",
    "in the brokers:",
    ...describeSums(counters, 20),
    ...(heap === "" ? [] : ["", `MB of memory after each generation: ${heap}`]),
  ].join("\n");
}

function describeStates(met: ReadonlyMap<string, number>): string[] {
  const byState = new Map<string, string[]>();
  for (const [key, count] of [...met].sort(([, one], [, other]) => other - one)) {
    const [state, type] = key.split("|");
    byState.set(state, [...(byState.get(state) ?? []), `${type} ${count}`]);
  }
  return [...byState].map(([state, types]) => `  ${state}: ${types.join(", ")}`);
}

function describeSums(sums: ReadonlyMap<string, number>, shown: number): string[] {
  const sorted = [...sums].sort(([, one], [, other]) => other - one);
  const lines = sorted
    .slice(0, shown)
    .map(([name, count]) => `${String(count).padStart(10)}  ${name}`);
  const rest = sorted.length - lines.length;
  return rest > 0 ? [...lines, `            and ${rest} more`] : lines;
}
