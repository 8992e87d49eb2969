/**
 * `SharedSubscription.deliver` to 100 members: where all have room, and where every second one has.
 * Measured 2026-11-23 on two shared cores of an Intel Xeon, Node 24.21: 13.5 and 19 ns a message.
 */
import { defaultLimits, silentLog, systemClock } from "../../src/base/index.ts";
import { Counters } from "../../src/broker/counters.ts";
import { Message } from "../../src/broker/message.ts";
import type { Session } from "../../src/broker/session.ts";
import type { SessionContext } from "../../src/broker/session-context.ts";
import { SharedSubscription } from "../../src/broker/shared-subscription.ts";
import { type MicroTask, measureTasks } from "./stopwatch.ts";

const operations = 1000;
const memberCount = 100;
let delivered = 0;

/** As much of a session as a group sees of it. */
function createMember(hasRoom: boolean): Session {
  return {
    connection: {},
    canTake: () => hasRoom,
    deliverNow: () => {
      delivered++;
    },
    join() {},
    leave() {},
  } as unknown as Session;
}

const context = {
  limits: defaultLimits,
  clock: systemClock,
  log: silentLog,
  counters: new Counters(),
  queueDrop: "newest",
  sharedQueues: { messages: 0, bytes: 0 },
} as unknown as SessionContext;
const message = Message.create(
  { topic: "bench/one", qos: 1, retain: false, publisher: "bench", expiresAt: Infinity },
  { properties: new Uint8Array(), expiryOffset: -1, payload: Buffer.alloc(64, "x") },
);

function deliverTask(name: string, hasRoom: (member: number) => boolean): MicroTask {
  const group = new SharedSubscription("workers", "bench/#", context);
  for (let member = 0; member < memberCount; member++) {
    group.add({
      kind: "session",
      session: createMember(hasRoom(member)),
      filter: "$share/workers/bench/#",
      qos: 1,
      noLocal: false,
      retainAsPublished: false,
      identifier: 0,
      shared: group,
    });
  }
  const run = () => {
    for (let i = 0; i < operations; i++) group.deliver(message);
  };
  return { name, unit: "message", operations, run };
}

await measureTasks(import.meta.filename, [
  deliverTask("all members have room", () => true),
  deliverTask("every second member has room", (member) => member % 2 === 0),
]);
if (delivered === 0) throw new Error("nothing was delivered");
