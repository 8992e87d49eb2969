/**
 * The end of a round: everybody leaves, all time passes, what is retained is cleared. Then the broker, which still
 * stands, must be as empty as it was in the beginning, and hold on to nothing that it had.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import { queryObjects, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { InFlightWindow } from "../../src/broker/in-flight-window.ts";
import { Message } from "../../src/broker/message.ts";
import { MessageQueue } from "../../src/broker/message-queue.ts";
import type { QueueAccount } from "../../src/broker/queue-limits.ts";
import { SharedSubscription } from "../../src/broker/shared-subscription.ts";
import { FilterBranch, FilterTail } from "../../src/topics/filter-node.ts";
import type { World } from "./world.ts";

setFlagsFromString("--expose-gc");
export const collectGarbage = runInNewContext("gc") as () => void;

/** Longer than the latest answer takes and any session lives after it. */
const allTimeMilliseconds = 400_000_000;
/** Of a message: 32 bits of seconds. */
const longestExpiryMilliseconds = 2 ** 32 * 1000;
const turnsToClose = 5;
const collectionsMax = 5;
/** The one that `Delivery` uses again and again, and the copy of what it carried last. */
const deliveryMessages = 2;

/** How thoroughly: counters always, references after a collection of garbage, a count of all objects takes most. */
export type Thoroughness = "counters" | "references" | "objects";

export async function endRound(world: World, thoroughness: Thoroughness): Promise<void> {
  const { broker, violations } = world;
  const sharedQueues = leave(world);
  await world.settle();
  world.bystanders.length = 0;
  await world.perform({ kind: "advance", milliseconds: allTimeMilliseconds });
  clearRetained(world);
  // The one timer of all deadlines may still be set for one that was called off.
  const hasSysTopics = world.settings.sysTopicsSeconds > 0;
  if (!hasSysTopics)
    await world.perform({ kind: "advance", milliseconds: longestExpiryMilliseconds });
  await world.settle();
  const left: Record<string, number> = {
    connections: broker.connectionCount,
    sessions: broker.sessions.size,
    subscriptions: broker.subscriptions.count,
    "shared subscriptions": broker.subscriptions.sharedCount,
    "retained messages": broker.retained.size,
    "bytes of retained messages": broker.retained.bytes,
    "messages in shared queues": sharedQueues.messages,
    "bytes in shared queues": sharedQueues.bytes,
    timers: hasSysTopics ? 0 : world.clock.timerCount,
    routes: countRoutes(world),
  };
  reportLeft(world, left);
  if (thoroughness !== "counters") await checkReferences(world);
  if (thoroughness === "objects") reportLeft(world, countObjects(world));
  let isClosed = false;
  const closed = broker.close().then(() => {
    isClosed = true;
  });
  for (let turn = 0; turn < turnsToClose; turn++) await nextTurn();
  if (isClosed) await closed;
  else violations.report("the broker does not close: a transport was not let go");
}

/** Not part of `endRound`, which would hold on to what it had in hand. Answers what waits in shared subscriptions. */
function leave({ peers, bystanders }: World): QueueAccount {
  const { session } = bystanders[0].peer.connection;
  for (const peer of peers) peer?.close(false);
  for (const bystander of bystanders) bystander.disconnect();
  return session?.context.sharedQueues ?? { messages: 0, bytes: 0 };
}

/** Publishes to every topic that was used: its route is worked out anew and forgets who was there. */
function clearRetained({ broker, gatekeeper, violations }: World): void {
  const payload = Buffer.alloc(0);
  const sysTopics = [...broker.retained.match("$SYS/#")].map(({ topic }) => topic);
  for (const topic of sysTopics) {
    broker.retained.delete(topic);
    broker.routes.find(topic);
  }
  for (const topic of [...gatekeeper.topics, "echo/again", "bystander"]) {
    violations.guard("clearing", () => {
      broker.publish({ topic, payload, qos: 0, retain: true, properties: {} });
    });
  }
}

function countRoutes({ broker, gatekeeper, settings }: World): number {
  let count = 0;
  for (const topic of gatekeeper.topics) {
    const isEchoed = settings.hasEcho && /^echo\/[^/]*$/.test(topic);
    if (!isEchoed && broker.routes.find(topic).hasSubscribers) count++;
  }
  return count;
}

function reportLeft({ violations }: World, left: Record<string, number>): void {
  for (const [name, count] of Object.entries(left)) {
    if (count !== 0) violations.report(`${name} are left when all is over`, String(count));
  }
}

async function checkReferences(world: World): Promise<void> {
  world.peers.length = 0;
  for (let collection = 0; collection < collectionsMax; collection++) {
    await nextTurn();
    collectGarbage();
    if (world.past.every((reference) => reference.deref() === undefined)) return;
  }
  for (const reference of world.past) {
    const held = reference.deref();
    if (held === undefined) continue;
    world.violations.report(`a ${held.constructor.name} is held when all is over`);
  }
}

/** One filter node is the tree's root; the program's subscription has its own nodes. */
function countObjects({ settings }: World): Record<string, number> {
  const count = (kind: new (...parameters: never[]) => object): number =>
    queryObjects(kind, { format: "count" });
  return {
    "shared subscriptions in memory": count(SharedSubscription),
    "queues in memory": count(MessageQueue),
    "windows in memory": count(InFlightWindow),
    "messages in memory": Math.max(0, count(Message) - deliveryMessages),
    "filters in memory": settings.hasEcho ? 0 : count(FilterBranch) + count(FilterTail) - 1,
  };
}
