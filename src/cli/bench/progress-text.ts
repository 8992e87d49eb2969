/** One line about a run while it goes on. */
import type { Cast } from "./cast.ts";
import type { ConnectionCount } from "./connection-count.ts";
import type { Plan } from "./plan.ts";
import { sumChecks } from "./results.ts";
import { count, ms } from "./results-text.ts";
import type { Tally } from "./tally.ts";

/** Answers with what happened in the `seconds` since it was asked before. */
export function describeProgress(
  plan: Plan,
  cast: Cast,
  tally: Tally,
  connections: ConnectionCount,
): (seconds: number) => string {
  let before = { opened: 0, sent: 0, received: 0 };
  return (seconds) => {
    const now = { opened: connections.opened, sent: tally.sent, received: tally.received };
    const rate = (name: keyof typeof now) => count((now[name] - before[name]) / seconds);
    const parts = [`${count(connections.open)} of ${count(cast.clients.length)} clients`];
    if (now.opened > before.opened) parts.push(`${rate("opened")} new/s`);
    if (connections.failed > 0) parts.push(`${count(connections.failed)} failed`);
    if (connections.lost > 0) parts.push(`${count(connections.lost)} lost`);
    if (plan.publisherCount > 0 && now.sent > 0) parts.push(`sent ${rate("sent")}/s`);
    if (plan.subscriberCount > 0 && now.received > 0) {
      const { missing } = sumChecks(cast);
      parts.push(`received ${rate("received")}/s`, `${count(missing)} missing`);
    }
    const latency = tally.latency.count > 0 ? tally.latency : tally.acknowledgementLatency;
    if (latency.count > 0) parts.push(`p99 ${ms(latency.percentileMilliseconds(99))} ms`);
    before = now;
    return `tbench ${plan.command}: ${parts.join(", ")}`;
  };
}
