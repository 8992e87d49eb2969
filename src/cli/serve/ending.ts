/**
 * The ways in which a running tserve is made to end: a signal asks, a second one insists, an error that nobody
 * caught ends it at once, since the state behind it cannot be trusted.
 */
import type { Logger } from "pino";
import type { ProgramIo } from "../program-io.ts";

const exitCodeFailed = 1;
const exitCodeInsisted = 130;

export interface Ending {
  /** The first signal. */
  readonly asked: Promise<void>;
  /** The exit code once there is no time left for a clean end. */
  readonly forced: Promise<number>;
  stopWatching(): void;
}

export function watchForEnd(io: ProgramIo, log: Logger): Ending {
  const asked = Promise.withResolvers<void>();
  const forced = Promise.withResolvers<number>();
  let signals = 0;
  const stopSignals = io.onInterrupt((signal) => {
    signals++;
    if (signals > 1) {
      log.warn({ signal }, `${signal} again: ends at once`);
      forced.resolve(exitCodeInsisted);
    } else {
      log.info({ signal }, `${signal}: closes; once more ends at once`);
      asked.resolve();
    }
  });
  // Node passes rejections that nobody handled to this too.
  const fail = (error: unknown) => {
    log.fatal({ error }, "a bug in tserve: it ends, start it again and report this with the log");
    forced.resolve(exitCodeFailed);
  };
  process.on("uncaughtException", fail);
  const stopWatching = () => {
    stopSignals();
    process.off("uncaughtException", fail);
  };
  return { asked: asked.promise, forced: forced.promise, stopWatching };
}
