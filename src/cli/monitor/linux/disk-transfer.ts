/** Bytes per second that disks read and write: whole disks, not the parts and layers that would count them again. */
import { existsSync } from "node:fs";
import type { Figure } from "../figure.ts";
import { Rates } from "../rates.ts";
import type { Source } from "../source.ts";
import { TopicLevels } from "../topic-level.ts";
import { type KernelFolders, linesOf, readKernelFile, wordsOf } from "./kernel-files.ts";

const disksMax = 64;
/** The kernel counts in sectors of this size, whatever the disk's own are. */
const sectorBytes = 512;
const layers = /^(?:loop|ram|zram|dm-|md|sr|fd)/;

interface DiskTransfer {
  readonly disk: string;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** Out of `/proc/diskstats`, with parts of disks, without layers and what was never used. */
export function parseTransfers(text: string): DiskTransfer[] {
  const result: DiskTransfer[] = [];
  for (const line of linesOf(text)) {
    const words = wordsOf(line);
    const disk = words[2];
    const bytesRead = Number(words[5]) * sectorBytes;
    const bytesWritten = Number(words[9]) * sectorBytes;
    if (layers.test(disk) || bytesRead + bytesWritten === 0) continue;
    result.push({ disk, bytesRead, bytesWritten });
  }
  return result;
}

export class DiskTransferSource implements Source {
  readonly name = "disk transfers";
  readonly #folders: KernelFolders;
  readonly #rates: Rates;

  constructor(folders: KernelFolders, nowSeconds: () => number) {
    this.#folders = folders;
    this.#rates = new Rates(nowSeconds);
  }

  async read(): Promise<readonly Figure[]> {
    const { proc, sys } = this.#folders;
    const levels = new TopicLevels();
    const figures: Figure[] = [];
    this.#rates.look();
    const transfers = parseTransfers(readKernelFile(`${proc}/diskstats`))
      // The kernel writes the slash of a name as an exclamation mark there.
      .filter(({ disk }) => existsSync(`${sys}/block/${disk.replaceAll("/", "!")}`))
      .slice(0, disksMax);
    for (const { disk, bytesRead, bytesWritten } of transfers) {
      const level = levels.take(disk);
      const read = this.#rates.perSecond(`${disk} read`, bytesRead);
      const written = this.#rates.perSecond(`${disk} written`, bytesWritten);
      if (read === undefined || written === undefined) continue;
      figures.push(
        { path: `io/${level}/read`, kind: "bytesPerSecond", value: read },
        { path: `io/${level}/write`, kind: "bytesPerSecond", value: written },
      );
    }
    return figures;
  }
}
