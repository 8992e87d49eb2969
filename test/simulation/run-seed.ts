/**
 * A seed from its first event to its last: what the settings say happens; then everybody comes back and answers, and what
 * was promised must be there; then everybody leaves for good, and nothing may be left.
 */

import type { QueueAccount } from "../../src/broker/queue-limits.ts";
import { audit, reckon } from "./model/reckoning.ts";
import type { Sabotage } from "./sabotage.ts";
import { honest } from "./sabotage.ts";
import { describeError, World } from "./world.ts";

export interface SeedResult {
  readonly seed: number;
  /** What was wrong; undefined when nothing was. */
  readonly fault: string | undefined;
  readonly lines: readonly string[];
  readonly hash: string;
  readonly events: number;
  readonly crashes: number;
}

interface SeedOptions {
  readonly sabotage?: Sabotage;
  /** Whether the model looks at what is synced, and not only at what clients see. */
  readonly peeks?: boolean;
}

/** No seed takes more. */
const eventsMax = 20_000;
/** Longer than wills are delayed and a full disk is waited for. */
const quietMilliseconds = 60_000;
const minutesMax = 60;
/** Longer than any session lives. */
const allMilliseconds = 400 * 86_400_000;

export async function runSeed(
  seed: number,
  { sabotage = honest, peeks = true }: SeedOptions = {},
): Promise<SeedResult> {
  const world = new World({ seed, sabotage, peeks });
  const { history } = world;
  const onRejection = (error: unknown): void => {
    if (world.incarnation.isAlive)
      history.report(`a promise was rejected and nobody cared: ${describeError(error)}`);
  };
  process.on("unhandledRejection", onRejection);
  try {
    await live(world);
    if (history.fault === undefined) await comeBack(world);
    if (history.fault === undefined) await leave(world);
  } catch (error) {
    history.report(describeError(error));
  } finally {
    process.off("unhandledRejection", onRejection);
  }
  const { fault, lines, hash, moment: events } = history;
  return { seed, fault, lines, hash, events, crashes: world.crashes };
}

async function live(world: World): Promise<void> {
  const { history, settings } = world;
  for (let event = 0; event < settings.events && history.fault === undefined; event++) {
    if (!(await world.step())) return;
  }
}

/** Everybody is there and has answered everything; wills that were delayed have come. */
async function comeBack(world: World): Promise<void> {
  const { history, clients, model } = world;
  history.record("everybody comes back");
  world.isCalm = true;
  world.incarnation.isSafe = true;
  world.incarnation.storage.fullUntil = 0;
  for (const client of clients) client.isCalm = true;
  await pass(world, 10_000);
  for (const client of clients) client.link?.lose(false);
  await pass(world, 10_000);
  for (const client of clients) client.connect();
  for (let minute = 0; minute < minutesMax; minute++) {
    await pass(world, quietMilliseconds);
    if (world.timeline.busy === 0 && world.incarnation.isQuiet) break;
  }
  if (history.fault !== undefined) return;
  reckon(model);
  audit(model, world.incarnation.broker);
}

/** All that happens until then. */
async function pass(world: World, milliseconds: number): Promise<void> {
  const { timeline, history } = world;
  const until = timeline.now + milliseconds;
  for (let event = 0; event < eventsMax; event++) {
    if (history.fault !== undefined || !(await world.step(until))) {
      timeline.now = Math.max(timeline.now, until);
      return;
    }
  }
  history.report("it never ends");
}

/** Sessions end, all time passes, what is retained is cleared; the power goes once more. */
async function leave(world: World): Promise<void> {
  const { history, clients, model, incarnation } = world;
  history.record("everybody leaves");
  for (const client of clients) client.link?.lose(false);
  await pass(world, 10_000);
  for (const client of clients) client.connect({ isLast: true });
  await pass(world, 10_000);
  const [session] = incarnation.broker.sessions.all();
  for (const client of clients) client.disconnect({ isLast: true });
  for (const topic of [...model.retained.topics]) {
    incarnation.broker.publish({
      topic,
      payload: Buffer.alloc(0),
      qos: 0,
      retain: true,
      properties: {},
    });
    model.retained.closed(model.retained.heard(topic, "", history.moment), history.moment);
  }
  await pass(world, allMilliseconds);
  if (history.fault !== undefined) return;
  checkEmpty(world, session?.context.sharedQueues);
}

/** `account` is that of all groups together. */
function checkEmpty({ incarnation, history, disk }: World, account?: QueueAccount): void {
  const { broker } = incarnation;
  const left: Record<string, number> = {
    connections: broker.connectionCount,
    sessions: broker.sessions.size,
    subscriptions: broker.subscriptions.count,
    "shared subscriptions": broker.subscriptions.sharedCount,
    "retained messages": broker.retained.size,
    "bytes of retained messages": broker.retained.bytes,
    "messages of groups": account?.messages ?? 0,
    "bytes of groups": account?.bytes ?? 0,
    "bytes that are not written": broker.journal.unsyncedBytes,
    timers: incarnation.timers,
    ...disk.ledger.sizes,
  };
  for (const [name, count] of Object.entries(left)) {
    if (count !== 0) history.report(`${count} ${name} are left when all is over`);
  }
}
