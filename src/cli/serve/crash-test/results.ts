/** What a crash test found, as data: `--json` prints it as it stands here. */
import type { Cast } from "./cast.ts";
import { type FaultKind, type Faults, faultKinds } from "./faults.ts";

/** How the test came to its end. Only after `all rounds` what is missing is known. */
export type End = "all rounds" | "interrupted" | "not acknowledged" | "broker failed";

export interface Round {
  readonly round: number;
  /** After how many milliseconds the broker was killed, and in how many it was up again. */
  readonly livedMilliseconds: number;
  readonly restartMilliseconds: number;
  /** Also killed while it started. */
  readonly killedAtStart: boolean;
  readonly published: number;
  readonly acknowledged: number;
  /** PUBLISH packets that subscribers got. */
  readonly received: number;
}

export interface Results {
  readonly broker: string;
  readonly durability: string | undefined;
  readonly folder: string;
  readonly seed: number;
  readonly ended: End;
  readonly seconds: number;
  readonly kills: number;
  readonly rounds: readonly Round[];
  readonly drainSeconds: number | undefined;
  readonly published: number;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unacknowledged: number;
  /** Messages of all sessions, each session's once. */
  readonly received: number;
  readonly receivedAgainQos1: number;
  readonly retainedAcknowledged: number;
  readonly retainedLooks: number;
  readonly subscriptionChanges: number;
  readonly subscriptionLooks: number;
  readonly sessions: number;
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly faultExamples: readonly string[];
  /** What else happened, with how often. */
  readonly notes: Readonly<Record<string, number>>;
  /** Why it ended early, and what the broker said last. */
  readonly failure: string | undefined;
  readonly brokerOutput: readonly string[] | undefined;
}

export type Course = Pick<
  Results,
  | "broker"
  | "durability"
  | "folder"
  | "seed"
  | "ended"
  | "seconds"
  | "kills"
  | "rounds"
  | "drainSeconds"
  | "notes"
  | "failure"
  | "brokerOutput"
>;

export function gatherResults(course: Course, cast: Cast, faults: Faults): Results {
  const sum = <Item>(items: readonly Item[], count: (item: Item) => number) =>
    items.reduce((total, item) => total + count(item), 0);
  const counts = Object.fromEntries(faultKinds.map((kind) => [kind, faults.count(kind)]));
  return {
    ...course,
    published: sum(cast.streams, ({ sent }) => sent),
    acknowledged: sum(cast.streams, ({ acknowledged }) => acknowledged),
    refused: sum(cast.streams, ({ refused }) => refused),
    unacknowledged: cast.underWay,
    received: sum(cast.receipts, ({ received }) => received),
    receivedAgainQos1: sum(cast.receipts, ({ again }) => again),
    retainedAcknowledged: sum(cast.retainedWriters, ({ acknowledged }) => acknowledged),
    retainedLooks: cast.retainedLook.looked,
    subscriptionChanges: cast.wavering.changes,
    subscriptionLooks: cast.wavering.probed,
    sessions: cast.sessionCount,
    faults: counts as Record<FaultKind, number>,
    faultExamples: faults.examples,
  };
}
