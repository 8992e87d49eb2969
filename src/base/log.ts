/**
 * The log as the broker sees it: one sentence for people and the facts as fields. pino fits it as it is.
 * Never called on the path of a single message that is delivered.
 */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** For libraries and tests that want silence. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
