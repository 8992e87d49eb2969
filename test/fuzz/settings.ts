/** What a round's broker is given: mostly the defaults, in some rounds limits so low that they are hit all the time. */
import { completeLimits, defaultLimits, type Limits } from "../../src/base/index.ts";
import type { Chance } from "./chance.ts";

/** Faults that the fuzzer's own test builds in. */
export type Sabotage = "none" | "throw" | "hang";

export interface Settings {
  readonly limits: Limits;
  readonly queueDrop: "newest" | "oldest";
  readonly sysTopicsSeconds: number;
  /** The embedding program subscribes, and answers what it gets with messages of its own. */
  readonly hasEcho: boolean;
  readonly peers: number;
  readonly actions: number;
  readonly sabotage: Sabotage;
}

/** Values near the least that each limit may be. */
const lowLimits: Partial<Record<keyof Limits, readonly number[]>> = {
  packetBytesMax: [64, 200, 2000],
  connectionsMax: [5, 7],
  connectSecondsMax: [1],
  packetSecondsMax: [50, 100],
  keepAliveSecondsMax: [0, 30],
  inFlightMessagesMax: [1, 2, 5],
  receiveMaximum: [1, 2, 5],
  queueMessagesMax: [0, 1, 5],
  queueBytesMax: [1, 100, 1000],
  sharedQueueBytesMax: [1, 150, 1000],
  outboxBytesMax: [100, 1000, 5000],
  sessionsMax: [4, 6],
  sessionExpirySecondsMax: [0, 5, 3600],
  sessionExpirySecondsV3: [0, 5, 3600],
  subscriptionsMax: [1, 3],
  topicLevelsMax: [2, 3],
  topicAliasMax: [0, 1, 3],
  retainedMessagesMax: [0, 2],
  retainedBytesMax: [1000, 5000],
  routesBytesMax: [1, 1000, 5000],
  clientIdentifierBytesMax: [23],
};

export function drawSettings(chance: Chance, sabotage: Sabotage): Settings {
  const share = chance.pick([0, 0, 0.1, 0.3]);
  const limits: { -readonly [Name in keyof Limits]: number } = { ...defaultLimits };
  // So that the end of a round is near in steps, however far in time.
  limits.sessionExpirySecondsMax = 100_000;
  limits.sessionExpirySecondsV3 = 50_000;
  for (const [name, values] of Object.entries(lowLimits)) {
    if (chance.happens(share)) limits[name as keyof Limits] = chance.pick(values);
  }
  const hasSysTopics = chance.happens(0.1);
  // The end of a round finds the broker's own topics among those that are retained: there is room for all of them.
  if (hasSysTopics) limits.retainedMessagesMax = defaultLimits.retainedMessagesMax;
  if (hasSysTopics) limits.retainedBytesMax = defaultLimits.retainedBytesMax;
  return {
    limits: completeLimits(limits),
    queueDrop: chance.pick(["newest", "oldest"]),
    sysTopicsSeconds: hasSysTopics ? 3600 : 0,
    hasEcho: chance.happens(0.3),
    peers: chance.between(2, 6),
    actions: chance.pick([100, 400, 1000, 2000]),
    sabotage,
  };
}

/** What is not at its default, for the report. */
export function describeSettings(settings: Settings): string {
  const { limits, ...others } = settings;
  const low = Object.entries(limits).filter(
    ([name, value]) => value !== defaultLimits[name as keyof Limits],
  );
  return JSON.stringify({ ...others, limits: Object.fromEntries(low) });
}
