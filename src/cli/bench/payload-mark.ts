/**
 * The mark at the beginning of tbench's payloads, by which a subscriber knows who sent a message, which
 * one it is, and when:
 *
 *     offset  0  magic         "tbn1"
 *             4  machine       whose clock the time is of
 *             8  run           one process of tbench, by chance
 *            12  publisher     its number in that run
 *            16  sequence      from 0 on
 *            20  time          microseconds of the machine's monotonic clock, a float64
 *
 * Numbers are little-endian. A payload with less room carries no mark, and nothing of it is checked.
 */

export const markBytes = 28;
export const sequenceOffset = 16;
export const timeOffset = 20;

const magic = Buffer.from("tbn1").readUInt32LE();

/** The run that a mark is of. */
export interface MarkOrigin {
  readonly machine: number;
  readonly run: number;
}

/** A payload of `bytes` with the mark of a publisher, where it has room for one; sequence and time are 0. */
export function newPayload(bytes: number, origin: MarkOrigin, publisher: number): Buffer {
  const payload = Buffer.alloc(bytes, "x");
  if (bytes < markBytes) return payload;
  payload.writeUInt32LE(magic, 0);
  payload.writeUInt32LE(origin.machine, 4);
  payload.writeUInt32LE(origin.run, 8);
  payload.writeUInt32LE(publisher, 12);
  payload.fill(0, sequenceOffset, markBytes);
  return payload;
}

/**
 * Reads marks in place. A `DataView` reads a number in a nanosecond where `Buffer.readDoubleLE` takes ten, and
 * costs one object for each chunk.
 */
export class MarkReader {
  #bytes: Buffer | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;

  /** Whether the payload from `start` to `end` has a mark; the others tell of the one that was looked at last. */
  look(bytes: Buffer, start: number, end: number): boolean {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.#start = start;
    return end - start >= markBytes && this.#view.getUint32(start, true) === magic;
  }

  get machine(): number {
    return this.#view.getUint32(this.#start + 4, true);
  }

  get run(): number {
    return this.#view.getUint32(this.#start + 8, true);
  }

  get publisher(): number {
    return this.#view.getUint32(this.#start + 12, true);
  }

  get sequence(): number {
    return this.#view.getUint32(this.#start + sequenceOffset, true);
  }

  /** Microseconds of the machine's monotonic clock. */
  get time(): number {
    return this.#view.getFloat64(this.#start + timeOffset, true);
  }
}
