/** How many processes there are, and how many of their threads want a core right now. */
import { readdirSync } from "node:fs";
import type { Figure } from "../figure.ts";
import type { Source } from "../source.ts";
import { type KernelFolders, readKernelFile } from "./kernel-files.ts";

export class ProcessesSource implements Source {
  readonly name = "processes";
  readonly #folders: KernelFolders;

  constructor(folders: KernelFolders) {
    this.#folders = folders;
  }

  async read(): Promise<readonly Figure[]> {
    const { proc } = this.#folders;
    const count = readdirSync(proc).filter((name) => /^\d+$/.test(name)).length;
    const running = /^procs_running (\d+)$/m.exec(readKernelFile(`${proc}/stat`))?.[1];
    return [
      { path: "processes/count", kind: "count", value: count },
      { path: "processes/running", kind: "count", value: Number(running ?? 0) },
    ];
  }
}
