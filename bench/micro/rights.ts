/**
 * `decide`: what a client may do, by the last of ten rights, two of them with `%u`. The broker asks this once for each
 * connection and topic that it publishes to, and for each SUBSCRIBE.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 0.74 us to publish, 4.1 us to subscribe, 0.68 us to be refused.
 */
import { decide, type Right } from "../../src/auth/rights.ts";
import type { AuthorizationRequest } from "../../src/broker/ports.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const operations = 1000;
const filters = [
  ...Array.from({ length: 7 }, (_, i) => `house/${i}/#`),
  "users/%u/#",
  "devices/%u/+/set",
  "bench/#",
];
const rights: readonly Right[] = filters.map((filter, i) => ({
  effect: "allow",
  action: "both",
  filter,
  source: `users[0].rights[${i}]`,
}));
const client: AuthorizationRequest["client"] = {
  clientIdentifier: "bench",
  userName: "ada",
  protocolVersion: 4,
  remoteAddress: "127.0.0.1:1",
  listener: "mqtt://127.0.0.1:1883",
};
let allowed = 0;

function decideTask(
  name: string,
  request: Pick<AuthorizationRequest, "action" | "topic">,
): MicroTask {
  const whole = { ...request, client, qos: 0 as const, retain: false };
  const run = () => {
    for (let i = 0; i < operations; i++) if (decide(rights, "ada", whole).allowed) allowed++;
  };
  return { name, unit: "decision", operations, run };
}

await measureTasks(import.meta.filename, [
  decideTask("publish, allowed by the tenth right", { action: "publish", topic: "bench/one" }),
  decideTask("subscribe, allowed by the tenth right", { action: "subscribe", topic: "bench/+/a" }),
  decideTask("publish, allowed by no right", { action: "publish", topic: "other/one" }),
]);
if (allowed === 0) throw new Error("nothing was allowed");
