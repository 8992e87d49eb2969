/** What a run of the benchmarks leaves behind: every figure of every round, as JSON, to be rendered at any time. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { LoadFigures } from "./mqload.ts";

/** One part of the benchmarks: in each round, one figure of each contestant by its label. */
export interface Measured<Figure> {
  readonly date: string;
  /** The version of tStack; absent where it is that of the machine's. */
  readonly tStack?: string;
  readonly seconds: number;
  readonly rounds: readonly Readonly<Record<string, Figure>>[];
}

/** Messages over one transport, of the client in `bench/clients/stream-client.ts`. */
export type StreamFigures = Pick<
  LoadFigures,
  "cpuMicroseconds" | "deliveredPerSecond" | "lost" | "outOfOrder"
>;

export interface StormFigures {
  /** The stream alone. */
  readonly quiet: LoadFigures;
  /** The same stream while others subscribe and unsubscribe. */
  readonly stormy: LoadFigures;
  /** SUBSCRIBE and UNSUBSCRIBE that were acknowledged. */
  readonly operationsPerSecond: number;
}

/** Bytes that a broker's memory grew by, for each subscription. */
export interface SubscriptionFigures {
  readonly residentBytes: number;
  /** Of the JavaScript heap and of buffers, after garbage collection; only of what runs in Node. */
  readonly usedBytes: number | undefined;
}

export interface MicroFigure {
  /** The file in bench/micro, without its ending. */
  readonly file: string;
  readonly name: string;
  /** What one operation is: "frame", "message". */
  readonly unit: string;
  readonly nanoseconds: number;
  /** Of half of all samples, how far they lie apart. */
  readonly spreadNanoseconds: number;
}

/** A session that comes back to its queue, after the broker was killed and started again. */
export interface DrainFigures {
  /** Of the broker with all that waits in its storage, until it listened. */
  readonly startMilliseconds: number;
  readonly residentBytesAtStart: number;
  readonly deliveredPerSecond: number;
  /** The broker's CPU for each message. */
  readonly cpuMicroseconds: number;
  readonly residentBytesAtEnd: number;
  /** Of a whole core: 1 is all of it. */
  readonly loadUtilisation: number;
  readonly lost: number;
  readonly outOfOrder: number;
}

export interface DurabilityResults {
  /** Microseconds that 8 KB take from their write to the end of their fsync, the median. */
  readonly disk: Measured<number>;
  readonly kept: Measured<LoadFigures>;
  /** Here a message counts when it is acknowledged. */
  readonly offline: Measured<LoadFigures>;
  readonly drain: Measured<DrainFigures>;
}

/** The tree at a million filters, bench/micro/subscription-tree.ts. */
export interface TreeFigures {
  readonly subscriptions: number;
  readonly entryBytes: number;
  readonly treeBytes: number;
  readonly bytesLeftBehind: number;
  readonly addMicroseconds: number;
  readonly removeMicroseconds: number;
  /** By the end of the topics asked for. */
  readonly matches: readonly {
    readonly topics: string;
    readonly microseconds: number;
    readonly entries: number;
  }[];
}

export interface MicroResults {
  readonly date: string;
  readonly figures: readonly MicroFigure[];
  readonly tree: TreeFigures;
}

/** Readings that one program has loaded. */
export interface ReadingsFigures {
  readonly readingsPerSecond: number;
  /** The program's own CPU for each; absent where it is not ours. */
  readonly cpuMicroseconds?: number;
}

/** From a publisher through tserve and tconsume into a file of SQLite. */
export interface ChainFigures {
  /** Until the last was written and acknowledged. */
  readonly messagesPerSecond: number;
  /** Of tserve, for each message. */
  readonly brokerMicroseconds: number;
  /** Of tconsume. */
  readonly consumerMicroseconds: number;
  /** tconsume's, by the messages that it had acknowledged. */
  readonly residentBytes: Readonly<Record<string, number>>;
  readonly missing: number;
}

export interface ReadingsResults {
  readonly versions: Readonly<Record<"SQLite" | "PostgreSQL" | "InfluxDB", string>>;
  readonly sinks: Measured<ReadingsFigures>;
  readonly chain: Measured<ChainFigures>;
}

export interface Results {
  readonly machine: Machine;
  /** By the name of the scenario. */
  readonly speed: Readonly<Record<string, Measured<LoadFigures>>>;
  readonly webSocket?: Measured<StreamFigures>;
  /** Kilobytes for each connection. */
  readonly idle?: Measured<number>;
  readonly subscriptions?: Measured<SubscriptionFigures>;
  readonly storm?: Measured<StormFigures>;
  /** By the name of the scenario and the label of the rights. */
  readonly rights?: Measured<LoadFigures>;
  /** What a scenario's reads and writes cost without a broker, and two brokers beside them. */
  readonly floor?: Measured<LoadFigures>;
  readonly durability?: DurabilityResults;
  readonly readings?: ReadingsResults;
  readonly readingsMemory?: Measured<ChainFigures>;
  readonly micro?: MicroResults;
}

const file = join(import.meta.dirname, "results/last-run.json");

export function readResults(): Results | undefined {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as Results;
}

export function writeResults(results: Results): void {
  writeFileSync(file, `${JSON.stringify(results, undefined, 1)}\n`);
}

export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  /** Ascending. */
  readonly all: readonly number[];
}

export function spreadOf(values: readonly number[]): Spread {
  const all = values.toSorted((a, b) => a - b);
  const middle = all.length >> 1;
  const median = all.length % 2 === 1 ? all[middle] : (all[middle - 1] + all[middle]) / 2;
  return { median, least: all[0], most: all[all.length - 1], all };
}

/** The figures of one contestant in all rounds. */
export function figuresOf<Figure>(measured: Measured<Figure>, label: string): Figure[] {
  return measured.rounds.map((round) => round[label]).filter((figure) => figure !== undefined);
}

/** In each round, what `of` makes of one contestant divided by what it makes of the other. */
export function ratiosOf<Figure>(
  measured: Measured<Figure>,
  [above, below]: readonly [string, string],
  of: (figure: Figure) => number,
): number[] {
  return measured.rounds
    .filter((round) => round[above] !== undefined && round[below] !== undefined)
    .map((round) => of(round[above]) / of(round[below]));
}
