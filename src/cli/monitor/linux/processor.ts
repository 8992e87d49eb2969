/**
 * How busy the cores were since the last look, and the load averages. Waiting for a disk counts as idle, as `top` has it, and
 * what a hypervisor gave to others counts as busy: this machine could not have it.
 */
import type { Figure } from "../figure.ts";
import { Rates } from "../rates.ts";
import type { Source } from "../source.ts";
import { type KernelFolders, linesOf, readKernelFile, wordsOf } from "./kernel-files.ts";

interface CoreTimes {
  /** `cpu` for all together, `cpu0`, `cpu1`, ... */
  readonly name: string;
  readonly busy: number;
  readonly idle: number;
}

/** Out of `/proc/stat`. */
export function parseCoreTimes(text: string): CoreTimes[] {
  const result: CoreTimes[] = [];
  for (const line of linesOf(text)) {
    const [name, ...times] = wordsOf(line);
    if (!/^cpu\d*$/.test(name)) continue;
    // Guests are counted within user and nice already.
    const [user, nice, system, idle, wait, interrupt = 0, softInterrupt = 0, stolen = 0] =
      times.map(Number);
    const busy = user + nice + system + interrupt + softInterrupt + stolen;
    result.push({ name, busy, idle: idle + wait });
  }
  return result;
}

export class ProcessorSource implements Source {
  readonly name = "processor";
  readonly #folders: KernelFolders;
  readonly #eachCore: boolean;
  // Parts of the same time: no clock is needed.
  readonly #rates = new Rates(() => 0);

  constructor(folders: KernelFolders, eachCore: boolean) {
    this.#folders = folders;
    this.#eachCore = eachCore;
  }

  async read(): Promise<readonly Figure[]> {
    const { proc } = this.#folders;
    const figures: Figure[] = [];
    this.#rates.look();
    for (const { name, busy, idle } of parseCoreTimes(readKernelFile(`${proc}/stat`))) {
      const busyRise = this.#rates.rise(`${name} busy`, busy);
      // Of a core whose wait has fallen, as the kernel's may, nothing is known this once.
      const idleRise = this.#rates.rise(`${name} idle`, idle);
      if (busyRise === undefined || idleRise === undefined || busyRise + idleRise === 0) continue;
      const core = name.slice("cpu".length);
      if (core !== "" && !this.#eachCore) continue;
      const path = core === "" ? "cpu/percent" : `cpu/core/${core}/percent`;
      figures.push({ path, kind: "percent", value: (100 * busyRise) / (busyRise + idleRise) });
    }
    const [load1, load5, load15] = wordsOf(readKernelFile(`${proc}/loadavg`)).map(Number);
    figures.push(
      { path: "cpu/load1", kind: "load", value: load1 },
      { path: "cpu/load5", kind: "load", value: load5 },
      { path: "cpu/load15", kind: "load", value: load15 },
    );
    return figures;
  }
}
