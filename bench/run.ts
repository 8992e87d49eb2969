/**
 * `npm run bench`: measures tStack and its peers, prints the tables, and writes docs/performance.md, its charts, and the
 * figures in docs/durability.md.
 *
 *   npm run bench -- [--rounds 5] [--seconds 3] [--only NAME]... [--no-write]
 *
 * `--only` measures some parts and keeps what the last run says of the others, on the same machine: the names of `scenarios.ts`,
 * web-socket, idle, subscriptions, storm, rights, floor, durability, readings, readings-memory, micro; readings-memory takes
 * minutes and is measured only when it is named. `--no-write` prints and leaves the files as they are.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installDebianPackages } from "../scripts/debian-packages.ts";
import { measureDurability } from "./durability.ts";
import { measureFloor } from "./floor.ts";
import { describeMachine, isSameMachine } from "./machine.ts";
import { measureIdle, measureSubscriptions } from "./memory.ts";
import { measureMicro } from "./micro.ts";
import { buildMqload } from "./mqload.ts";
import { measureChain, measureMemory } from "./readings/chain.ts";
import { databases } from "./readings/databases.ts";
import { measureSinks } from "./readings/sinks.ts";
import { renderTables } from "./report.ts";
import { type Results, readResults, writeResults } from "./results.ts";
import { measureRights } from "./rights.ts";
import { scenarios } from "./scenarios.ts";
import type { Settings } from "./settings.ts";
import { measureSpeed } from "./speed.ts";
import { measureStorm } from "./storm.ts";
import { measureWebSocket } from "./web-socket.ts";
import { writePerformancePage } from "./write-performance.ts";

type Change = (before: Results) => Promise<Results>;

/** Takes minutes. */
const onlyWhenNamed = "readings-memory";

/** By name, what each part adds to the results. */
function listParts(settings: Settings): Map<string, Change> {
  const speed = scenarios.map((scenario): [string, Change] => [
    scenario.name,
    async (before) => {
      const measured = await measureSpeed(settings, scenario);
      return { ...before, speed: { ...before.speed, [scenario.name]: measured } };
    },
  ]);
  return new Map<string, Change>([
    ...speed,
    ["web-socket", async (before) => ({ ...before, webSocket: await measureWebSocket(settings) })],
    ["idle", async (before) => ({ ...before, idle: await measureIdle(settings) })],
    [
      "subscriptions",
      async (before) => ({ ...before, subscriptions: await measureSubscriptions(settings) }),
    ],
    ["storm", async (before) => ({ ...before, storm: await measureStorm(settings) })],
    ["rights", async (before) => ({ ...before, rights: await measureRights(settings) })],
    ["floor", async (before) => ({ ...before, floor: await measureFloor(settings) })],
    [
      "durability",
      async (before) => ({ ...before, durability: await measureDurability(settings) }),
    ],
    [
      "readings",
      async (before) => {
        const sinks = await measureSinks(settings);
        return { ...before, readings: { ...sinks, chain: await measureChain(settings) } };
      },
    ],
    [
      onlyWhenNamed,
      async (before) => ({ ...before, readingsMemory: await measureMemory(settings) }),
    ],
    ["micro", async (before) => ({ ...before, micro: await measureMicro() })],
  ]);
}

function installPeers(): void {
  const missing = installDebianPackages([
    {
      debianPackage: "mosquitto",
      neededFor: "a peer to measure against",
      probes: [["mosquitto", "-h"]],
    },
    {
      debianPackage: "nats-server",
      neededFor: "a peer to measure against",
      probes: [["nats-server", "--version"]],
    },
    ...databases,
  ]);
  if (missing.length === 0) return;
  const names = missing.map(({ debianPackage }) => debianPackage).join(", ");
  throw new Error(`install ${names}: tStack is measured beside them, and with them`);
}

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", multiple: true },
    "no-write": { type: "boolean", default: false },
  },
});
const folder = mkdtempSync(join(tmpdir(), "tstack-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
await main();

async function main(): Promise<void> {
  installPeers();
  const settings: Settings = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    folder,
    mqload: await buildMqload(folder),
  };
  const parts = listParts(settings);
  const names = values.only ?? [...parts.keys()].filter((name) => name !== onlyWhenNamed);
  const machine = describeMachine();
  const before = readResults();
  const keeps = before !== undefined && isSameMachine(before.machine, machine);
  let results: Results = { speed: {}, ...(keeps ? before : {}), machine };
  for (const name of names) {
    const change = parts.get(name);
    if (change === undefined) throw new Error(`${name} is none of ${[...parts.keys()].join(", ")}`);
    console.log(name);
    results = await change(results);
    // At once: a part that fails later does not take this one with it.
    if (!values["no-write"]) writeResults(results);
  }
  console.log(renderTables(results));
  if (!values["no-write"]) writePerformancePage(results);
}
