/** The section of docs/performance.md about readings on their way into databases. */
import type { Machine } from "./machine.ts";
import { renderTable, showMedian, showNumber } from "./markdown.ts";
import {
  type ChainFigures,
  figuresOf,
  type Measured,
  type ReadingsFigures,
  type ReadingsResults,
  type Results,
  ratiosOf,
  spreadOf,
} from "./results.ts";
import { readings } from "./scenarios.ts";

const rateOf = ({ readingsPerSecond }: ReadingsFigures) => readingsPerSecond;

export function renderReadings({ readings: results, readingsMemory, machine }: Results): string[] {
  return [
    ...(results === undefined ? [] : [renderSinks(results), renderChain(results.chain)]),
    ...(readingsMemory === undefined ? [] : [renderMemory(readingsMemory, machine)]),
  ];
}

function renderSinks({ sinks, versions }: ReadingsResults): string {
  const { nothing, sqlite, postgres, influxdb } = readings;
  const rows = [
    renderLoader(sinks, nothing),
    ...[sqlite.sink, sqlite.bare, sqlite.program].map((label) =>
      renderLoader(sinks, label, sqlite.sink),
    ),
    ...[postgres.sink, postgres.copy, postgres.plain].map((label) =>
      renderLoader(sinks, label, postgres.sink),
    ),
    ...[influxdb.sink, influxdb.curl, influxdb.program].map((label) =>
      renderLoader(sinks, label, influxdb.sink),
    ),
  ];
  const count = (readings.perSecond * sinks.seconds).toLocaleString("en-US");
  const names = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const head = ["", "readings per second", "us of our CPU for each", "the sink beside it"];
  return `## Readings into databases

tconsume's pipeline with each sink as it comes, fed with plain numbers of ${readings.topics.toLocaleString("en-US")} topics in turn as fast as it has room, ${count} in each
round, until all of them are durably there; and the database alone with the same rows, in turn. Whoever loads has one core, with
SQLite in it; PostgreSQL and InfluxDB have the other. Every table begins with ${readings.warmUp.toLocaleString("en-US")} readings that are not measured.
${names.join(", ")}.

${renderTable(head, rows)}`;
}

function renderLoader(
  measured: Measured<ReadingsFigures>,
  label: string,
  sink: string = label,
): string[] {
  const figures = figuresOf(measured, label);
  const cpu = figures.map((each) => each.cpuMicroseconds).filter((each) => each !== undefined);
  return [
    label,
    showMedian(spreadOf(figures.map(rateOf))),
    cpu.length === 0 ? "" : showMedian(spreadOf(cpu)),
    label === sink ? "" : showNumber(spreadOf(ratiosOf(measured, [sink, label], rateOf)).median),
  ];
}

function renderChain(measured: Measured<ChainFigures>): string {
  const rows = [readings.chain.defaults, readings.chain.wide].map((label) => {
    const figures = figuresOf(measured, label);
    const show = (of: (figure: ChainFigures) => number) => showMedian(spreadOf(figures.map(of)));
    return [
      label,
      show((each) => each.messagesPerSecond),
      show((each) => each.brokerMicroseconds),
      show((each) => each.consumerMicroseconds),
      describeMissing(figures),
    ];
  });
  const head = ["", "messages per second", "us of tserve", "us of tconsume", "missing"];
  return `### From a publisher to the file

\`tserve\` with its storage on disk and fsync, and \`tconsume --sink sqlite\` with a session that is kept: a publisher sends the same numbers at QoS 1,
with at most ${readings.chain.underWay.toLocaleString("en-US")} messages on their way to the file, until tconsume has acknowledged all. tserve and the publisher share one core, tconsume has the other.

${renderTable(head, rows)}

With the default tserve sends 1,024 messages ahead of their acknowledgements. So batches are smaller, and more pages of the file are
written for each message; and the others wait at tserve, which costs it twice the CPU.`;
}

function renderMemory(measured: Measured<ChainFigures>, machine: Machine): string {
  const [figure] = figuresOf(measured, readings.memory.label);
  const rows = Object.entries(figure.residentBytes).map(([messages, bytes]) => [
    Number(messages).toLocaleString("en-US"),
    showNumber(bytes / 1e6),
  ]);
  const missing = describeMissing([figure]);
  return `### Memory over ten million messages

The same chain ${readings.chain.wide}, MB of resident memory of tconsume once so many messages are in the file, at ${showNumber(figure.messagesPerSecond)} messages per second over all (missing: ${missing};
measured ${measured.date} with ${measured.tStack ?? machine.versions.tStack}):

${renderTable(["messages", "MB"], rows)}`;
}

function describeMissing(figures: readonly ChainFigures[]): string {
  const missing = figures.reduce((sum, figure) => sum + figure.missing, 0);
  return missing === 0 ? "nothing" : missing.toLocaleString("en-US");
}
