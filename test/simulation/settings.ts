/** What a seed decides before its world begins: who is there, how bad the network and the disk are, what the broker allows. */
import type { Limits } from "../../src/base/index.ts";
import { ProtocolVersion } from "../../src/codec/index.ts";
import type { Chance } from "../fuzz/chance.ts";

const { v3_1, v3_1_1, v5 } = ProtocolVersion;

export interface ClientSettings {
  readonly version: ProtocolVersion;
  /** For how long its session outlives its connections. */
  readonly expirySeconds: number;
  readonly receiveMaximum: number;
  /** The share of its connections that begin anew. */
  readonly cleanShare: number;
  /** The share of its connections that leave a will. */
  readonly willShare: number;
  /** Between two things that it does. */
  readonly pauseMillisecondsMax: number;
  /** Until it connects again, mostly. */
  readonly absenceSecondsMax: number;
  /** It keeps its session for ever and subscribes to everything: who else is not there to see a loss, it is. */
  readonly isArchive: boolean;
}

export interface Settings {
  readonly clients: readonly ClientSettings[];
  readonly events: number;
  /** The power goes after an event. */
  readonly crashShare: number;
  /** The power goes while the broker uses its transports or its storage. */
  readonly crashInUseShare: number;
  /** No step of the disk takes longer; with 0 it answers at once. */
  readonly diskDelayMax: number;
  /** The share of a client's pauses in which the disk becomes full for a while. */
  readonly diskFullShare: number;
  readonly linkDelayMax: number;
  /** The authenticator's; 0 answers at once. */
  readonly authenticationDelayMax: number;
  readonly limits: Partial<Limits>;
  readonly queueDrop: "newest" | "oldest";
  /** Of the larger ones; in some seeds so many that a queue is read in several pages. */
  readonly payloadBytesMax: number;
  /** Queues may be full, and lose messages. */
  readonly hasTightQueues: boolean;
}

const day = 86_400;

export function drawSettings(chance: Chance): Settings {
  const hasTightQueues = chance.happens(0.1);
  const limits: { -readonly [Name in keyof Limits]?: number } = {
    sessionExpirySecondsV3: chance.pick([5, 60, 600, day]),
    inFlightMessagesMax: chance.pick([1, 2, 5, 1024, 1024]),
    outboxBytesMax: chance.pick([150, 1000, 1_048_576, 1_048_576]),
    unsyncedBytesMax: chance.pick([500, 5000, 67_108_864, 67_108_864]),
  };
  if (hasTightQueues) {
    limits.queueMessagesMax = chance.pick([1, 3]);
    limits.queueBytesMax = chance.pick([100, 1000]);
  }
  const count = chance.between(2, 5);
  return {
    clients: Array.from({ length: count }, (_, index) => drawClient(chance, index === 0)),
    events: chance.pick([100, 200, 300, 500]),
    crashShare: chance.pick([0, 0.003, 0.01, 0.03]),
    crashInUseShare: chance.pick([0, 0.002, 0.01]),
    diskDelayMax: chance.pick([0, 2, 20, 20, 200, 2000]),
    diskFullShare: chance.pick([0, 0, 0, 0.02]),
    linkDelayMax: chance.pick([0, 5, 50, 500]),
    authenticationDelayMax: chance.pick([0, 0, 50]),
    limits,
    queueDrop: chance.pick(["newest", "oldest"]),
    payloadBytesMax: chance.happens(0.05) ? 100_000 : 200,
    hasTightQueues,
  };
}

function drawClient(chance: Chance, isFirst: boolean): ClientSettings {
  const isArchive = isFirst && chance.happens(0.8);
  const expirySeconds = chance.pick([0, 3, 30, 300, day, 0xffff_ffff]);
  return {
    version: chance.pick([v3_1, v3_1_1, v3_1_1, v5, v5, v5]),
    expirySeconds: isArchive ? day : expirySeconds,
    receiveMaximum: chance.pick([1, 2, 5, 65_535]),
    cleanShare: isArchive ? 0 : chance.pick([0, 0, 0.1, 0.5]),
    willShare: chance.pick([0, 0.3, 0.8]),
    pauseMillisecondsMax: chance.pick([20, 200, 2000]),
    absenceSecondsMax: chance.pick([1, 5, 60]),
    isArchive,
  };
}
