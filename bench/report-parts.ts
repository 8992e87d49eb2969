/** The sections of docs/performance.md that are not about messages between two clients over TCP. */
import { brokerNames } from "./brokers.ts";
import { renderTable, showMedian, showNumber, showRange } from "./markdown.ts";
import type { LoadFigures } from "./mqload.ts";
import {
  figuresOf,
  type Measured,
  type MicroResults,
  ratiosOf,
  type StormFigures,
  type StreamFigures,
  type SubscriptionFigures,
  spreadOf,
  type TreeFigures,
} from "./results.ts";
import {
  floorLabels,
  floorScenario,
  idle,
  rightsLabels,
  rightsScenarios,
  storm,
  streamLabels,
} from "./scenarios.ts";
import { describeFault } from "./targets.ts";

export function renderWebSocket(measured: Measured<StreamFigures>): string {
  const rows = Object.values(streamLabels).flatMap(({ tcp, webSocket }) => {
    const ratios = ratiosOf(measured, [webSocket, tcp], (figure) => figure.cpuMicroseconds);
    return [tcp, webSocket].map((label) => {
      const figures = figuresOf(measured, label);
      const cpu = showRange(spreadOf(figures.map(({ cpuMicroseconds }) => cpuMicroseconds)));
      const rate = showNumber(spreadOf(figures.map((each) => each.deliveredPerSecond)).median);
      const ratio = label === webSocket ? showMedian(spreadOf(ratios)) : "";
      return [label, cpu, rate, ratio, describeFault(figures) ?? "nothing"];
    });
  });
  const head = ["", "us for each message", "messages per second", "beside TCP", "lost"];
  return `## WebSocket beside TCP

One publisher and one subscriber at QoS 0 with 1,000 messages under way, both transports driven by the same client
([stream-client.ts](../bench/clients/stream-client.ts)): once with all packets that may go in one write or one WebSocket message, and once with each packet alone, as MQTT.js sends it.

${renderTable(head, rows)}`;
}

export function renderRights(measured: Measured<LoadFigures>): string {
  const rows = rightsScenarios.map(({ name, title }) => {
    const label = (kind: keyof typeof rightsLabels) => `${name}, ${rightsLabels[kind]}`;
    const show = (kind: keyof typeof rightsLabels) => {
      const figures = figuresOf(measured, label(kind));
      return showRange(spreadOf(figures.map(({ cpuMicroseconds }) => cpuMicroseconds)));
    };
    const beside = (kind: "few" | "many") => {
      const labels = [label(kind), label("none")] as const;
      return showMedian(spreadOf(ratiosOf(measured, labels, (each) => each.cpuMicroseconds)));
    };
    return [title, show("none"), show("few"), beside("few"), show("many"), beside("many")];
  });
  const { none, few, many } = rightsLabels;
  return `## Rights

us of CPU for each message, without users and with a user whose last rules are those that allow it: they are asked once for
each connection and topic.

${renderTable(["", none, few, `beside ${none}`, many, `beside ${none}`], rows)}`;
}

export function renderIdle(measured: Measured<number>): string {
  const kilobytes = brokerNames.map((broker) => showMedian(spreadOf(figuresOf(measured, broker))));
  const count = idle.connections.toLocaleString("en-US");
  return `KB of resident memory for each of ${count} idle connections, on a fresh broker each time:

${renderTable(["", ...brokerNames], [["idle connection", ...kilobytes]])}`;
}

export function renderSubscriptions(measured: Measured<SubscriptionFigures>): string {
  const rows = brokerNames
    .map((broker) => ({ broker, figures: figuresOf(measured, broker) }))
    .filter(({ figures }) => figures.length > 0)
    .map(({ broker, figures }) => {
      const used = figures.map(({ usedBytes }) => usedBytes).filter((bytes) => bytes !== undefined);
      const resident = spreadOf(figures.map(({ residentBytes }) => residentBytes));
      return [broker, used.length === 0 ? "-" : showMedian(spreadOf(used)), showMedian(resident)];
    });
  return `Bytes for each of a million subscriptions, 10,000 of each of 100 connected clients, mixed as in the tree below. In
use is what is left of heap and buffers once the garbage is collected; resident is what the operating system sees, garbage included.
nats-server is not in the table: it closes the connections before all are granted.

${renderTable(["", "in use", "resident"], rows)}`;
}

/** What the storm added to the broker's CPU, for each request. */
function requestMicroseconds({ quiet, stormy, operationsPerSecond }: StormFigures): number {
  const added = busyMicroseconds(stormy) - busyMicroseconds(quiet);
  return Math.max(0, added) / operationsPerSecond;
}

