/** One message in one stored queue, as the broker holds it: to be written, or written and needed to take it away. */
import type { QoS } from "../codec/index.ts";
import type { Message, StoredCopy } from "./message.ts";
import type { StoredRow } from "./storage-port.ts";

/** Where a row stands and how its subscriber gets the message. */
export interface RowPlace {
  readonly queue: number;
  readonly position: number;
  /** 0 while it waits. */
  readonly packetIdentifier: number;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[];
}

export class PendingRow implements StoredRow {
  queue: number;
  position: number;
  packetIdentifier: number;
  qos: QoS;
  retain: boolean;
  subscriptionIdentifiers: readonly number[];
  /** 0 until the journal numbers it, and for a PUBREL. */
  message = 0;
  readonly bytes: number;
  readonly expiresAt: number;
  /** Undefined for a PUBREL, and once it is called off. */
  content: Message | undefined;
  /** The message as it is stored along with this row; undefined for a row that was read, and a PUBREL. */
  copy: StoredCopy | undefined;
  /** Whether it has yet to be handed over: until then it can be changed, or called off. */
  isGathered = false;
  epoch = 0;
  /** What a QoS 2 message waits for: its packet identifier is stored when this epoch is safe. */
  safeEpoch = 0;
  isCancelled = false;

  constructor(place: RowPlace, content: Message | undefined) {
    this.queue = place.queue;
    this.position = place.position;
    this.packetIdentifier = place.packetIdentifier;
    this.qos = place.qos;
    this.retain = place.retain;
    this.subscriptionIdentifiers = place.subscriptionIdentifiers;
    this.content = content;
    this.bytes = content?.size ?? 0;
    this.expiresAt = content?.expiresAt ?? Number.POSITIVE_INFINITY;
  }

  /** Not yet handed over, it simply stands elsewhere. */
  takePlaceOf(to: RowPlace): void {
    this.queue = to.queue;
    this.position = to.position;
    this.packetIdentifier = to.packetIdentifier;
    this.qos = to.qos;
    this.retain = to.retain;
    this.subscriptionIdentifiers = to.subscriptionIdentifiers;
  }
}
