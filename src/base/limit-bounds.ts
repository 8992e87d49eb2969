/** What each limit may be at least and at most: for the configuration of `tserve` and for programs that give limits. */
import { TstackError } from "./errors.ts";
import { defaultLimits, type Limits } from "./limits.ts";

type Bounds = readonly [least: number, most: number];

const bounds: Partial<Record<keyof Limits, Bounds>> = {
  packetBytesMax: [64, 268_435_460],
  messagesPerSecondMax: [1, 1_000_000_000],
  bytesPerSecondMax: [64, 1_000_000_000_000],
  connectSecondsMax: [1, 3600],
  packetSecondsMax: [1, 3600],
  endSecondsMax: [1, 3600],
  keepAliveSecondsMax: [0, 65_535],
  inFlightMessagesMax: [1, 65_535],
  receiveMaximum: [1, 65_535],
  queueMessagesMax: [0, Number.MAX_SAFE_INTEGER],
  sessionExpirySecondsMax: [0, 4_294_967_295],
  sessionExpirySecondsV3: [0, 4_294_967_295],
  topicLevelsMax: [1, 65_535],
  topicAliasMax: [0, 65_535],
  retainedMessagesMax: [0, Number.MAX_SAFE_INTEGER],
  memoryBytesMax: [67_108_864, Number.MAX_SAFE_INTEGER], // an idle broker has its share of it
  clientIdentifierBytesMax: [23, 65_535], // [MQTT-3.1.3-5]
};

/** From 1 to whatever a number can hold, where the protocol and the broker set no other bounds. */
export function boundsOfLimit(name: keyof Limits): Bounds {
  return bounds[name] ?? [1, Number.MAX_SAFE_INTEGER];
}

/** All limits, those that are not given from the defaults. Throws CONFIGURATION_INVALID, which names the limit. */
export function completeLimits(given: Partial<Limits> = {}): Limits {
  const limits: Record<string, number> = { ...defaultLimits };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(defaultLimits, name)) throw invalid(`there is no limit ${name}`);
    if (value === undefined) continue;
    const [least, most] = boundsOfLimit(name as keyof Limits);
    if (!Number.isInteger(value) || value < least || value > most) {
      throw invalid(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
    }
    limits[name] = value;
  }
  return limits as unknown as Limits;
}

function invalid(fault: string): TstackError {
  return new TstackError("CONFIGURATION_INVALID", fault);
}
