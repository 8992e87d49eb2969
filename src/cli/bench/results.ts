/** What a run found, as the object that `--json` prints: names with their units, absent where nothing was measured. */
import type { Cast } from "./cast.ts";
import type { Percentiles } from "./latency-record.ts";
import type { BenchCommand, Plan } from "./plan.ts";
import type { Tally } from "./tally.ts";

export type EndReason =
  | "all done"
  | "seconds are over"
  | "interrupted"
  | "timed out"
  | "stalled"
  | "connection lost"
  | "connections failed";

export interface Results {
  readonly command: BenchCommand;
  readonly broker: string;
  readonly protocolVersion: "3.1" | "3.1.1" | "5.0";
  readonly ended: EndReason;
  readonly connections: {
    readonly asked: number;
    readonly opened: number;
    readonly failed: number;
    readonly lost: number;
    readonly openSeconds: number;
    readonly openedPerSecond: number;
    /** From the first byte of TCP to CONNACK, or SUBACK for a subscriber. */
    readonly openMilliseconds?: Percentiles;
    /** Why connections failed or were lost, and how many for each reason. */
    readonly reasons: Readonly<Record<string, number>>;
  };
  /** How long messages were sent and received. */
  readonly seconds?: number;
  readonly qos?: 0 | 1 | 2;
  readonly payloadBytes?: number;
  readonly sent?: {
    readonly publishers: number;
    readonly messages: number;
    readonly messagesPerSecond: number;
    /** Of payloads. */
    readonly bytesPerSecond: number;
    /** What `--rate` asked for, all publishers together. */
    readonly askedPerSecond?: number;
    readonly acknowledged?: number;
    readonly refused?: number;
    readonly acknowledgementMilliseconds?: Percentiles;
  };
  readonly received?: {
    readonly subscribers: number;
    readonly messages: number;
    readonly messagesPerSecond: number;
    readonly bytesPerSecond: number;
    /** Deliveries that the messages sent should have made; unknown where others publish. */
    readonly expected?: number;
    readonly lost: number;
    readonly duplicates: number;
    /** Absent where messages carry no mark, and for a shared subscription, where no order is promised. */
    readonly outOfOrder?: number;
    /** Without tbench's mark: nothing of them is checked. */
    readonly unmarked: number;
    /** Of another run of tbench. */
    readonly foreign: number;
    /** Kept by the broker from before the subscription: they have no latency. */
    readonly retained: number;
    readonly latencyMilliseconds?: Percentiles;
  };
  /** Of one core, while it was measured. */
  readonly toolCpuPercent: number;
}

/** What the load knows besides plan, cast and tally. */
export interface Course {
  readonly broker: string;
  readonly ended: EndReason;
  readonly opened: number;
  readonly failed: number;
  readonly lost: number;
  readonly openSeconds: number;
  readonly reasons: ReadonlyMap<string, number>;
  /** Undefined where it never came to messages. */
  readonly seconds?: number;
  readonly toolCpuPercent: number;
}

const versionNames = { 3: "3.1", 4: "3.1.1", 5: "5.0" } as const;

export function gatherResults(plan: Plan, cast: Cast, tally: Tally, course: Course): Results {
  const { opened, failed, lost, openSeconds, seconds } = course;
  const carriesMessages = seconds !== undefined && plan.command !== "conn";
  return {
    command: plan.command,
    broker: course.broker,
    protocolVersion: versionNames[plan.connection.protocolVersion],
    ended: course.ended,
    connections: {
      asked: cast.clients.length,
      opened,
      failed,
      lost,
      openSeconds: round(openSeconds, 3),
      openedPerSecond: perSecond(opened, openSeconds),
      openMilliseconds: tally.connectTime.summarize(),
      reasons: Object.fromEntries(course.reasons),
    },
    ...(carriesMessages
      ? {
          seconds: round(seconds, 3),
          qos: plan.qos,
          sent: cast.publishers.length > 0 ? gatherSent(plan, tally, seconds) : undefined,
          received:
            cast.subscribers.length > 0 ? gatherReceived(plan, cast, tally, seconds) : undefined,
        }
      : {}),
    ...(carriesMessages && cast.publishers.length > 0 ? { payloadBytes: plan.payloadBytes } : {}),
    toolCpuPercent: Math.round(course.toolCpuPercent),
  };
}

function gatherSent(plan: Plan, tally: Tally, seconds: number): Results["sent"] {
  const rate = plan.ratePerSecond;
  return {
    publishers: plan.publisherCount,
    messages: tally.sent,
    messagesPerSecond: perSecond(tally.sent, seconds),
    bytesPerSecond: perSecond(tally.sent * plan.payloadBytes, seconds),
    ...(rate === undefined ? {} : { askedPerSecond: rate * plan.publisherCount }),
    ...(plan.qos === 0
      ? {}
      : {
          acknowledged: tally.acknowledged,
          refused: tally.refused,
          acknowledgementMilliseconds: tally.acknowledgementLatency.summarize(),
        }),
  };
}

function gatherReceived(
  plan: Plan,
  cast: Cast,
  tally: Tally,
  seconds: number,
): Results["received"] {
  const { duplicates, outOfOrder, missing } = sumChecks(cast);
  const expected = cast.publishers.length > 0 ? countExpected(cast) : undefined;
  const isChecked = !plan.isShared && tally.unmarked < tally.received;
  return {
    subscribers: plan.subscriberCount,
    messages: tally.received,
    messagesPerSecond: perSecond(tally.received, seconds),
    bytesPerSecond: perSecond(tally.receivedBytes, seconds),
    expected,
    lost:
      expected === undefined
        ? missing
        : Math.max(0, expected - (tally.received - tally.foreign - duplicates)),
    duplicates,
    ...(isChecked ? { outOfOrder } : {}),
    unmarked: tally.unmarked,
    foreign: tally.foreign,
    retained: tally.retained,
    latencyMilliseconds: tally.latency.summarize(),
  };
}

export function sumChecks({ subscribers }: Pick<Cast, "subscribers">): {
  duplicates: number;
  outOfOrder: number;
  missing: number;
} {
  const sum = { duplicates: 0, outOfOrder: 0, missing: 0 };
  for (const checks of new Set(subscribers.map((subscriber) => subscriber.checks))) {
    for (const { duplicates, outOfOrder, missing } of checks.all) {
      sum.duplicates += duplicates;
      sum.outOfOrder += outOfOrder;
      sum.missing += missing;
    }
  }
  return sum;
}

/** The deliveries that everything sent until now should make. */
export function countExpected({ publishers, deliveries }: Cast): number {
  return publishers.reduce((sum, { sent }, index) => sum + sent * deliveries[index], 0);
}

function perSecond(count: number, seconds: number): number {
  return seconds > 0 ? round(count / seconds, 1) : 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
