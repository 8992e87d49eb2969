/** docs/performance.md out of the results of a run: its tables, and the hand-written prose behind them. */
import { brokerNames } from "./brokers.ts";
import { type ChartName, chartTitles } from "./charts.ts";
import { renderTable, showMedian, showNumber, showRange } from "./markdown.ts";
import type { LoadFigures } from "./mqload.ts";
import { renderDurability } from "./report-durability.ts";
import {
  renderFloor,
  renderIdle,
  renderMicro,
  renderRights,
  renderStorm,
  renderSubscriptions,
  renderTree,
  renderWebSocket,
} from "./report-parts.ts";
import { renderReadings } from "./report-readings.ts";
import {
  figuresOf,
  type Measured,
  type MicroResults,
  type Results,
  ratiosOf,
  spreadOf,
} from "./results.ts";
import { type Scenario, scenarios, v5 } from "./scenarios.ts";
import { describeFault, listTargets } from "./targets.ts";

/** Sections that have something to show, in their order. */
function renderSections(results: Results, withCharts: boolean): string[] {
  const chart = (name: ChartName) => (withCharts ? [renderPicture(name)] : []);
  const { webSocket, idle, subscriptions, storm, rights, floor, micro } = results;
  return [
    renderTargets(results),
    ...chart("targets"),
    renderSpeed(results),
    ...chart("cpu"),
    renderRates(results),
    renderV5(results),
    ...(floor === undefined ? [] : [renderFloor(floor)]),
    ...(webSocket === undefined ? [] : [renderWebSocket(webSocket)]),
    "## Memory",
    ...(idle === undefined ? [] : [renderIdle(idle)]),
    ...(subscriptions === undefined ? [] : [renderSubscriptions(subscriptions)]),
    ...(storm === undefined ? [] : [renderStorm(storm)]),
    ...(rights === undefined ? [] : [renderRights(rights)]),
    ...renderReadings(results),
    ...(micro === undefined ? [] : renderMicroSections(micro)),
  ];
}

function renderMicroSections(micro: MicroResults): string[] {
  return [renderTree(micro.tree), renderMicro(micro)];
}

/** For a terminal. */
export function renderTables(results: Results): string {
  const kept = renderDurability(results);
  const more = kept === undefined ? [] : [`## What it keeps\n\n${kept}`];
  return [...renderSections(results, false), ...more].join("\n\n");
}

/** `prose` begins with a heading of the second level. */
export function renderPage(results: Results, prose: string): string {
  const parts = [renderHead(results), ...renderSections(results, true), repetition, prose.trim()];
  return `${parts.join("\n\n")}\n`;
}

/** What was measured when, how long and with which tStack: one line where it was all the same. */
function describeRuns(results: Results): { measured: string; tStack: string } {
  const { speed, webSocket, idle, subscriptions, storm, rights, floor, durability, readings } =
    results;
  const { machine } = results;
  const parts: Record<string, Measured<unknown> | undefined> = {
    ...speed,
    ...{ "web-socket": webSocket, idle, subscriptions, storm, rights, floor },
    durability: durability?.kept,
    readings: readings?.sinks,
  };
  const runs = new Map<string, string[]>();
  const versions = new Map<string, string[]>();
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) continue;
    const run = `${part.date}, ${part.rounds.length} rounds of ${part.seconds} seconds each`;
    runs.set(run, [...(runs.get(run) ?? []), name]);
    const version = part.tStack ?? machine.versions.tStack;
    versions.set(version, [...(versions.get(version) ?? []), name]);
  }
  const list = (all: Map<string, string[]>) =>
    all.size === 1
      ? [...all.keys()][0]
      : [...all].map(([what, names]) => `${what} (${names.join(", ")})`).join("; ");
  return { measured: list(runs), tStack: list(versions) };
}

function renderHead(results: Results): string {
  const { machine } = results;
  const { versions } = machine;
  const { measured, tStack } = describeRuns(results);
  return `# Performance

What counts is the broker's CPU for each delivered message, beside a peer measured in the same run: machines are shared and
noisy, and a ratio feels the noise on both sides. tStack runs as in service: users with passwords, rights checks, counters and
limits switched on, and with its storage on disk and fsync, the default. The peers run anonymous, with their limits out of the way,
and keep nothing on disk but for nats-server, whose MQTT cannot do without: its QoS 1 goes through files, and says little about a
broker in memory. The sessions on this page are clean, so that nothing of them need be kept; what it costs where it must is in
[durability.md](durability.md). The broker has one core, the load the other; all messages have 64 bytes of payload.

| | |
| --- | --- |
| measured | ${measured}, the brokers in turn |
| machine | ${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.system} |
| tStack | ${tStack}, Node.js ${machine.node} |
| peers | nats-server ${versions["nats-server"]}, mosquitto ${versions.mosquitto}, aedes ${versions.aedes} on the same Node.js |

This page is written by \`npm run bench\` from [the figures of its last run](../bench/results/last-run.json).`;
}

