/**
 * How often each limit was hit since the start: for `$SYS/broker/limits/...`, and told in the log at the first time and
 * then at most once a minute, so that an attack does not become a flood of the log.
 */
import type { Clock, Limits, Log, TstackError } from "../base/index.ts";

/** What a limit loses or delays is told by another figure of `$SYS/broker`. */
const ownFigures = {
  inFlightMessagesMax: "messages/inflight",
  queueMessagesMax: "publish/messages/dropped/queueFull",
  queueBytesMax: "publish/messages/dropped/queueFull",
  sharedQueueBytesMax: "publish/messages/dropped/queueFull",
  outboxBytesMax: "publish/messages/dropped/slowReader",
  retainedMessagesMax: "publish/messages/dropped/retainedFull",
  retainedBytesMax: "publish/messages/dropped/retainedFull",
  sessionExpirySecondsV3: "clients/expired",
} as const satisfies Partial<Record<keyof Limits, string>>;

export type CountedLimit = Exclude<keyof Limits, keyof typeof ownFigures>;

/** What the log says of it; of what is only agreed upon with a client, and of what costs nobody anything, nothing. */
const effects: Record<CountedLimit, string | undefined> = {
  packetBytesMax: "a client is disconnected",
  connectionsMax: "clients are refused",
  connectionsPerAddressMax: "clients of that address are refused",
  connectionsPerAddressPerSecondMax: "clients of that address are refused",
  messagesPerSecondMax: "the client is read more slowly",
  bytesPerSecondMax: "the client is read more slowly",
  connectSecondsMax: "a connection without CONNECT is closed",
  packetSecondsMax: "a client is disconnected",
  endSecondsMax: "a connection is cut off",
  keepAliveSecondsMax: undefined,
  receiveMaximum: "a client is disconnected",
  sessionsMax: "clients without a session are refused",
  sessionExpirySecondsMax: undefined,
  subscriptionsMax: "new subscriptions of the client are refused",
  topicLevelsMax: "the topic is refused",
  topicAliasMax: "a client is disconnected",
  unsyncedBytesMax: "publishers wait for the disk",
  routesBytesMax: undefined,
  memoryBytesMax: undefined, // the memory's own state is logged
  clientIdentifierBytesMax: "a client is refused",
};

const quietMilliseconds = 60_000;

/** Where `$SYS/broker/...` tells how often a limit was hit, or what it has cost. */
export function figureOfLimit(name: keyof Limits): string {
  return name in ownFigures ? ownFigures[name as keyof typeof ownFigures] : `limits/${name}`;
}

export class LimitHits {
  readonly counts: Record<CountedLimit, number>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** What was counted and not yet told, and when the next may be told. */
  readonly #told = new Map<CountedLimit, { times: number; nextAt: number }>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    const names = Object.keys(effects) as CountedLimit[];
    this.counts = Object.fromEntries(names.map((name) => [name, 0])) as typeof this.counts;
  }

  /** `fields` say who it was, for the log. */
  count(limit: CountedLimit, fields: object): void {
    this.counts[limit]++;
    const effect = effects[limit];
    if (effect === undefined) return;
    let told = this.#told.get(limit);
    if (told === undefined) {
      told = { times: 0, nextAt: 0 };
      this.#told.set(limit, told);
    }
    told.times++;
    const now = this.#clock.now();
    if (now < told.nextAt) return;
    this.#log.warn({ ...fields, limit, times: told.times }, `${limit} is reached: ${effect}`);
    told.times = 0;
    told.nextAt = now + quietMilliseconds;
  }

  /** What a client did wrong may be that it went beyond a limit. */
  countError({ limit }: TstackError, client: string): void {
    if (limit !== undefined && Object.hasOwn(this.counts, limit))
      this.count(limit as CountedLimit, { client });
  }
}
