/**
 * What one client is told: PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK and UNSUBACK. What confirms something that is not yet
 * safe waits here until the journal says so, everything else behind it: they leave in the order in which they came
 * [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4], 3.1.1: [MQTT-4.6.0-2] [MQTT-4.6.0-3] [MQTT-4.6.0-4].
 */

import type { Limits } from "../base/index.ts";
import type { CommitWaiter } from "./commit-waiters.ts";
import type { Counters } from "./counters.ts";
import type { Journal } from "./journal.ts";
import type { Outbox } from "./outbox.ts";

interface AnswersOwner {
  readonly outbox: Outbox;
  readonly broker: {
    readonly journal: Journal;
    readonly counters: Counters;
    readonly limits: Pick<Limits, "outboxBytesMax">;
  };
}

/** Answers that wait for the same epoch. */
interface Segment {
  readonly epoch: number;
  bytes: Buffer;
  length: number;
  /** What follows them, in order: the retained messages behind a SUBACK. */
  followers: (() => void)[] | undefined;
}

const segmentBytesAtFirst = 64;
/** About what a segment takes in memory, besides what it holds. */
const segmentCostBytes = 200;

export class Answers implements CommitWaiter {
  readonly #journal: Journal;
  readonly #outbox: Outbox;
  readonly #counters: Counters;
  readonly #bytesMax: number;
  #segments: Segment[] = [];
  /** Held, with what it costs to hold them. */
  #bytes = 0;

  constructor({ outbox, broker }: AnswersOwner) {
    this.#journal = broker.journal;
    this.#counters = broker.counters;
    this.#outbox = outbox;
    this.#bytesMax = broker.limits.outboxBytesMax;
  }

  /** Whether something waits for the disk. */
  get isHolding(): boolean {
    return this.#segments.length > 0;
  }

  /** Whether it waits for more than the disk can take at the moment, or for too much itself. */
  get isChoked(): boolean {
    return this.isHolding && (this.#journal.isFull || this.#bytes >= this.#bytesMax);
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP in four bytes; `mustWait` until what was recorded so far is safe. */
  acknowledge(firstByte: number, identifier: number, mustWait: boolean): void {
    this.#counters.packetsSent++;
    if (!mustWait && this.#segments.length === 0) {
      this.#outbox.appendAcknowledgement(firstByte, identifier);
      return;
    }
    const segment = this.#reserve(4);
    const { bytes, length } = segment;
    bytes[length] = firstByte;
    bytes[length + 1] = 2;
    bytes[length + 2] = identifier >> 8;
    bytes[length + 3] = identifier & 0xff;
    segment.length = length + 4;
  }

  add(packet: Buffer, mustWait: boolean): void {
    this.#counters.packetsSent++;
    if (!mustWait && this.#segments.length === 0) {
      this.#outbox.append(packet, 0, packet.length);
      return;
    }
    const segment = this.#reserve(packet.length);
    segment.bytes.set(packet, segment.length);
    segment.length += packet.length;
  }

  /** Called when everything before it has gone to the outbox, now or later. */
  follow(follower: () => void): void {
    if (this.#segments.length === 0) {
      follower();
      return;
    }
    const segment = this.#reserve(0);
    segment.followers ??= [];
    segment.followers.push(follower);
  }

  /** The connection is over: whoever it was has to ask again. */
  clear(): void {
    this.#segments = [];
    this.#bytes = 0;
  }

  committed(epoch: number): void {
    let next = this.#segments[0];
    while (next !== undefined && next.epoch <= epoch) {
      const { bytes, length, followers } = next;
      next.length = 0;
      next.followers = undefined;
      this.#bytes -= segmentCostBytes + length;
      // It stays where it is meanwhile: who is written to may answer at once, and be answered behind all that waits.
      if (length > 0) this.#outbox.append(bytes, 0, length);
      for (const follower of followers ?? []) follower();
      this.#segments.shift();
      next = this.#segments[0];
    }
  }

  #reserve(length: number): Segment {
    const { epoch } = this.#journal;
    let segment = this.#segments.at(-1);
    if (segment === undefined || segment.epoch !== epoch || segment.followers !== undefined) {
      segment = {
        epoch,
        bytes: Buffer.allocUnsafe(Math.max(length, segmentBytesAtFirst)),
        length: 0,
        followers: undefined,
      };
      this.#segments.push(segment);
      this.#bytes += segmentCostBytes;
      this.#journal.wait(this);
    }
    if (segment.length + length > segment.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(2 * segment.bytes.length, segment.length + length));
      segment.bytes.copy(grown, 0, 0, segment.length);
      segment.bytes = grown;
    }
    this.#bytes += length;
    return segment;
  }
}
