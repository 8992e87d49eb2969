/**
 * Microseconds of the machine's monotonic clock: the same in all processes of one machine, so that a
 * subscriber can tell how long ago a publisher in another process sent. `performance.now` alone counts
 * from the start of its own process.
 */

import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { crc32 } from "node:zlib";

export type MonotonicClock = () => number;

export function openMonotonicClock(): MonotonicClock {
  measureOffset(); // the first call takes longer
  const offset = measureOffset();
  return () => performance.now() * 1000 + offset;
}

function measureOffset(): number {
  return Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000;
}

/** A number for the machine as long as it runs: time stamps compare only where it is the same. */
export function identifyMachine(): number {
  try {
    return crc32(readFileSync("/proc/sys/kernel/random/boot_id"));
  } catch {
    return crc32(hostname()); // not Linux
  }
}
