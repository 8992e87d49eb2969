export { addressKey } from "./address-key.ts";
export { assert, unreachable } from "./assert.ts";
export type { Clock } from "./clock.ts";
export { type ErrorCode, errorTable, malformed, protocolError, TstackError } from "./errors.ts";
export { boundsOfLimit, completeLimits } from "./limit-bounds.ts";
export {
  defaultLimits,
  type Limits,
  type ListenerLimitName,
  listenerLimitNames,
} from "./limits.ts";
export { type Log, silentLog } from "./log.ts";
export type { Random } from "./random.ts";
export {
  ConnectReturnCode,
  describeReasonCode,
  ReasonCode,
  toConnectReturnCode,
} from "./reason-codes.ts";
export { suggest } from "./suggestion.ts";
export { systemClock } from "./system-clock.ts";
export { systemRandom } from "./system-random.ts";
export { toVisible } from "./visible-text.ts";
