/** What tStack is to reach, and what it has reached: the rows of the first table, and of a chart. */
import type { LoadFigures } from "./mqload.ts";
import {
  type ChainFigures,
  type DurabilityResults,
  figuresOf,
  type Measured,
  type MicroResults,
  type ReadingsResults,
  type Results,
  ratiosOf,
  type Spread,
  type StormFigures,
  type StreamFigures,
  spreadOf,
} from "./results.ts";
import {
  durability,
  idle,
  match,
  readings,
  type Scenario,
  scenarios,
  storm,
  streamLabels,
  subscriptions,
  v5,
  webSocket,
} from "./scenarios.ts";

export interface Target {
  readonly name: string;
  /** What the name leaves out. */
  readonly detail: string;
  /** What the figure is about: "of nats-server", "KB". */
  readonly unit: string;
  readonly measured: Spread;
  readonly target: number;
  /** Whether more is better: the target is the least that is to be reached. Otherwise it is the most. */
  readonly isLeast: boolean;
  /** What was lost or came out of order, in words; nothing where all is well. */
  readonly fault: string | undefined;
  readonly isMet: boolean;
  /** What both have needed for each message; absent where the target is no ratio. */
  readonly compared?: readonly [ours: Spread, theirs: Spread];
}

const cpuOf = ({ cpuMicroseconds }: Pick<LoadFigures, "cpuMicroseconds">) => cpuMicroseconds;

export function listTargets(results: Results): Target[] {
  const targets: Target[] = [];
  for (const scenario of scenarios) {
    const measured = results.speed[scenario.name];
    if (measured !== undefined) targets.push(targetOf(scenario, measured));
  }
  const worst = findWorstV5(results);
  if (worst !== undefined) targets.push(worst);
  if (results.webSocket !== undefined) targets.push(webSocketTarget(results.webSocket));
  if (results.idle !== undefined) {
    const title = {
      name: "idle connection",
      detail: `${idle.connections.toLocaleString("en-US")} of them`,
    };
    targets.push(plainTarget(title, "KB", figuresOf(results.idle, "tStack"), idle.kilobytesTarget));
  }
  if (results.subscriptions !== undefined) {
    const bytes = figuresOf(results.subscriptions, "tStack").map(({ usedBytes = 0 }) => usedBytes);
    const title = { name: "subscription", detail: "a million of them in a whole broker, in use" };
    targets.push(plainTarget(title, "bytes", bytes, subscriptions.bytesTarget));
  }
  if (results.storm !== undefined) targets.push(stormTarget(results.storm));
  if (results.durability !== undefined) targets.push(...durabilityTargets(results.durability));
  if (results.readings !== undefined) targets.push(...readingsTargets(results.readings));
  if (results.readingsMemory !== undefined) targets.push(memoryTarget(results.readingsMemory));
  if (results.micro !== undefined) targets.push(matchTarget(results.micro));
  return targets;
}

function targetOf(
  { title, load, peer, target }: Scenario,
  measured: Measured<LoadFigures>,
): Target {
  return compare({ name: title, detail: `\`${load.join(" ")}\`` }, measured, {
    labels: ["tStack", peer],
    unit: `of ${peer}`,
    target,
  });
}

/** MQTT 5.0 beside 3.1.1 where it costs most. */
function findWorstV5({ speed }: Results): Target | undefined {
  const all = scenarios.flatMap(({ name, title }) => {
    const measured = speed[name];
    if (measured === undefined) return [];
    const labels = [v5.label, "tStack"] as const;
    const row = { labels, unit: "of our own 3.1.1", target: v5.target };
    const names = { name: "MQTT 5.0", detail: `\`-v 5\`, the worst: ${title}` };
    return [compare(names, measured, row)];
  });
  return all.toSorted((a, b) => b.measured.median - a.measured.median).at(0);
}

function webSocketTarget(measured: Measured<StreamFigures>): Target {
  const { tcp, webSocket: label } = streamLabels.batched;
  const names = { name: "WebSocket", detail: "1 to 1, QoS 0, many packets a message" };
  return compare(names, measured, {
    labels: [label, tcp],
    unit: "of our own TCP",
    target: webSocket.target,
  });
}

/** "Does not disturb a running stream": half of its messages are as quick as they were, or nearly. */
function stormTarget(measured: Measured<StormFigures>): Target {
  const figures = figuresOf(measured, "tStack");
  const ratios = figures.map(({ quiet, stormy }) => stormy.p50Microseconds / quiet.p50Microseconds);
  const names = { name: "stream in a storm of subscriptions", detail: "its median latency" };
  const target = plainTarget(names, "of that without", ratios, storm.latencyTarget);
  const fault = describeFault(figures.map(({ stormy }) => stormy));
  return { ...target, fault, isMet: target.isMet && fault === undefined };
}

