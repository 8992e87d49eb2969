/** Reads what a `ByteWriter` wrote, in the same order. Bytes are views into the buffer, never copies. */
import { sameName } from "./byte-writer.ts";

export class ByteReader {
  readonly #bytes: Buffer<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;
  #lastName = "";

  constructor(buffer: ArrayBuffer) {
    this.#bytes = Buffer.from(buffer);
    this.#view = new DataView(buffer);
  }

  readByte(): number {
    return this.#bytes[this.#at++];
  }

  readUint32(): number {
    const value = this.#view.getUint32(this.#at, true);
    this.#at += 4;
    return value;
  }

  readNumber(): number {
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  readBytes(): Buffer<ArrayBuffer> {
    const length = this.readUint32();
    const start = this.#at;
    this.#at += length;
    return Buffer.from(this.#bytes.buffer, start, length);
  }

  readText(): string {
    return this.#readText(this.readUint32());
  }

  readName(): string {
    const length = this.readUint32();
    if (length !== sameName) this.#lastName = this.#readText(length);
    return this.#lastName;
  }

  #readText(length: number): string {
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString("utf8", start, this.#at);
  }
}
