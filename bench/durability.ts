/**
 * What it costs to keep messages: to a connected session, to one that is away, and when that comes back after the
 * broker was killed. Every figure is of a fresh broker on a fresh folder: sessions of an earlier one would queue as well.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type BrokerName,
  type BrokerOptions,
  type RunningBroker,
  readResidentBytes,
  startBroker,
} from "./brokers.ts";
import { startClient } from "./client-process.ts";
import { measureDisk } from "./disk.ts";
import { fillQueue, type LoadFigures, runLoad } from "./mqload.ts";
import type { DrainFigures, DurabilityResults } from "./results.ts";
import { type Contestant, measureRounds } from "./rounds.ts";
import { durability } from "./scenarios.ts";
import type { Settings } from "./settings.ts";

/** To other sessions on another topic: nothing of it is measured. */
const warmUpLoad = ["-m", "pair"];
const unlimited = `limits: ${JSON.stringify(durability.limits)}`;

interface Contender {
  readonly label: string;
  readonly broker: BrokerName;
  readonly options: BrokerOptions;
}

const contenders: readonly Contender[] = [
  ...(["fsync", "os", "memory"] as const).map((level) => ({
    label: durability.labels[level],
    broker: "tStack" as const,
    options: { configuration: [`durability: ${level}`, unlimited] },
  })),
  { label: durability.peer, broker: durability.peer, options: {} },
];

export async function measureDurability(settings: Settings): Promise<DurabilityResults> {
  const disk = { label: "disk", measure: async () => measureDisk(settings.folder) };
  const enter = (contender: Contender, load: readonly string[]): Contestant<LoadFigures> => ({
    label: contender.label,
    measure: () => measureLoad(settings, contender, load),
  });
  const { kept, offline } = durability;
  const saving = describeSavingPeer(settings);
  const drain = { label: durability.labels.fsync, measure: () => measureDrain(settings) };
  return {
    disk: await measureRounds(settings, [disk]),
    kept: await measureRounds(
      settings,
      [...contenders, saving].map((one) => enter(one, kept.load)),
    ),
    offline: await measureRounds(
      settings,
      contenders.map((one) => enter(one, offline.load)),
    ),
    drain: await measureRounds(settings, [drain]),
  };
}

/** Started by root it would become another user, who may not write here. */
function describeSavingPeer({ folder }: Settings): Contender {
  const location = join(folder, "mosquitto");
  mkdirSync(location, { recursive: true });
  return {
    label: durability.savingPeer,
    broker: "mosquitto",
    options: {
      configuration: ["user root", "persistence true", `persistence_location ${location}/`],
    },
  };
}

async function measureLoad(
  settings: Settings,
  { broker: name, options }: Contender,
  load: readonly string[],
): Promise<LoadFigures> {
  const broker = await startBroker(name, settings.folder, options);
  try {
    await runLoad({ ...settings, seconds: 1 }, broker, [...load, ...warmUpLoad]);
    return await runLoad(settings, broker, load);
  } finally {
    await broker.stop();
  }
}

async function measureDrain(settings: Settings): Promise<DrainFigures> {
  const data = mkdtempSync(join(settings.folder, "drain-"));
  const options: BrokerOptions = { configuration: [unlimited], data };
  const { messages: count, payloadBytes, window } = durability.drain;
  try {
    const killed = await startBroker("tStack", settings.folder, options);
    let clientIdentifier: string;
    try {
      clientIdentifier = await fillQueue(settings, killed, { count, payloadBytes, window });
    } finally {
      await killed.stop();
    }
    const broker = await startBroker("tStack", settings.folder, options);
    try {
      return await drain(broker, clientIdentifier);
    } finally {
      await broker.stop();
    }
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function drain(broker: RunningBroker, clientIdentifier: string): Promise<DrainFigures> {
  const { messages, payloadBytes } = durability.drain;
  const residentBytesAtStart = readResidentBytes(broker.pid);
  const client = startClient("drain-client", [
    `mqtt://127.0.0.1:${broker.port}`,
    String(broker.pid),
    clientIdentifier,
    String(messages),
    String(payloadBytes),
  ]);
  const figures = JSON.parse(await client.output) as Pick<
    DrainFigures,
    "deliveredPerSecond" | "cpuMicroseconds" | "loadUtilisation" | "lost" | "outOfOrder"
  >;
  return {
    startMilliseconds: broker.startMilliseconds,
    residentBytesAtStart,
    ...figures,
    residentBytesAtEnd: readResidentBytes(broker.pid),
  };
}
