/** What is measured with `mqload`, and what tStack is to reach: its CPU for each message as a part of a peer's. */
import type { BrokerName } from "./brokers.ts";

export interface Scenario {
  readonly name: string;
  readonly title: string;
  readonly load: readonly string[];
  /** The peer that the target is about. */
  readonly peer: BrokerName;
  /** At most this much of the peer's CPU for each delivered message. */
  readonly target: number;
  /** Brokers that cannot do it. */
  readonly without?: readonly BrokerName[];
}

const pairs = ["-P", "100", "-S", "100", "-m", "pair", "-W", "1"] as const;

export const scenarios: readonly Scenario[] = [
  {
    name: "one-qos0",
    title: "1 to 1, QoS 0",
    load: ["-W", "1000"],
    peer: "nats-server",
    target: 0.3,
  },
  {
    name: "pairs-qos0",
    title: "100 pairs, QoS 0",
    load: pairs,
    peer: "nats-server",
    target: 0.3,
  },
  {
    name: "fan-out",
    title: "fan-out 1 to 100, QoS 0",
    load: ["-S", "100", "-W", "100"],
    peer: "nats-server",
    target: 0.2,
  },
  {
    name: "fan-in",
    title: "fan-in 100 to 1, QoS 0",
    load: ["-P", "100", "-W", "10"],
    peer: "nats-server",
    target: 0.25,
  },
  {
    name: "one-qos1",
    title: "1 to 1, QoS 1",
    load: ["-q", "1", "-W", "100"],
    peer: "mosquitto",
    target: 0.07,
  },
  {
    name: "one-qos2",
    title: "1 to 1, QoS 2",
    load: ["-q", "2", "-W", "100"],
    peer: "mosquitto",
    target: 0.1,
    without: ["nats-server"],
  },
  {
    name: "pairs-qos1",
    title: "100 pairs, QoS 1",
    load: ["-q", "1", ...pairs],
    peer: "mosquitto",
    target: 0.95,
  },
];

/** Those with the least CPU for each message, where rights would show first. */
export const rightsScenarios = scenarios.filter(({ name }) =>
  ["one-qos0", "pairs-qos0", "one-qos1"].includes(name),
);
export const rightsLabels = { none: "no users", few: "2 rules", many: "1,000 rules" } as const;

/** Whose reads and writes are measured without a broker, and by what. */
export const floorScenario = scenarios[scenarios.length - 1];
export const floorLabels = {
  c: "reads and writes alone, C",
  plain: "reads and writes alone, Node.js",
  shared: "reads and writes alone, Node.js with one buffer for all reads",
} as const;

/** MQTT 5.0 beside 3.1.1, both on tStack, in each of the scenarios above. */
export const v5 = { label: "tStack, MQTT 5.0", load: ["-v", "5"], target: 1.3 } as const;

export const idle = { connections: 15_000, kilobytesTarget: 8 } as const;

/** nats-server closes the connections before all are granted. */
export const subscriptions = {
  clients: 100,
  filtersEach: 10_000,
  bytesTarget: 250,
  brokers: ["tStack", "mosquitto", "aedes"],
} as const;

export const match = { microsecondsTarget: 3 } as const;

export const webSocket = { target: 2 } as const;

/** How `bench/clients/stream-client.ts` writes, and what its figures are called. */
export const streamLabels = {
  batched: { tcp: "TCP, many packets a write", webSocket: "WebSocket, many packets a message" },
  single: { tcp: "TCP, one packet a write", webSocket: "WebSocket, one packet a message" },
} as const;

/** A stream far below what the brokers can do, so that its latency shows what disturbs it. */
export const storm = {
  clients: 10,
  load: ["-r", "20000"],
  messagesPerSecond: 20_000,
  /** The stream's median latency may be this much of what it is without a storm. */
  latencyTarget: 1.2,
} as const;

/** What is kept, at each durability of tStack and beside mosquitto, which keeps nothing unless it is told to. */
export const durability = {
  labels: { fsync: "tStack, fsync", os: "tStack, os", memory: "tStack, memory" },
  peer: "mosquitto",
  /** What it keeps when it is told to: it saves everything every half an hour, by default. */
  savingPeer: "mosquitto, persistence",
  /** To a session that is connected and outlives its connection. */
  kept: { load: ["-q", "1", "-K", "-W", "1000"], rateTarget: 1, cpuTarget: 0.3 },
  /** To one that is not connected. */
  offline: { load: ["-q", "1", "-O", "-W", "1000"], rateTarget: 80_000 },
  /** A session comes back to what waits for it. */
  drain: { messages: 1_000_000, payloadBytes: 64, window: 1000, rateTarget: 100_000 },
  /** Out of the way: what is dropped is not kept. */
  limits: { queueMessagesMax: 100_000_000, queueBytesMax: 100_000_000_000 },
} as const;

/** Plain numbers of many topics, from messages into databases, and what these do with the same rows alone. */
export const readings = {
  topics: 1000,
  /** Loaded before anything is measured. */
  warmUp: 50_000,
  /** In each measurement, so many for each of its seconds. */
  perSecond: 100_000,
  nothing: "the pipeline, into nothing",
  sqlite: {
    sink: "SQLite: the sink",
    bare: "SQLite: node:sqlite with rows that are ready, the same transactions",
    program: "SQLite: sqlite3's .import, one transaction",
    target: 100_000,
  },
  postgres: {
    sink: "PostgreSQL: the sink",
    copy: "PostgreSQL: psql's \\copy into the same tables",
    plain: "PostgreSQL: psql's \\copy into a table without key and index",
    target: 50_000,
  },
  influxdb: {
    sink: "InfluxDB: the sink",
    curl: "InfluxDB: curl, the same lines, 10,000 in a body",
    program: "InfluxDB: influx -import",
    linesOfBody: 10_000,
    target: 50_000,
  },
  /** From a publisher through tserve and tconsume into SQLite. */
  chain: {
    defaults: "with the defaults",
    wide: "with `inFlightMessagesMax: 65535` at tserve",
    inFlightMessagesMax: 65_535,
    perSecond: 50_000,
    /** Published and not acknowledged by tconsume: no more than a queue of tserve takes. */
    underWay: 10_000,
  },
  memory: {
    label: "tconsume",
    /** Its memory is read when so many messages are in the file. */
    samples: [1_000_000, 2_000_000, 5_000_000, 10_000_000],
    from: 2_000_000,
    growthTarget: 1.1,
  },
} as const;
