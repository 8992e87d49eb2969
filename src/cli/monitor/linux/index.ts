/** What a machine with Linux tells of itself, without starting a program. */
import type { Source } from "../source.ts";
import { DiskSpaceSource } from "./disk-space.ts";
import { DiskTransferSource } from "./disk-transfer.ts";
import { type KernelFolders, kernelFolders } from "./kernel-files.ts";
import { MemorySource } from "./memory.ts";
import { NetworkSource } from "./network.ts";
import { ProcessesSource } from "./processes.ts";
import { ProcessorSource } from "./processor.ts";
import { TemperatureSource } from "./temperatures.ts";

export interface LinuxOptions {
  readonly eachCore: boolean;
  readonly nowSeconds: () => number;
  /** For tests, of what this machine does not have. */
  readonly folders?: KernelFolders;
}

export function linuxSources(options: LinuxOptions): Source[] {
  const { eachCore, nowSeconds, folders = kernelFolders } = options;
  return [
    new ProcessorSource(folders, eachCore),
    new MemorySource(folders),
    new DiskSpaceSource(folders),
    new DiskTransferSource(folders, nowSeconds),
    new NetworkSource(folders, nowSeconds),
    new TemperatureSource(folders),
    new ProcessesSource(folders),
  ];
}
