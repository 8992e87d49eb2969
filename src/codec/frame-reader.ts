/**
 * Cuts a byte stream into packets without copying: a frame is a pair of offsets into the chunk it came in.
 * Only a frame that spans chunks is gathered in a buffer of its own, which grows with the bytes that have really
 * arrived (at most to twice their number), never with the length announced.
 */
import { malformed, TstackError } from "../base/index.ts";

export interface FrameSink {
  /**
   * One whole packet: `bytes[start]` is its first byte, `bodyStart` the first after the remaining length.
   * Answers whether the reader may go on; after `false` it keeps the rest until `resume`.
   */
  frame(bytes: Buffer, start: number, bodyStart: number, end: number): boolean;
}

const headerBytesMax = 5;
const partialBytesMin = 128;

export class FrameReader {
  readonly #packetBytesMax: number;
  #partial: Buffer | undefined;
  #partialLength = 0;
  #stopped = false;
  #isReading = false;
  /** Copies of what waits while the reader is stopped; undefined when there is nothing. */
  #backlog: Buffer[] | undefined;

  constructor(packetBytesMax: number) {
    this.#packetBytesMax = packetBytesMax;
  }

  /** Whether the first bytes of a packet are here and its last are not. */
  get incomplete(): boolean {
    return this.#partial !== undefined;
  }

  /**
   * Hands every whole packet to `sink`, and holds on to nothing of `chunk`.
   * What a peer in this process sends while a packet of it is handled waits behind the rest of the chunk.
   * Throws a `TstackError` on a length that lies or is too large.
   */
  read(chunk: Buffer, sink: FrameSink): void {
    if (this.#stopped || this.#isReading) {
      this.#backlog ??= [];
      this.#backlog.push(Buffer.from(chunk));
      return;
    }
    const end = this.#readOn(chunk, sink);
    if (end < chunk.length) this.#putFirst(Buffer.from(chunk.subarray(end)));
    else if (this.#backlog !== undefined && !this.#stopped) this.resume(sink);
  }

  /** Goes on after a `false` of the sink, first with what has waited. */
  resume(sink: FrameSink): void {
    this.#stopped = false;
    for (let chunk = this.#backlog?.shift(); chunk !== undefined; chunk = this.#backlog?.shift()) {
      const end = this.#readOn(chunk, sink);
      if (end < chunk.length) this.#putFirst(chunk.subarray(end));
      if (this.#stopped) return;
    }
    this.#backlog = undefined;
  }

  #putFirst(bytes: Buffer): void {
    this.#backlog ??= [];
    this.#backlog.unshift(bytes);
  }

  /** Answers where it was stopped, or the end of the chunk. */
  #readOn(chunk: Buffer, sink: FrameSink): number {
    let offset = 0;
    this.#isReading = true;
    try {
      while (this.#partial !== undefined && offset < chunk.length) {
        offset = this.#complete(this.#partial, chunk, offset, sink);
        if (this.#stopped) return offset;
      }
      return this.#scan(chunk, offset, sink);
    } finally {
      this.#isReading = false;
    }
  }

  #scan(chunk: Buffer, from: number, sink: FrameSink): number {
    const length = chunk.length;
    let start = from;
    while (start < length) {
      let position = start + 1;
      let remaining = 0;
      let byte = 0x80;
      for (let shift = 0; shift < 28 && position < length && byte >= 0x80; shift += 7) {
        byte = chunk[position++];
        remaining += (byte & 0x7f) << shift;
      }
      const end = position + remaining;
      if (byte >= 0x80 || end > length) {
        if (byte < 0x80) this.#checkLength(end - start);
        else if (position - start === headerBytesMax) throw lengthTooLong();
        this.#keep(chunk, start);
        return length;
      }
      this.#checkLength(end - start);
      if (!sink.frame(chunk, start, position, end)) {
        this.#stopped = true;
        return end;
      }
      start = end;
    }
    return length;
  }

  #checkLength(total: number): void {
    if (total <= this.#packetBytesMax) return; // [MQTT-3.2.2-15]
    throw new TstackError(
      "MQTT_PACKET_TOO_LARGE",
      `a packet of ${total} bytes; this broker takes up to ${this.#packetBytesMax} (packetBytesMax)`,
      { limit: "packetBytesMax" },
    );
  }

  /** Copies the unfinished tail, so that a few bytes do not hold a whole chunk in memory. */
  #keep(chunk: Buffer, start: number): void {
    const length = chunk.length - start;
    const partial = Buffer.allocUnsafeSlow(Math.max(length, partialBytesMin));
    chunk.copy(partial, 0, start);
    this.#partial = partial;
    this.#partialLength = length;
  }

  /** Adds to the unfinished packet what it lacks, and answers the offset after that. */
  #complete(partial: Buffer, chunk: Buffer, from: number, sink: FrameSink): number {
    let offset = from;
    let header = this.#parseHeader(partial);
    while (header === undefined && offset < chunk.length) {
      this.#append(chunk, offset, offset + 1);
      offset++;
      header = this.#parseHeader(this.#partial ?? partial);
    }
    if (header === undefined) return offset;
    const lacking = header.total - this.#partialLength;
    const taken = Math.min(lacking, chunk.length - offset);
    if (taken > 0) this.#append(chunk, offset, offset + taken);
    offset += taken;
    if (taken < lacking) return offset;
    const frame = this.#partial ?? partial;
    this.#partial = undefined;
    this.#partialLength = 0;
    if (!sink.frame(frame, 0, header.bodyStart, header.total)) this.#stopped = true;
    return offset;
  }

  #parseHeader(partial: Buffer): { bodyStart: number; total: number } | undefined {
    const known = Math.min(this.#partialLength, headerBytesMax);
    let remaining = 0;
    for (let position = 1; position < known; position++) {
      const byte = partial[position];
      remaining += (byte & 0x7f) << (7 * (position - 1));
      if (byte < 0x80) {
        const total = position + 1 + remaining;
        this.#checkLength(total);
        return { bodyStart: position + 1, total };
      }
    }
    if (known === headerBytesMax) throw lengthTooLong();
    return undefined;
  }

  #append(chunk: Buffer, start: number, end: number): void {
    let partial = this.#partial;
    const length = this.#partialLength + end - start;
    if (partial === undefined || length > partial.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#partialLength));
      partial?.copy(grown, 0, 0, this.#partialLength);
      partial = grown;
      this.#partial = grown;
    }
    chunk.copy(partial, this.#partialLength, start, end);
    this.#partialLength = length;
  }
}

/** The fourth byte says that a fifth follows: there is no such length, whatever that would be. */
function lengthTooLong(): TstackError {
  return malformed("a remaining length of more than four bytes");
}
