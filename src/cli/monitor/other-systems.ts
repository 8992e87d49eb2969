/**
 * The figures of machines without Linux, by `systeminformation`, which knows them all and starts their programs for it: it is
 * loaded only there. What a system does not tell is left out.
 */
import { loadavg } from "node:os";
import { diskFigures } from "./disk-figures.ts";
import type { Figure } from "./figure.ts";
import { memoryFigures } from "./memory-figures.ts";
import { networkFigures } from "./network-figures.ts";
import { Rates } from "./rates.ts";
import type { Source } from "./source.ts";
import { TopicLevels } from "./topic-level.ts";

type Library = typeof import("systeminformation");

/** What macOS mounts for itself: parts of the disk that is there as `/` already. */
const passedOverMounts = /^\/System\/Volumes\//;
const disksMax = 64;
const loadNames = ["load1", "load5", "load15"];

class LibrarySource implements Source {
  readonly name: string;
  readonly read: () => Promise<readonly Figure[]>;

  constructor(name: string, read: () => Promise<readonly Figure[]>) {
    this.name = name;
    this.read = read;
  }
}

export interface OtherSystemOptions {
  readonly eachCore: boolean;
  readonly nowSeconds: () => number;
}

export async function otherSystemSources(options: OtherSystemOptions): Promise<Source[]> {
  const library = (await import("systeminformation")).default;
  const networkRates = new Rates(options.nowSeconds);
  const transferRates = new Rates(options.nowSeconds);
  return [
    new LibrarySource("processor", () => readProcessor(library, options.eachCore)),
    new LibrarySource("memory", async () => {
      const { total, available, swaptotal, swapused } = await library.mem();
      return memoryFigures({ total, available, swapTotal: swaptotal, swapUsed: swapused });
    }),
    new LibrarySource("disk space", () => readDisks(library)),
    new LibrarySource("disk transfers", () => readTransfers(library, transferRates)),
    new LibrarySource("network", async () => {
      const all = await library.networkStats("*");
      const transmissions = all
        .filter(({ iface }) => !/^lo\d*$/.test(iface))
        .map((one) => ({
          interfaceName: one.iface,
          bytesIn: one.rx_bytes,
          bytesOut: one.tx_bytes,
          errors: one.rx_errors + one.tx_errors,
        }));
      return networkFigures(transmissions, networkRates);
    }),
    new LibrarySource("temperatures", async () => {
      const { main } = await library.cpuTemperature();
      return typeof main === "number" && main > 0
        ? [{ path: "temperature/cpu", kind: "celsius", value: main }]
        : [];
    }),
    new LibrarySource("processes", async () => {
      const { all, running } = await library.processes();
      return [
        { path: "processes/count", kind: "count", value: all },
        { path: "processes/running", kind: "count", value: running },
      ];
    }),
  ];
}

async function readProcessor(library: Library, eachCore: boolean): Promise<readonly Figure[]> {
  // Since its last call.
  const { currentLoad, cpus } = await library.currentLoad();
  const figures: Figure[] = [{ path: "cpu/percent", kind: "percent", value: currentLoad }];
  // Windows has no load averages, and Node.js says 0 there.
  for (const [index, name] of process.platform === "win32" ? [] : loadNames.entries()) {
    figures.push({ path: `cpu/${name}`, kind: "load", value: loadavg()[index] });
  }
  if (eachCore) {
    for (const [core, { load }] of cpus.entries()) {
      figures.push({ path: `cpu/core/${core}/percent`, kind: "percent", value: load });
    }
  }
  return figures;
}

async function readDisks(library: Library): Promise<readonly Figure[]> {
  const levels = new TopicLevels();
  const disks = (await library.fsSize()).filter(({ mount }) => !passedOverMounts.test(mount));
  return disks
    .slice(0, disksMax)
    .flatMap(({ mount, used, available }) => diskFigures({ mount, used, free: available }, levels));
}

/** All disks together: more is not known there. */
async function readTransfers(library: Library, rates: Rates): Promise<readonly Figure[]> {
  const transfers: { rx: number; wx: number } | null = await library.fsStats();
  rates.look();
  if (transfers === null) return [];
  const read = rates.perSecond("read", transfers.rx);
  const written = rates.perSecond("written", transfers.wx);
  if (read === undefined || written === undefined) return [];
  return [
    { path: "io/all/read", kind: "bytesPerSecond", value: read },
    { path: "io/all/write", kind: "bytesPerSecond", value: written },
  ];
}
