/**
 * Bytes of numbers, texts and bytes one behind the other, in a buffer that grows: what goes between the main thread and the
 * worker. `ByteReader` reads them in the same order; nothing in between says what comes.
 */
const textBytesPerUnitMax = 3;
/** In the place of a text's length: the same text as the last one that `writeName` wrote. */
export const sameName = 0xffff_ffff;

export class ByteWriter {
  #bytes: Buffer<ArrayBuffer>;
  #view: DataView;
  #at = 0;
  #lastName: string | undefined;

  /** Writes over what is in `buffer`. */
  constructor(buffer: ArrayBuffer) {
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#at;
  }

  /** What has been written, and behind it whatever: as large as it has grown. */
  get buffer(): ArrayBuffer {
    return this.#bytes.buffer;
  }

  writeByte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  writeUint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  writeNumber(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeUint32(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  writeText(text: string): void {
    this.#reserve(4 + text.length * textBytesPerUnitMax);
    const length = this.#bytes.write(text, this.#at + 4);
    this.#view.setUint32(this.#at, length, true);
    this.#at += 4 + length;
  }

  /** A text that often comes several times in a row. */
  writeName(text: string): void {
    if (text === this.#lastName) {
      this.writeUint32(sameName);
      return;
    }
    this.writeText(text);
    this.#lastName = text;
  }

  #reserve(length: number): void {
    const needed = this.#at + length;
    if (needed > this.#bytes.length) this.#grow(needed);
  }

  #grow(needed: number): void {
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, this.#bytes.length * 2)));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
