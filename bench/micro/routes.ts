/**
 * `Routes` among 100,000 subscriptions: the current route of a topic that is held, the route of a topic by its name,
 * and the same after a wildcard subscription has come or gone, when it is matched and grouped anew.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 1.5 ns, 10 ns and, matched anew, about 5.8 us with busy neighbours.
 */

import { defaultLimits } from "../../src/base/index.ts";
import { Counters } from "../../src/broker/counters.ts";
import { Routes } from "../../src/broker/routes.ts";
import { Session } from "../../src/broker/session.ts";
import type { SessionContext } from "../../src/broker/session-context.ts";
import { Subscriptions } from "../../src/broker/subscriptions.ts";
import { parseTopicFilter } from "../../src/topics/index.ts";
import { filterOf, sites } from "../filters.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const subscriptionCount = 100_000;
const operations = 1000;
const routes = new Routes(defaultLimits.routesBytesMax);
const subscriptions = new Subscriptions(routes);
/** All that a session without a connection asks of it. */
const context = { counters: new Counters() } as SessionContext;
const sessions = Array.from({ length: 100 }, (_, i) => new Session(`session-${i}`, false, context));

function subscribe(session: Session, filter: string) {
  const parsed = parseTopicFilter(filter, 128);
  if (parsed === undefined) throw new Error(filter);
  const request = {
    filter,
    qos: 0 as const,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0 as const,
  };
  return subscriptions.add(session, request, { parsed, qos: 0, identifier: 0 });
}

for (let index = 0; index < subscriptionCount; index++) {
  subscribe(sessions[Math.floor(index / sites)], filterOf(index));
}
const topics = Array.from({ length: operations }, (_, i) => {
  const device = (i * 7919) % subscriptionCount;
  return `site/${device % sites}/device/${device}/command`;
});
const held = routes.find(topics[0]);
let found = 0;

/** Every topic once, after a wildcard subscription has come and gone. */
function changeAndFind(): void {
  subscriptions.remove(subscribe(sessions[0], "bench/+/changed"));
  for (const topic of topics) found += routes.find(topic).groups.length;
}

const tasks: MicroTask[] = [
  {
    name: "hit: the route that a publisher holds",
    unit: "message",
    operations,
    run: () => {
      for (let i = 0; i < operations; i++) found += routes.current(held).groups.length;
    },
  },
  {
    name: "hit: a topic by its name",
    unit: "message",
    operations,
    run: () => {
      for (const topic of topics) found += routes.find(topic).groups.length;
    },
  },
  {
    name: "miss: matched anew",
    unit: "message",
    operations,
    run: changeAndFind,
  },
];
await measureTasks(import.meta.filename, tasks);
if (found === 0) throw new Error("nothing was found");
