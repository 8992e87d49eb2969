/**
 * One round: a broker of its own, a list of actions, and what must hold at the end. A round is chosen step by step by
 * the driver, or repeats actions that were recorded; a failing one is made smaller by leaving actions out.
 */
import type { Action } from "./action.ts";
import { endRound, type Thoroughness } from "./aftermath.ts";
import { Chance } from "./chance.ts";
import type { Corpus } from "./corpus.ts";
import { add, type Coverage } from "./coverage.ts";
import { Driver } from "./driver.ts";
import { drawSettings, type Sabotage, type Settings } from "./settings.ts";
import { describeError, type Violation } from "./violation.ts";
import { World } from "./world.ts";

export interface RoundResult {
  readonly settings: Settings;
  readonly actions: readonly Action[];
  readonly violation: Violation | undefined;
}

/** Told before each action, so that a supervisor can see one that never ends. */
export type Heartbeat = (actionNumber: number) => void;

interface RoundOptions {
  readonly seed: number;
  readonly round: number;
  readonly corpus: Corpus;
  readonly coverage: Coverage;
  readonly thoroughness: Thoroughness;
  readonly sabotage: Sabotage;
  readonly heartbeat: Heartbeat;
  /** The round is broken off before this action is carried out. */
  readonly stopBefore: number;
}

export class StoppedError extends Error {}

/** Streams of chance that must not depend on each other. */
const streams = { settings: 0, driver: 1, broker: 2 };
const streamsCount = 4;

function chanceFor(seed: number, round: number, stream: keyof typeof streams): Chance {
  return new Chance(seed, round * streamsCount + streams[stream]);
}

export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const { seed, round, corpus, coverage, heartbeat, stopBefore } = options;
  const settings = drawSettings(chanceFor(seed, round, "settings"), options.sabotage);
  const world = new World(settings, chanceFor(seed, round, "broker"));
  const chance = chanceFor(seed, round, "driver");
  const driver = new Driver(world, { corpus, coverage, chance });
  const actions: Action[] = [];
  const record = (action: Action): void => {
    actions.push(action);
    heartbeat(actions.length);
    if (actions.length === stopBefore) throw new StoppedError();
  };
  const violation = await live(world, options.thoroughness, async () => {
    while (actions.length < settings.actions && world.violations.first === undefined) {
      await driver.step(record);
    }
  });
  countBroker(world, coverage);
  return { settings, actions, violation };
}

/** The same again, or what is left of it. */
export async function replay(
  { seed, round }: { seed: number; round: number },
  { settings, actions }: Pick<RoundResult, "settings" | "actions">,
  { thoroughness, heartbeat }: { thoroughness: Thoroughness; heartbeat: Heartbeat },
): Promise<Violation | undefined> {
  const world = new World(settings, chanceFor(seed, round, "broker"));
  return await live(world, thoroughness, async () => {
    for (const [index, action] of actions.entries()) {
      if (world.violations.first !== undefined) return;
      heartbeat(index + 1);
      await world.perform(action);
    }
  });
}

async function live(
  world: World,
  thoroughness: Thoroughness,
  act: () => Promise<void>,
): Promise<Violation | undefined> {
  const { violations } = world;
  const onRejection = (error: unknown): void => {
    violations.report("a promise was rejected and nobody cared", describeError(error));
  };
  process.on("unhandledRejection", onRejection);
  process.on("uncaughtException", onRejection);
  try {
    await world.begin();
    await act();
    if (violations.first === undefined) await endRound(world, thoroughness);
  } catch (error) {
    if (error instanceof StoppedError) return { kind: "stopped", detail: "" };
    throw error;
  } finally {
    process.off("unhandledRejection", onRejection);
    process.off("uncaughtException", onRejection);
  }
  return violations.first;
}

function countBroker({ broker }: World, { totals }: Coverage): void {
  const { dropped, connectionsAccepted, sessionsExpired, publishSent } = broker.counters;
  totals.rounds++;
  add(totals.counters, "connections accepted", connectionsAccepted);
  add(totals.counters, "sessions expired", sessionsExpired);
  add(totals.counters, "messages delivered", publishSent);
  for (const [reason, count] of Object.entries(dropped))
    add(totals.counters, `dropped: ${reason}`, count);
}

/** Leaves actions out, first many at once, as long as the round fails in the same way. */
export async function shrink(
  identity: { seed: number; round: number },
  failed: RoundResult,
  {
    secondsMax,
    ...options
  }: { secondsMax: number; thoroughness: Thoroughness; heartbeat: Heartbeat },
): Promise<RoundResult> {
  const { settings } = failed;
  let { actions } = failed;
  const until = performance.now() + secondsMax * 1000;
  for (let size = Math.ceil(actions.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (
      let start = actions.length - size;
      start > -size && performance.now() < until;
      start -= size
    ) {
      const fewer = [...actions.slice(0, Math.max(0, start)), ...actions.slice(start + size)];
      const violation = await replay(identity, { settings, actions: fewer }, options);
      if (violation?.kind === failed.violation?.kind) actions = fewer;
    }
  }
  return { ...failed, actions };
}
