/** Memory and swap. Used is what is not available: pages that the kernel gives back when asked are free for people. */
import type { Figure } from "../figure.ts";
import { memoryFigures } from "../memory-figures.ts";
import type { Source } from "../source.ts";
import { type KernelFolders, linesOf, readKernelFile, wordsOf } from "./kernel-files.ts";

/** Bytes by their names in `/proc/meminfo`. */
export function parseMemory(text: string): ReadonlyMap<string, number> {
  const result = new Map<string, number>();
  for (const line of linesOf(text)) {
    const [name, kibibytes] = wordsOf(line);
    result.set(name.replace(":", ""), Number(kibibytes) * 1024);
  }
  return result;
}

export class MemorySource implements Source {
  readonly name = "memory";
  readonly #folders: KernelFolders;

  constructor(folders: KernelFolders) {
    this.#folders = folders;
  }

  async read(): Promise<readonly Figure[]> {
    const memory = parseMemory(readKernelFile(`${this.#folders.proc}/meminfo`));
    const bytes = (name: string) => memory.get(name) ?? 0;
    return memoryFigures({
      total: bytes("MemTotal"),
      // Kernels before 3.14 do not say.
      available: memory.get("MemAvailable") ?? bytes("MemFree") + bytes("Cached"),
      swapTotal: bytes("SwapTotal"),
      swapUsed: bytes("SwapTotal") - bytes("SwapFree"),
    });
  }
}