/** All with fsync. */
function durabilityTargets({ kept, offline, drain }: DurabilityResults): Target[] {
  const { labels, peer } = durability;
  const pair = [labels.fsync, peer] as const;
  const rates = ratiosOf(kept, pair, (figure) => figure.deliveredPerSecond);
  const keptFault = describeFault(figuresOf(kept, labels.fsync));
  const load = `\`${durability.kept.load.join(" ")}\``;
  const cpu = { labels: pair, unit: `of ${peer}`, target: durability.kept.cpuTarget };
  const rateOf = (figures: readonly { readonly deliveredPerSecond: number }[]) =>
    figures.map(({ deliveredPerSecond }) => deliveredPerSecond);
  const drained = figuresOf(drain, labels.fsync);
  return [
    compare({ name: "kept: CPU", detail: `a connected session, ${load}` }, kept, cpu),
    leastTarget(
      { name: "kept: messages per second", detail: load },
      { unit: `of ${peer}`, values: rates, target: durability.kept.rateTarget, fault: keptFault },
    ),
    leastTarget(
      { name: "kept for who is away", detail: `\`${durability.offline.load.join(" ")}\`` },
      {
        unit: "acknowledged per second",
        values: rateOf(figuresOf(offline, labels.fsync)),
        target: durability.offline.rateTarget,
        fault: undefined,
      },
    ),
    leastTarget(
      {
        name: "a session comes back",
        detail: `to ${durability.drain.messages.toLocaleString("en-US")} messages`,
      },
      {
        unit: "messages per second",
        values: rateOf(drained),
        target: durability.drain.rateTarget,
        fault: describeFault(drained),
      },
    ),
  ];
}

function readingsTargets({ sinks }: ReadingsResults): Target[] {
  const { sqlite, postgres, influxdb } = readings;
  const enter = (name: string, { sink, target }: { sink: string; target: number }) => {
    const values = figuresOf(sinks, sink).map(({ readingsPerSecond }) => readingsPerSecond);
    const names = { name: `readings into ${name}`, detail: "tconsume's pipeline and sink" };
    return leastTarget(names, { unit: "per second", values, target, fault: undefined });
  };
  return [enter("SQLite", sqlite), enter("PostgreSQL", postgres), enter("InfluxDB", influxdb)];
}

/** "Flat": no more than what a garbage collector does one time or the other. */
function memoryTarget(measured: Measured<ChainFigures>): Target {
  const { label, samples, from, growthTarget } = readings.memory;
  const figures = figuresOf(measured, label);
  const most = Math.max(...samples);
  const ratios = figures.map(({ residentBytes }) => residentBytes[most] / residentBytes[from]);
  const missing = figures.reduce((sum, figure) => sum + figure.missing, 0);
  const names = {
    name: "tconsume's memory",
    detail: `after ${most.toLocaleString("en-US")} messages`,
  };
  const unit = `of that after ${from.toLocaleString("en-US")}`;
  const target = plainTarget(names, unit, ratios, growthTarget);
  if (missing === 0) return target;
  return { ...target, fault: `${missing} missing`, isMet: false };
}

function matchTarget({ tree }: MicroResults): Target {
  const microseconds = tree.matches.map((each) => each.microseconds);
  return plainTarget(
    {
      name: "match of a topic",
      detail: "a million mixed filters, the worst of four kinds of topics",
    },
    "us",
    [Math.max(...microseconds)],
    match.microsecondsTarget,
  );
}

type Names = Pick<Target, "name" | "detail">;

interface Comparison {
  readonly labels: readonly [ours: string, theirs: string];
  readonly unit: string;
  readonly target: number;
}

function compare(
  names: Names,
  measured: Measured<StreamFigures>,
  { labels, unit, target }: Comparison,
): Target {
  const [ours, theirs] = labels.map((label) => figuresOf(measured, label));
  const ratio = spreadOf(ratiosOf(measured, labels, cpuOf));
  const fault = describeFault(ours);
  return {
    ...names,
    unit,
    measured: ratio,
    target,
    isLeast: false,
    fault,
    isMet: fault === undefined && ratio.median <= target,
    compared: [spreadOf(ours.map(cpuOf)), spreadOf(theirs.map(cpuOf))],
  };
}

function plainTarget(
  names: Names,
  unit: string,
  values: readonly number[],
  target: number,
): Target {
  const measured = spreadOf(values);
  const isMet = measured.median <= target;
  return { ...names, unit, measured, target, isLeast: false, fault: undefined, isMet };
}

interface Least {
  readonly unit: string;
  readonly values: readonly number[];
  readonly target: number;
  readonly fault: string | undefined;
}

function leastTarget(names: Names, { unit, values, target, fault }: Least): Target {
  const measured = spreadOf(values);
  const isMet = fault === undefined && measured.median >= target;
  return { ...names, unit, measured, target, isLeast: true, fault, isMet };
}

/** In all rounds together. */
export function describeFault(
  figures: readonly Pick<StreamFigures, "lost" | "outOfOrder">[],
): string | undefined {
  const lost = figures.reduce((sum, figure) => sum + figure.lost, 0);
  const outOfOrder = figures.reduce((sum, figure) => sum + figure.outOfOrder, 0);
  if (lost === 0 && outOfOrder === 0) return undefined;
  return `${lost} lost, ${outOfOrder} out of order`;
}
