/** What a mounted disk is called in topics: by where it is mounted, and `root` for `/`. */
import type { Figure } from "./figure.ts";
import type { TopicLevels } from "./topic-level.ts";

/** In bytes. */
export interface DiskSpace {
  readonly mount: string;
  readonly used: number;
  /** What programs of ordinary users may take; the file system keeps some for root. */
  readonly free: number;
}

/** Percent as `df` has it: of what ordinary users may use. */
export function diskFigures({ mount, used, free }: DiskSpace, levels: TopicLevels): Figure[] {
  const level = levels.take(mount === "/" ? "root" : mount);
  const percent = used + free > 0 ? (100 * used) / (used + free) : 0;
  return [
    { path: `disks/${level}/percent`, kind: "percent", value: percent },
    { path: `disks/${level}/free`, kind: "bytes", value: free },
  ];
}
