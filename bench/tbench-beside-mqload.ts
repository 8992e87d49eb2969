/**
 * Is tbench the bottleneck? The same loads by tbench and by mqload, a load generator in C, against each broker, one
 * after the other: messages per second, how much of its core the broker and the tool each used, and for each message.
 * Broker on core 0, tool on core 1. Prints the table of docs/tbench.md.
 *
 *   node bench/tbench-beside-mqload.ts [rounds] [seconds]
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Results } from "../src/cli/bench/results.ts";
import { type BrokerName, type RunningBroker, readCpuSeconds, withBrokers } from "./brokers.ts";
import { buildMqload, runLoad } from "./mqload.ts";
import { loadCore, type Settings, user } from "./settings.ts";

interface Figures {
  readonly perSecond: number;
  /** Of a whole core. */
  readonly broker: number;
  readonly tool: number;
}

interface Comparison {
  readonly title: string;
  readonly mqload: readonly string[];
  readonly tbench: readonly string[];
  readonly without?: readonly BrokerName[];
}

const one = ["--publishers", "1", "--subscribers", "1", "-t", "bench/one"];
const pairs = ["--publishers", "100", "--subscribers", "100", "-t", "bench/%i"];

/** mqload's window is one for all publishers, tbench's one for each: with many of them it sends smaller pieces. */
const comparisons: readonly Comparison[] = [
  { title: "1 to 1, QoS 0", mqload: ["-W", "1000"], tbench: [...one, "--window", "1000"] },
  {
    title: "fan-out 1 to 100, QoS 0",
    mqload: ["-S", "100", "-W", "100"],
    tbench: [...one, "--subscribers", "100", "--window", "100"],
  },
  {
    title: "fan-in 100 to 1, QoS 0",
    mqload: ["-P", "100", "-W", "10"],
    tbench: [...one, "--publishers", "100", "--window", "10"],
  },
  {
    title: "100 pairs, QoS 0",
    mqload: ["-P", "100", "-S", "100", "-m", "pair", "-W", "10"],
    tbench: [...pairs, "--window", "10"],
  },
  {
    title: "1 to 1, QoS 1",
    mqload: ["-q", "1", "-W", "100"],
    tbench: [...one, "-q", "1", "--window", "100"],
  },
  {
    title: "1 to 1, QoS 2",
    mqload: ["-q", "2", "-W", "100"],
    tbench: [...one, "-q", "2", "--window", "100"],
    without: ["nats-server"], // 2.9 has no QoS 2
  },
  {
    title: "100 pairs, QoS 1, one at a time",
    mqload: ["-q", "1", "-P", "100", "-S", "100", "-m", "pair", "-W", "1"],
    tbench: [...pairs, "-q", "1", "--window", "1"],
  },
];

const brokers = ["nats-server", "mosquitto", "tStack"] as const;
const [rounds = 3, seconds = 4] = process.argv.slice(2).map(Number);
const tbenchFile = join(import.meta.dirname, "../src/cli/tbench.ts");

async function runMqload(
  settings: Settings,
  broker: RunningBroker,
  load: readonly string[],
): Promise<Figures> {
  const figures = await runLoad(settings, broker, load);
  return {
    perSecond: figures.deliveredPerSecond,
    broker: figures.brokerUtilisation,
    tool: figures.loadUtilisation,
  };
}

async function runTbench(broker: RunningBroker, load: readonly string[]): Promise<Figures> {
  const there = [
    "-h",
    "127.0.0.1",
    "-p",
    String(broker.port),
    "-u",
    user.name,
    "-P",
    user.password,
  ];
  const node = [process.execPath, tbenchFile, "fan", ...there, "--seconds", String(seconds)];
  const before = readCpuSeconds(broker.pid);
  const { stdout } = await promisify(execFile)("taskset", [
    "-c",
    loadCore,
    ...node,
    "--json",
    ...load,
  ]);
  const used = readCpuSeconds(broker.pid) - before;
  const results = JSON.parse(stdout) as Results;
  const { messagesPerSecond = 0, lost = 0, outOfOrder = 0 } = results.received ?? {};
  if (lost + outOfOrder > 0) throw new Error(`${lost} lost, ${outOfOrder} out of order`);
  return {
    perSecond: messagesPerSecond,
    broker: used / (results.seconds ?? 1),
    tool: results.toolCpuPercent / 100,
  };
}

/** The round in the middle by its rate: its three figures belong together. */
function takeMiddle(figures: readonly Figures[]): Figures {
  return figures.toSorted((a, b) => a.perSecond - b.perSecond)[Math.floor(figures.length / 2)];
}

/** On a machine with other work only the microseconds for each message tell who would be full first. */
function describe({ perSecond, broker, tool }: Figures): string {
  const share = (part: number) =>
    `${Math.round(part * 100)} %, ${((part / perSecond) * 1e6).toPrecision(2)} us`;
  return `${Math.round(perSecond).toLocaleString("en")} | ${share(broker)} | ${share(tool)}`;
}

async function compare(settings: Settings, comparison: Comparison): Promise<void> {
  const names = brokers.filter((name) => !comparison.without?.includes(name));
  for (const name of names) {
    await withBrokers([name], settings.folder, async (running) => {
      const broker = running.get(name);
      if (broker === undefined) return;
      const figures = { mqload: [] as Figures[], tbench: [] as Figures[] };
      for (let round = 0; round < rounds; round += 1) {
        figures.mqload.push(await runMqload(settings, broker, comparison.mqload));
        figures.tbench.push(await runTbench(broker, comparison.tbench));
      }
      const [mqload, tbench] = [takeMiddle(figures.mqload), takeMiddle(figures.tbench)];
      const ratio = (tbench.perSecond / mqload.perSecond).toFixed(2);
      console.log(
        `| ${comparison.title} | ${name} | ${describe(mqload)} | ${describe(tbench)} | ${ratio} |`,
      );
    });
  }
}

const folder = mkdtempSync(join(tmpdir(), "tstack-bench-"));
try {
  const settings = { rounds, seconds, folder, mqload: await buildMqload(folder) };
  console.log(
    "| load | broker | mqload: messages/s | broker's core | its own | tbench: messages/s | broker's core | its own | tbench / mqload |\n" +
      "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const comparison of comparisons) await compare(settings, comparison);
} finally {
  rmSync(folder, { recursive: true });
}
