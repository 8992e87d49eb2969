/** Whether a run found what it should have: the failure it ends with, or none. */
import { describeCode, ProgramFailure } from "../client/index.ts";
import type { ConnectionCount } from "./connection-count.ts";
import type { Plan } from "./plan.ts";
import type { Results } from "./results.ts";
import { countOf } from "./results-text.ts";
import type { Tally } from "./tally.ts";

export function findFault(
  plan: Plan,
  results: Results,
  connections: ConnectionCount,
  tally: Tally,
): ProgramFailure | undefined {
  const faults: string[] = [];
  if (connections.lost > 0) {
    faults.push(`${countOf(connections.lost, "connection")} lost: ${lastOf(connections.reasons)}`);
  }
  if (results.ended === "stalled") {
    faults.push("nothing moved any more, with messages under way");
  }
  if (tally.refused > 0) {
    const reason = describeCode(tally.refusalCode);
    faults.push(`${countOf(tally.refused, "message")} refused: ${reason}`);
  }
  if (tally.strangeAcknowledgements > 0) {
    const strange = countOf(tally.strangeAcknowledgements, "acknowledgement");
    faults.push(`${strange} of what was not under way`);
  }
  if (plan.qos > 0) faults.push(...describeMessageFaults(plan, results));
  if (connections.failed > 0) {
    const failure = connections.explain(results.connections.asked);
    const message = [failure.message, ...faults].join("; ");
    return new ProgramFailure(message, { exitCode: failure.exitCode });
  }
  return faults.length > 0 ? new ProgramFailure(faults.join("; ")) : undefined;
}

/** At QoS 0 a broker may lose messages; it is told, and no failure. */
function describeMessageFaults(plan: Plan, { sent, received }: Results): string[] {
  const faults: string[] = [];
  const unacknowledged = sent === undefined ? 0 : sent.messages - (sent.acknowledged ?? 0);
  if (unacknowledged > 0) faults.push(`${countOf(unacknowledged, "message")} not acknowledged`);
  if (received === undefined) return faults;
  const { lost, outOfOrder = 0, duplicates } = received;
  if (lost > 0) faults.push(`${countOf(lost, "message")} lost`);
  if (outOfOrder > 0) faults.push(`${countOf(outOfOrder, "message")} out of order`);
  if (plan.qos === 2 && duplicates > 0)
    faults.push(`${countOf(duplicates, "message")} received twice`);
  return faults;
}

function lastOf(reasons: ReadonlyMap<string, number>): string {
  return [...reasons.keys()].at(-1) ?? "";
}
