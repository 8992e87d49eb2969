/** For lines that anybody can cause, again and again: one in ten seconds that says how often it was; the rest for `debug`. */
import type { Log } from "../base/index.ts";

const intervalMilliseconds = 10_000;

export interface ThrottledLine {
  readonly level: "info" | "warn";
  readonly fields: object;
  readonly message: string;
}

export type ThrottledLog = (fields: object) => void;

export function throttle(
  log: Log,
  { level, fields: always, message }: ThrottledLine,
): ThrottledLog {
  let times = 0;
  let toldAt = -Infinity;
  return (fields) => {
    times += 1;
    const all = { ...always, ...fields, times };
    const now = performance.now();
    if (now - toldAt < intervalMilliseconds) return log.debug(all, message);
    toldAt = now;
    log[level](all, message);
  };
}
