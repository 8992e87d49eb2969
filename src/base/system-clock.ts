/** The clock of this machine, behind the `Clock` interface. Its timers do not keep a process alive. */
import type { Clock } from "./clock.ts";

const timeoutMillisecondsMax = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(milliseconds, 0), timeoutMillisecondsMax));
    timer.unref();
    return () => clearTimeout(timer);
  },
  atEndOfTick(callback) {
    setImmediate(callback);
  },
};
