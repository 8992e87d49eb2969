/**
 * What the broker counts, as plain numbers that only grow: `$SYS` and the metrics read them.
 * Adding to one costs nothing worth measuring; nothing that is dropped or refused goes uncounted.
 */
export const DropReason = {
  /** QoS 0 for a client whose outbox is full. */
  slowReader: "slowReader",
  /** QoS 1 or 2 beyond queueMessagesMax or queueBytesMax. */
  queueFull: "queueFull",
  /** Beyond the client's Maximum Packet Size. */
  packetTooLarge: "packetTooLarge",
  /** Its Message Expiry Interval passed while it waited. */
  expired: "expired",
  /** It waited for a session that ended. */
  sessionEnded: "sessionEnded",
  /** The publisher may not publish there. */
  notAuthorized: "notAuthorized",
  /** QoS 1 or 2 of a 5.0 publisher, refused because the storage could not keep it. */
  storageFailed: "storageFailed",
  /** A retained message beyond retainedMessagesMax or retainedBytesMax. */
  retainedFull: "retainedFull",
  /** QoS 0 for a client that has not taken what it was sent, while memory is short (memoryBytesMax). */
  memoryFull: "memoryFull",
} as const;
export type DropReason = (typeof DropReason)[keyof typeof DropReason];

export class Counters {
  bytesReceived = 0;
  bytesSent = 0;
  /** MQTT packets of every type. */
  packetsReceived = 0;
  packetsSent = 0;
  publishReceived = 0;
  publishSent = 0;
  publishBytesReceived = 0;
  publishBytesSent = 0;
  socketsOpened = 0;
  connectionsAccepted = 0;
  sessionsExpired = 0;
  readonly dropped: Record<DropReason, number> = {
    slowReader: 0,
    queueFull: 0,
    packetTooLarge: 0,
    expired: 0,
    sessionEnded: 0,
    notAuthorized: 0,
    storageFailed: 0,
    retainedFull: 0,
    memoryFull: 0,
  };

  get droppedTotal(): number {
    let total = 0;
    for (const count of Object.values(this.dropped)) total += count;
    return total;
  }
}
