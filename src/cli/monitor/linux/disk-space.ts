/**
 * The space of what is mounted from disks of this machine. Shares of other machines are left out: when their server is away,
 * whoever asks for their space hangs.
 */
import { stat, statfs } from "node:fs/promises";
import { diskFigures } from "../disk-figures.ts";
import type { Figure } from "../figure.ts";
import type { Source } from "../source.ts";
import { TopicLevels } from "../topic-level.ts";
import { type KernelFolders, linesOf, readKernelFile, wordsOf } from "./kernel-files.ts";

const disksMax = 64;

/** Where disks are mounted, out of `/proc/self/mounts`: each disk once, at its shortest path. */
export function parseMounts(text: string): string[] {
  const mounts = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [device, escapedMount, type] = wordsOf(line);
    const mount = unescapeMount(escapedMount);
    // Loop devices hold the pictures of programs (snap), which are always full. The root of a container is no device.
    const isDisk = device.startsWith("/dev/") && !device.startsWith("/dev/loop");
    if (!isDisk && type !== "zfs" && mount !== "/") continue;
    const before = mounts.get(device);
    if (before === undefined || mount.length < before.length) mounts.set(device, mount);
  }
  return [...mounts.values()].sort().slice(0, disksMax);
}

/** The kernel writes spaces, tabs, line ends and backslashes as three octal digits. */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

export class DiskSpaceSource implements Source {
  readonly name = "disk space";
  readonly #folders: KernelFolders;

  constructor(folders: KernelFolders) {
    this.#folders = folders;
  }

  async read(): Promise<readonly Figure[]> {
    const mounts = parseMounts(readKernelFile(`${this.#folders.proc}/self/mounts`));
    const levels = new TopicLevels();
    const figures: Figure[] = [];
    for (const mount of mounts) {
      const space = await readSpace(mount);
      if (space !== undefined) figures.push(...diskFigures({ mount, ...space }, levels));
    }
    return figures;
  }
}

/** Undefined of what is no folder (containers have single files mounted), or may not be looked at. */
async function readSpace(mount: string): Promise<{ used: number; free: number } | undefined> {
  try {
    if (!(await stat(mount)).isDirectory()) return undefined;
    const { bsize, blocks, bfree, bavail } = await statfs(mount);
    return blocks === 0
      ? undefined
      : { used: (blocks - bfree) * bsize, free: Math.max(bavail, 0) * bsize };
  } catch {
    return undefined;
  }
}
