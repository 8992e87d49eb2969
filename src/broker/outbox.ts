/**
 * The bytes that wait for one transport. Everything a tick has to say to a client is gathered here and handed over
 * in one write. While the transport is busy, bytes stay here, where the limits can see them.
 */
import { type LocatedFrame, locateFrame } from "../codec/index.ts";
import type { Transport } from "./ports.ts";
import type { PublishRange } from "./publish-range.ts";
import type { SlabPool } from "./slab-pool.ts";
import type { TickEnd } from "./tick-end.ts";

export interface OutboxOwner {
  /** At the end of a tick, after the write: there may be room for what waits elsewhere. */
  outboxFlushed(): void;
  /** Something went wrong in the broker itself. */
  fail(error: unknown): void;
}

/**
 * Up to here bytes are copied, above they are referred to. What one read of a socket brings is always copied, so that
 * its buffer can be freed at once.
 */
export const copyBytesMax = 65_536;
/** A busy tick hands over early, so that a fast reader is never taken for a slow one. */
const flushBytes = 65_536;

export class Outbox {
  /** Bytes gathered and not yet handed to the transport. */
  bytes = 0;
  /** See `close`. */
  isClosed = false;
  readonly owner: OutboxOwner;
  readonly #transport: Pick<Transport, "pendingBytes" | "write">;
  readonly #tickEnd: TickEnd;
  readonly #pool: SlabPool;
  #isDirty = false;
  #isHandingOver = false;
  /** Where bytes are being gathered, and how many of them are not yet in `#filled`. */
  #slab: Buffer | undefined;
  #length = 0;
  /** What comes before `#slab`: full slabs and large messages, in order. */
  #filled: Buffer[] | undefined;

  constructor(
    transport: Pick<Transport, "pendingBytes" | "write">,
    tickEnd: TickEnd,
    owner: OutboxOwner,
  ) {
    this.#transport = transport;
    this.#tickEnd = tickEnd;
    this.#pool = tickEnd.slabs;
    this.owner = owner;
  }

  append(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (length > copyBytesMax) {
      this.#seal();
      this.#filled ??= [];
      this.#filled.push(bytes.subarray(start, end));
      this.#count(length);
    } else {
      const slab = this.#reserve(length);
      bytes.copy(slab, this.#length, start, end);
      this.#length += length;
    }
    if (this.bytes >= flushBytes) this.flush();
  }

  /** As `append`, with a packet identifier put in at `identifierOffset` (an offset into `bytes`). */
  appendWithIdentifier(
    bytes: Buffer,
    range: { start: number; end: number; identifierOffset: number },
    identifier: number,
  ): void {
    const length = range.end - range.start;
    if (length > copyBytesMax) {
      const own = Buffer.allocUnsafeSlow(length);
      bytes.copy(own, 0, range.start, range.end);
      own.writeUInt16BE(identifier, range.identifierOffset - range.start);
      this.append(own, 0, length);
      return;
    }
    const slab = this.#reserve(length);
    const at = this.#length;
    bytes.copy(slab, at, range.start, range.end);
    const identifierAt = at + range.identifierOffset - range.start;
    slab[identifierAt] = identifier >> 8;
    slab[identifierAt + 1] = identifier & 0xff;
    this.#length = at + length;
    if (this.bytes >= flushBytes) this.flush();
  }

  /**
   * A range of QoS 1 frames of at most `copyBytesMax`, each with the packet identifier that `takeIdentifier` gives it.
   * One copy for all of them is what makes a range cheap (`bench/micro/outbox.ts`).
   */
  appendRange(range: PublishRange, takeIdentifier: () => number): void {
    const length = range.end - range.start;
    const slab = this.#reserve(length);
    const at = this.#length;
    range.bytes.copy(slab, at, range.start, range.end);
    this.#length = at + length;
    const frame: LocatedFrame = { bytes: slab, start: at, bodyStart: at, end: at };
    while (frame.end < at + length) {
      locateFrame(frame, frame.end);
      const identifier = takeIdentifier();
      const identifierAt = frame.bodyStart + 2 + range.topicBytes;
      slab[identifierAt] = identifier >> 8;
      slab[identifierAt + 1] = identifier & 0xff;
    }
    if (this.bytes >= flushBytes) this.flush();
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP in four bytes, without reason code and properties. */
  appendAcknowledgement(firstByte: number, identifier: number): void {
    const slab = this.#reserve(4);
    const at = this.#length;
    slab[at] = firstByte;
    slab[at + 1] = 2;
    slab[at + 2] = identifier >> 8;
    slab[at + 3] = identifier & 0xff;
    this.#length = at + 4;
  }

  /** The end of the tick in which bytes were gathered. */
  endTick(): void {
    this.#isDirty = false;
    this.flush();
    if (!this.isClosed) this.owner.outboxFlushed();
  }

  /** Nothing more is handed over: the transport is gone or ends. What comes nevertheless is thrown away. */
  close(): void {
    this.isClosed = true;
  }

  /** Hands everything to the transport, unless that still holds earlier bytes: then `drained` will. */
  flush(): void {
    if (this.isClosed || this.#transport.pendingBytes === 0) this.handOver();
  }

  /** Hands everything to the transport, which may hold earlier bytes. What a write causes to be sent comes behind it. */
  handOver(): void {
    if (this.bytes === 0 || this.#isHandingOver) return;
    const filled = this.#filled;
    const slab = this.#slab;
    const length = this.#length;
    this.#filled = undefined;
    this.#slab = undefined;
    this.#length = 0;
    this.bytes = 0;
    this.#isHandingOver = true;
    if (filled !== undefined) for (const bytes of filled) this.#write(bytes);
    if (slab !== undefined) {
      if (length > 0) this.#write(length === slab.length ? slab : slab.subarray(0, length));
      if (this.#transport.pendingBytes === 0) this.#pool.giveBack(slab);
    }
    this.#isHandingOver = false;
  }

  #write(bytes: Buffer): void {
    if (this.isClosed) return;
    try {
      this.#transport.write(bytes);
    } catch (error) {
      // A transport must not throw; one that does ends its own connection, not that of whoever sent it something.
      this.close();
      this.owner.fail(error);
    }
  }

  /** Room for `length` bytes, at most `copyBytesMax`, at `#length` of the slab that is answered. */
  #reserve(length: number): Buffer {
    this.#count(length);
    const slab = this.#slab;
    if (slab !== undefined && this.#length + length <= slab.length) return slab;
    const next = this.#pool.take(slab === undefined ? length : slab.length + length);
    if (slab !== undefined && this.#length + length <= next.length) {
      // Two writes cost more than moving the little that is there.
      slab.copy(next, 0, 0, this.#length);
      this.#pool.giveBack(slab);
    } else this.#seal();
    this.#slab = next;
    return next;
  }

  /** The owner is called at the end of this tick, whether there is anything to write or not. */
  askForTick(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#tickEnd.add(this);
  }

  #count(length: number): void {
    this.bytes += length;
    this.#tickEnd.counters.bytesSent += length;
    this.askForTick();
  }

  /** Puts the slab behind what is already in order. */
  #seal(): void {
    const slab = this.#slab;
    this.#slab = undefined;
    if (slab === undefined) return;
    if (this.#length > 0) {
      this.#filled ??= [];
      this.#filled.push(slab.subarray(0, this.#length));
    } else this.#pool.giveBack(slab);
    this.#length = 0;
  }
}
