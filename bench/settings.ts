/** What the parts of a benchmark have in common: how long, how often, and which core is whose. */

export interface Settings {
  readonly rounds: number;
  /** Of each measurement, in each round. */
  readonly seconds: number;
  /** For configuration files and what is built; goes when the benchmark ends. */
  readonly folder: string;
  /** The load generator, built from `mqload.c`. */
  readonly mqload: string;
}

/** The broker has a core of its own, and so has the load. */
export const brokerCore = "0";
export const loadCore = "1";

/** tStack checks the password and the rights of this user; the peers let everybody in. */
export const user = { name: "bench", password: "bench" } as const;
/** All topics of the load begin with one of them. */
export const rights = ["bench/#", "site/#"] as const;
