/**
 * The clock of this machine, behind the `Clock` interface. It tells the time of day as the machine knew it when the
 * process began, and counts on from there: a clock that is set, by hand or by NTP, ends no connection and no session.
 * Its timers do not keep a process alive.
 */
import type { Clock } from "./clock.ts";

const timeoutMillisecondsMax = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Math.floor(performance.timeOrigin + performance.now()),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), timeoutMillisecondsMax));
    timer.unref();
    return () => clearTimeout(timer);
  },
  atEndOfTick(callback) {
    setImmediate(callback);
  },
};
