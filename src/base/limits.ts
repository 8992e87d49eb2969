/**
 * Every limit of the broker, finite by default, named with its unit. What happens at each of them
 * is told beside it and in `docs/limits.md`; nothing is dropped or refused without being counted.
 */
export interface Limits {
  /** Largest packet taken from a client, fixed header included; beyond: DISCONNECT 0x95. */
  readonly packetBytesMax: number;
  /** Connections at one time, those without CONNECT yet among them; beyond: CONNECT is answered with 0x89 (3.x: 0x03). */
  readonly connectionsMax: number;
  /**
   * Open connections of one remote address, of IPv6 of one /64, those without CONNECT yet among them; beyond: CONNECT is
   * answered with 0x97 (3.x: 0x03). Loopback addresses and Unix sockets have no such limit: a proxy stands there.
   */
  readonly connectionsPerAddressMax: number;
  /** CONNECTs of one remote address in a second, on an average of ten; beyond: CONNECT is answered with 0x9F (3.x: 0x03). Not for loopback addresses and Unix sockets. */
  readonly connectionsPerAddressPerSecondMax: number;
  /** Packets of one client in a second; beyond: it is not read until it is within again. Nothing is lost, and it is not disconnected. */
  readonly messagesPerSecondMax: number;
  /** The same, in bytes. */
  readonly bytesPerSecondMax: number;
  /** Time between the transport's opening and a complete CONNECT; beyond: closed. */
  readonly connectSecondsMax: number;
  /** Time that a connection which the broker ends has to take its last bytes and to close; beyond: cut off. */
  readonly endSecondsMax: number;
  /** Time for one packet to come from its first byte to its last; beyond: DISCONNECT 0x80. */
  readonly packetSecondsMax: number;
  /** Largest keep alive of a 5.0 client, which is told where its own is longer; 3.x cannot be told and keeps its own. 0 leaves it to all clients. */
  readonly keepAliveSecondsMax: number;
  /** Unacknowledged QoS 1 and 2 messages towards one client, where it allows no fewer. */
  readonly inFlightMessagesMax: number;
  /** The Receive Maximum that a 5.0 client is told: QoS 2 messages that it has under way; beyond: DISCONNECT 0x93. */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages that wait for one session; beyond: `queueDrop` decides, counted. */
  readonly queueMessagesMax: number;
  /** The same, in bytes of topic, properties and payload. As much again may be under way, unacknowledged. */
  readonly queueBytesMax: number;
  /** The bytes that wait in all shared subscriptions together, and 100 for each message; beyond: as `queueBytesMax`. */
  readonly sharedQueueBytesMax: number;
  /** Bytes that wait for one socket; beyond: QoS 0 is dropped and counted, QoS 1 and 2 wait in the queue. As much again may be in the socket itself. */
  readonly outboxBytesMax: number;
  /** Sessions, connected or not; beyond: CONNACK 0x97 (3.x: 0x03). */
  readonly sessionsMax: number;
  /** Longest session expiry granted; a longer one is cut to it. */
  readonly sessionExpirySecondsMax: number;
  /** How long the session of a 3.x client with clean session 0 outlives its connection. */
  readonly sessionExpirySecondsV3: number;
  /** Subscriptions of one session; beyond: SUBACK 0x97 (3.x: 0x80). */
  readonly subscriptionsMax: number;
  /** Levels of a topic name or filter; beyond: 0x90 or 0x8F. */
  readonly topicLevelsMax: number;
  /** Topic aliases that a client may set, and the most that the broker uses towards one. */
  readonly topicAliasMax: number;
  /** Retained messages; beyond: new topics are refused with 0x97 and counted. */
  readonly retainedMessagesMax: number;
  /** The same, in bytes of topic, properties and payload, and 500 for each message and 100 for each level of its topic. */
  readonly retainedBytesMax: number;
  /** Messages on their way to the disk, in bytes, and 200 for each place in a queue; beyond: who publishes what must be kept is not read until there is room. */
  readonly unsyncedBytesMax: number;
  /** What is remembered of who gets which topic; beyond: the oldest is forgotten and worked out anew when it comes. */
  readonly routesBytesMax: number;
  /**
   * Memory of JavaScript in this process, its heap as V8 has taken it and its buffers; beyond, until it is below 90 % again:
   * CONNECT is answered with 0x89 (3.x: 0x03), new subscriptions and retained topics with 0x97, who publishes is read
   * once in a quarter of a second, and QoS 0 to a client that has not taken what it was sent is dropped and counted.
   */
  readonly memoryBytesMax: number;
  /** Longest client identifier, in bytes of UTF-8; beyond: CONNACK 0x85 (3.x: 0x02). */
  readonly clientIdentifierBytesMax: number;
}

export const defaultLimits: Limits = {
  packetBytesMax: 1_048_576,
  connectionsMax: 100_000,
  connectionsPerAddressMax: 65_535,
  connectionsPerAddressPerSecondMax: 5000,
  messagesPerSecondMax: 10_000_000,
  bytesPerSecondMax: 1_000_000_000,
  connectSecondsMax: 10,
  packetSecondsMax: 300,
  endSecondsMax: 5,
  keepAliveSecondsMax: 65_535,
  inFlightMessagesMax: 1024,
  receiveMaximum: 65_535,
  queueMessagesMax: 10_000,
  queueBytesMax: 16_777_216,
  sharedQueueBytesMax: 268_435_456,
  outboxBytesMax: 1_048_576,
  sessionsMax: 1_000_000,
  sessionExpirySecondsMax: 7_776_000,
  sessionExpirySecondsV3: 604_800,
  subscriptionsMax: 10_000,
  topicLevelsMax: 128,
  topicAliasMax: 64,
  retainedMessagesMax: 1_000_000,
  retainedBytesMax: 268_435_456,
  unsyncedBytesMax: 67_108_864,
  routesBytesMax: 67_108_864,
  memoryBytesMax: 4_294_967_296,
  clientIdentifierBytesMax: 1024,
};

/**
 * Those that a listener may have of its own: they concern one connection and what it sends. A session may come back through
 * another listener, so its queue's limits are the broker's.
 */
export const listenerLimitNames = [
  "packetBytesMax",
  "connectionsMax",
  "connectSecondsMax",
  "endSecondsMax",
  "packetSecondsMax",
  "messagesPerSecondMax",
  "bytesPerSecondMax",
  "keepAliveSecondsMax",
  "inFlightMessagesMax",
  "receiveMaximum",
  "sessionExpirySecondsMax",
  "sessionExpirySecondsV3",
  "subscriptionsMax",
  "topicLevelsMax",
  "topicAliasMax",
  "clientIdentifierBytesMax",
] as const satisfies readonly (keyof Limits)[];

export type ListenerLimitName = (typeof listenerLimitNames)[number];
