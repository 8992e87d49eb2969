/**
 * A figure: one number that this machine has at a time, its place below the name of the machine, and what it counts. All that
 * depends on what is counted stands in one table.
 */

interface KindOfFigure {
  /** Of the text that is published; without, the number as it is. */
  readonly decimals?: number;
  /**
   * A change is measured by the last value, and by no less than this: so a percentage changes by points, and noise around
   * nothing is no change.
   */
  readonly changeFloor: number;
}

export const figureKinds = {
  percent: { decimals: 1, changeFloor: 100 },
  load: { decimals: 2, changeFloor: 1 },
  bytes: { decimals: 0, changeFloor: 1_000_000 },
  bytesPerSecond: { decimals: 0, changeFloor: 10_000 },
  celsius: { decimals: 1, changeFloor: 20 },
  seconds: { decimals: 0, changeFloor: 60 },
  count: { decimals: 0, changeFloor: 1 },
  /** A count that never falls while the machine runs. */
  total: { decimals: 0, changeFloor: 1 },
  /** 1 or 0: runs, or does not. */
  running: { decimals: 0, changeFloor: 0 },
  /** Of a command, which alone knows what it counts. */
  number: { changeFloor: 0 },
} as const satisfies Record<string, KindOfFigure>;

export type FigureKind = keyof typeof figureKinds;

export interface Figure {
  /** Levels of a topic, below the name of the machine: `cpu/load1`. */
  readonly path: string;
  readonly kind: FigureKind;
  readonly value: number;
}

/** The number as it is published. */
export function roundFigure({ kind, value }: Figure): number {
  const { decimals }: KindOfFigure = figureKinds[kind];
  return decimals === undefined ? value : Number(value.toFixed(decimals));
}
