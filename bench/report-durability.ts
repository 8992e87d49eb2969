/** The figures in docs/durability.md: what stands there between two markers is written by `npm run bench`. */
import type { Machine } from "./machine.ts";
import { renderTable, showMedian, showNumber } from "./markdown.ts";
import type { LoadFigures } from "./mqload.ts";
import {
  type DrainFigures,
  type DurabilityResults,
  figuresOf,
  type Measured,
  type Results,
  ratiosOf,
  spreadOf,
} from "./results.ts";
import { durability as scenario } from "./scenarios.ts";
import { describeFault } from "./targets.ts";

const begin = "<!-- figures: begin -->";
const end = "<!-- figures: end -->";

/** `page` with these figures between its markers. */
export function putFigures(page: string, figures: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/durability.md has no ${begin} before ${end}`);
  return `${page.slice(0, from + begin.length)}\n\n${figures}\n\n${page.slice(to)}`;
}

/** Undefined where nothing was measured. */
export function renderDurability({ durability, machine }: Results): string | undefined {
  if (durability === undefined) return undefined;
  const parts = [
    renderConditions(durability, machine),
    renderKept(durability.kept),
    renderOffline(durability.offline),
    renderDrain(durability.drain),
  ];
  return parts.join("\n\n");
}

function renderConditions({ disk, kept }: DurabilityResults, machine: Machine): string {
  const { messages, payloadBytes } = scenario.drain;
  const { queueMessagesMax, queueBytesMax } = scenario.limits;
  const milliseconds = figuresOf(disk, "disk").map((microseconds) => microseconds / 1000);
  const { labels, savingPeer } = scenario;
  return `Broker and load have a core each; the thread that writes to the disk shares the broker's, and its CPU is counted. All
messages have ${payloadBytes} bytes of payload. Every round starts fresh brokers on empty folders, one after the other.
\`${labels.fsync}\` is the default; mosquitto keeps everything in memory alone, and as \`${savingPeer}\` saves it every half an hour,
that is, not once in these rounds. tStack runs as it comes, but with \`queueMessagesMax\` ${count(queueMessagesMax)} and \`queueBytesMax\` ${count(queueBytesMax)}:
of ${count(messages)} messages that wait for one client it would drop most.

| | |
| --- | --- |
| measured | ${kept.date}, ${kept.rounds.length} rounds of ${kept.seconds} seconds each, the brokers in turn |
| machine | ${machine.processor}, ${machine.cores} cores, ${machine.memoryGigabytes} GB, ${machine.system} |
| disk | ${showMedian(spreadOf(milliseconds))} ms for a write of 8 KB and its fsync, the median of 500 |
| versions | tStack ${kept.tStack ?? machine.versions.tStack}, Node.js ${machine.node}, mosquitto ${machine.versions.mosquitto} |`;
}

function renderKept(measured: Measured<LoadFigures>): string {
  const { labels, peer, savingPeer, kept } = scenario;
  const rows = [...Object.values(labels), peer, savingPeer].map((label) => {
    const figures = figuresOf(measured, label);
    return [
      ...renderRates(measured, label),
      showMedian(spreadOf(figures.map(({ p50Microseconds }) => p50Microseconds / 1000))),
      showMedian(spreadOf(figures.map(({ p99Microseconds }) => p99Microseconds / 1000))),
      describeFault(figures) ?? "nothing",
    ];
  });
  return `### To a connected session

One publisher, one subscriber whose session outlives its connection, QoS 1, at most 1,000 messages under way (mqload \`${kept.load.join(" ")}\`):

${renderTable([...rateHead("messages per second"), "p50, ms", "p99, ms", "lost"], rows)}`;
}

function renderOffline(measured: Measured<LoadFigures>): string {
  const { labels, peer, offline } = scenario;
  const rows = [...Object.values(labels), peer].map((label) => renderRates(measured, label));
  return `### To a session that is away

The same, but the subscriber has left, and every message has to wait for it (mqload \`${offline.load.join(" ")}\`):

${renderTable(rateHead("acknowledged per second"), rows)}`;
}

function rateHead(rate: string): readonly string[] {
  const { peer } = scenario;
  return ["", rate, `of ${peer}`, "us of CPU for each", `of ${peer}`];
}

/** Its name; rate and CPU for each message, each with its ratio to the peer's in the same round. */
function renderRates(measured: Measured<LoadFigures>, label: string): string[] {
  const figures = figuresOf(measured, label);
  const show = (of: (figure: LoadFigures) => number) => [
    showMedian(spreadOf(figures.map(of))),
    label === scenario.peer
      ? ""
      : showNumber(spreadOf(ratiosOf(measured, [label, scenario.peer], of)).median),
  ];
  return [
    label,
    ...show((each) => each.deliveredPerSecond),
    ...show((each) => each.cpuMicroseconds),
  ];
}

function renderDrain(measured: Measured<DrainFigures>): string {
  const figures = figuresOf(measured, scenario.labels.fsync);
  const show = (of: (figure: DrainFigures) => number) => showMedian(spreadOf(figures.map(of)));
  const rows = [
    ["seconds from its start until it listens", show((each) => each.startMilliseconds / 1000)],
    ["MB of resident memory then", show((each) => each.residentBytesAtStart / 1e6)],
    ["messages per second", show((each) => each.deliveredPerSecond)],
    ["us of CPU for each", show((each) => each.cpuMicroseconds)],
    ["MB of resident memory at the end", show((each) => each.residentBytesAtEnd / 1e6)],
    ["% of a core that the client needed", show((each) => 100 * each.loadUtilisation)],
    ["lost", describeFault(figures) ?? "nothing"],
  ];
  return `### When it comes back

${count(scenario.drain.messages)} messages wait for one session, the broker is killed with SIGKILL and started again, and the client takes all of them
as fast as they come, each with its PUBACK (durability fsync):

${renderTable(["", ""], rows)}`;
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}