/** In each second. */
function busyMicroseconds({ cpuMicroseconds, deliveredPerSecond }: LoadFigures): number {
  return cpuMicroseconds * deliveredPerSecond;
}

export function renderStorm(measured: Measured<StormFigures>): string {
  const rows = ["tStack", "mosquitto"].flatMap((broker) => {
    const figures = figuresOf(measured, broker);
    const show = (of: (figure: StormFigures) => number) => showMedian(spreadOf(figures.map(of)));
    const fault = describeFault(figures.flatMap(({ quiet, stormy }) => [quiet, stormy]));
    return [
      [
        `${broker}, alone`,
        show(({ quiet }) => quiet.p50Microseconds),
        show(({ quiet }) => quiet.p99Microseconds),
        show(({ quiet }) => 100 * quiet.brokerUtilisation),
        "",
        "",
        fault ?? "nothing",
      ],
      [
        `${broker}, in the storm`,
        show(({ stormy }) => stormy.p50Microseconds),
        show(({ stormy }) => stormy.p99Microseconds),
        show(({ stormy }) => 100 * stormy.brokerUtilisation),
        show(({ operationsPerSecond }) => operationsPerSecond),
        show(requestMicroseconds),
        "",
      ],
    ];
  });
  const head = [
    "",
    "p50, us",
    "p99, us",
    "% of the core",
    "requests per second",
    "us for each",
    "lost",
  ];
  const rate = storm.messagesPerSecond.toLocaleString("en-US");
  return `## A stream in a storm of subscriptions

A stream of ${rate} messages per second from one client to another at QoS 0, alone and while ${storm.clients} other clients send SUBSCRIBE and
UNSUBSCRIBE, each as fast as it is acknowledged: exact filters and wildcards at the level of the stream's topic, and filters far
from it. Stream and storm share the core of the load, where the stream goes first.

${renderTable(head, rows)}`;
}

export function renderFloor(measured: Measured<LoadFigures>): string {
  const rows = [...Object.values(floorLabels), "tStack", "mosquitto"].map((label) => {
    const cpu = figuresOf(measured, label).map(({ cpuMicroseconds }) => cpuMicroseconds);
    const ratios = ratiosOf(measured, [label, "mosquitto"], (figure) => figure.cpuMicroseconds);
    return [label, showMedian(spreadOf(cpu)), showNumber(spreadOf(ratios).median)];
  });
  return `## What no broker can save

${floorScenario.title}, each with one message under way: every message is two reads and two writes of its own. The programs in
[bench/floor](../bench/floor) do these, copy the messages, and nothing else.

${renderTable(["", "us for each message", "of mosquitto"], rows)}`;
}

export function renderTree(tree: TreeFigures): string {
  const { entryBytes, treeBytes, addMicroseconds, removeMicroseconds, bytesLeftBehind } = tree;
  const rows = tree.matches.map(({ topics, microseconds, entries }) => [
    `match \`${topics}\``,
    `${showNumber(microseconds)} us, ${entries.toFixed(1)} found`,
  ]);
  return `## The subscription tree at ${tree.subscriptions.toLocaleString("en-US")} mixed filters

The tree alone (\`bench/micro/subscription-tree.ts\`), half of the filters exact, the others with \`+\` or \`#\`; topics that were
not asked for before, all over the tree.

${renderTable(
  ["", ""],
  [
    ["memory for each subscription", `${showNumber(entryBytes + treeBytes)} bytes`],
    ["of these, the entry and its filter", `${showNumber(entryBytes)} bytes`],
    ["of these, the tree", `${showNumber(treeBytes)} bytes`],
    ["left behind once all are gone", `${showNumber(bytesLeftBehind)} bytes`],
    ["add", `${showNumber(addMicroseconds)} us`],
    ["remove", `${showNumber(removeMicroseconds)} us`],
    ...rows,
  ],
)}`;
}

export function renderMicro({ figures }: MicroResults): string {
  const rows = figures
    .filter(({ file }) => file !== "subscription-tree")
    .map(({ file, name, unit, nanoseconds, spreadNanoseconds }) => [
      `[${file}](../bench/micro/${file}.ts)`,
      name,
      `${showNumber(nanoseconds)} ± ${showNumber(spreadNanoseconds)}`,
      unit,
    ]);
  return `## The functions of the hot path

Nanoseconds, the median and the median deviation of all samples.

${renderTable(["", "what", "ns", "for each"], rows)}`;
}
