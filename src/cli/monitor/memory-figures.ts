/** The figures of memory, the same on every system. */
import type { Figure } from "./figure.ts";

/** In bytes. */
export interface MemoryState {
  readonly total: number;
  readonly available: number;
  readonly swapTotal: number;
  readonly swapUsed: number;
}

/** The same on every system. Without swap there is none to tell of. */
export function memoryFigures(state: MemoryState): Figure[] {
  const { total, available, swapTotal, swapUsed } = state;
  const used = total - available;
  const figures: Figure[] = [
    { path: "memory/used", kind: "bytes", value: used },
    { path: "memory/available", kind: "bytes", value: available },
    { path: "memory/percent", kind: "percent", value: (100 * used) / total },
  ];
  if (swapTotal > 0) {
    figures.push(
      { path: "swap/used", kind: "bytes", value: swapUsed },
      { path: "swap/percent", kind: "percent", value: (100 * swapUsed) / swapTotal },
    );
  }
  return figures;
}