function renderTargets(results: Results): string {
  const rows = listTargets(results).map((target) => {
    const { name, detail, unit, measured, compared, fault, isMet, isLeast } = target;
    const verdict = fault === undefined ? (isMet ? "met" : "**missed**") : `**missed**: ${fault}`;
    const all = measured.all.length > 1 ? ` (${measured.all.map(showNumber).join(" ")})` : "";
    const [ours, theirs] = compared ?? [];
    const limit = `at ${isLeast ? "least" : "most"} ${target.target.toLocaleString("en-US")}`;
    return [
      `${name} (${detail})`,
      ours === undefined ? "" : `${showRange(ours)} us`,
      theirs === undefined ? "" : `${showRange(theirs)} us`,
      `**${showNumber(measured.median)}** ${unit}${all}`,
      `${limit} ${compared === undefined ? unit : ""}`.trim(),
      verdict,
    ];
  });
  const head = ["", "tStack", "beside", "median (all rounds)", "target", "verdict"];
  return `## What it is to reach\n\n${renderTable(head, rows)}`;
}

function measuredScenarios({ speed }: Results): [Scenario, Measured<LoadFigures>][] {
  return scenarios
    .filter(({ name }) => speed[name] !== undefined)
    .map((scenario) => [scenario, speed[scenario.name]]);
}

function renderSpeed(results: Results): string {
  const faults: string[] = [];
  const rows = measuredScenarios(results).map(([{ title }, measured]) => [
    title,
    ...brokerNames.map((broker) => {
      const figures = figuresOf(measured, broker);
      if (figures.length === 0) return "-";
      const fault = describeFault(figures);
      if (fault !== undefined) faults.push(`- ${broker}, ${title}: ${fault}`);
      return showMedian(spreadOf(figures.map(({ cpuMicroseconds }) => cpuMicroseconds)));
    }),
  ]);
  const note =
    faults.length === 0
      ? "No broker lost a message or brought one out of order."
      : `Messages that were lost or came out of order:\n\n${faults.join("\n")}`;
  return `## CPU for each delivered message

Microseconds, the median of all rounds and between which values it stands. nats-server ${results.machine.versions["nats-server"]} has no QoS 2.

${renderTable(["", ...brokerNames], rows)}

${note}`;
}

function renderRates(results: Results): string {
  const rows = measuredScenarios(results).map(([{ title }, measured]) => [
    title,
    ...brokerNames.map((broker) => {
      const rates = figuresOf(measured, broker).map(({ deliveredPerSecond }) => deliveredPerSecond);
      return rates.length === 0 ? "-" : showNumber(spreadOf(rates).median);
    }),
  ]);
  return `Delivered messages per second, the median. Where one core of load is busy before the broker's is, it is a figure of the load:

${renderTable(["", ...brokerNames], rows)}`;
}

function renderV5(results: Results): string {
  const rows = measuredScenarios(results).map(([{ title }, measured]) => {
    const cpu = (label: string) =>
      showRange(spreadOf(figuresOf(measured, label).map((figure) => figure.cpuMicroseconds)));
    const ratios = ratiosOf(measured, [v5.label, "tStack"], (figure) => figure.cpuMicroseconds);
    return [title, cpu("tStack"), cpu(v5.label), showMedian(spreadOf(ratios))];
  });
  return `## MQTT 5.0 beside 3.1.1

The same scenarios on tStack with \`-v 5\`, microseconds for each message:

${renderTable(["", "3.1.1", "5.0", "ratio"], rows)}`;
}

/** GitHub shows the one that suits the reader's colours. */
function renderPicture(name: ChartName): string {
  return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="performance/${name}-dark.svg">
  <img alt="${chartTitles[name]}" src="performance/${name}-light.svg">
</picture>`;
}

const repetition = `## How to repeat it

\`\`\`sh
npm ci && npm run bench
\`\`\`

on Linux with two cores, a C compiler, and mosquitto and nats-server (as root on Debian they are installed). It takes about
half an hour, and wants a machine that does nothing else. \`npm run bench -- --only fan-out --rounds 3 --seconds 2\` measures one part anew;
\`--only micro\` the functions of the hot path alone; \`--only readings-memory\`, which nothing else asks for, ten million messages; \`--no-write\` leaves this page as it is. \`node bench/write-performance.ts\` writes it
anew without measuring. The load is made by [mqload](../bench/mqload.c), one thread in C that keeps a bounded number of messages
under way, so that no broker has to drop any.`;
