/**
 * The data types of the standard (5.0, section 1.5), read from and written to bytes.
 * A reader never passes its end, and allocates nothing before it has seen that the bytes are there.
 */
import { assert, malformed } from "../base/index.ts";
import { decodeUtf8 } from "./utf8.ts";

export { decodeUtf8, isWellFormedUtf8 } from "./utf8.ts";

/** The most that a Variable Byte Integer can say: four bytes of seven bits. */
const variableByteIntegerMax = 268_435_455;
const stringBytesMax = 65_535; // [MQTT-4.7.3-3], 3.1.1: [MQTT-4.7.3-3]
const fixedHeaderBytesMax = 5;

/** Reads forward from `offset` to `end`; what is not there is MQTT_MALFORMED_PACKET. */
export class ByteReader {
  readonly buffer: Buffer;
  readonly end: number;
  offset: number;

  constructor(buffer: Buffer, offset = 0, end = buffer.length) {
    assert(offset <= end && end <= buffer.length, "a reader lies inside its buffer");
    this.buffer = buffer;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  readUint8(): number {
    return this.buffer[this.#take(1)];
  }

  readUint16(): number {
    const at = this.#take(2);
    return (this.buffer[at] << 8) | this.buffer[at + 1];
  }

  readUint32(): number {
    return this.buffer.readUInt32BE(this.#take(4));
  }

  readVariableByteInteger(): number {
    let value = 0;
    for (let shift = 0; shift <= 21; shift += 7) {
      const byte = this.readUint8();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0)
          throw malformed("a length is written with more bytes than needed"); // [MQTT-1.5.5-1]
        return value;
      }
    }
    throw malformed("a variable byte integer is longer than four bytes");
  }

  readString(): string {
    const length = this.readUint16();
    const start = this.#take(length);
    return decodeUtf8(this.buffer, start, start + length);
  }

  readStringPair(): [name: string, value: string] {
    return [this.readString(), this.readString()]; // [MQTT-1.5.7-1]
  }

  /** A copy: what a packet holds of Binary Data may outlive the bytes it came in. */
  readBinary(): Buffer {
    return Buffer.from(this.readBytes(this.readUint16()));
  }

  /** A view into the buffer, not a copy. */
  readBytes(length: number): Buffer {
    const start = this.#take(length);
    return this.buffer.subarray(start, start + length);
  }

  /** A reader for the next `length` bytes, which this one has then passed. */
  readSection(length: number): ByteReader {
    const start = this.#take(length);
    return new ByteReader(this.buffer, start, start + length);
  }

  #take(length: number): number {
    const start = this.offset;
    if (length > this.end - start) {
      throw malformed(`the packet ends ${length - (this.end - start)} bytes too early`);
    }
    this.offset = start + length;
    return start;
  }
}

/** Gathers bytes and grows as needed. Keeps room in front for the fixed header of `toPacket`. */
export class ByteWriter {
  #buffer: Buffer;
  #end = fixedHeaderBytesMax;

  constructor(capacity = 123) {
    this.#buffer = Buffer.allocUnsafe(capacity + fixedHeaderBytesMax);
  }

  get length(): number {
    return this.#end - fixedHeaderBytesMax;
  }

  writeUint8(value: number): void {
    const at = this.#grow(1);
    this.#buffer[at] = value;
  }

  writeUint16(value: number): void {
    const at = this.#grow(2);
    this.#buffer.writeUInt16BE(value, at);
  }

  writeUint32(value: number): void {
    const at = this.#grow(4);
    this.#buffer.writeUInt32BE(value, at);
  }

  writeVariableByteInteger(value: number): void {
    const at = this.#grow(variableByteIntegerLength(value));
    putVariableByteInteger(this.#buffer, at, value); // not before #grow, which may change the buffer
  }

  writeString(text: string): void {
    const length = Buffer.byteLength(text);
    assert(length <= stringBytesMax, "a string to be sent has at most 65,535 bytes");
    const at = this.#grow(2 + length);
    this.#buffer.writeUInt16BE(length, at);
    this.#buffer.write(text, at + 2, length, "utf8");
  }

  writeBinary(bytes: Uint8Array): void {
    assert(bytes.length <= stringBytesMax, "binary data to be sent has at most 65,535 bytes");
    this.writeUint16(bytes.length);
    this.writeBytes(bytes);
  }

  writeBytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#buffer.set(bytes, at);
  }

  /** What has been written; not to be written to any further. */
  toBytes(): Buffer {
    return this.#buffer.subarray(fixedHeaderBytesMax, this.#end);
  }

  /** A whole packet: the first byte, the Remaining Length and what has been written. */
  toPacket(type: number, flags = 0): Buffer {
    const start = fixedHeaderBytesMax - 1 - variableByteIntegerLength(this.length);
    this.#buffer[start] = (type << 4) | flags; // what is reserved is 0, 3.1.1: [MQTT-2.2.2-1]
    putVariableByteInteger(this.#buffer, start + 1, this.length);
    return this.#buffer.subarray(start, this.#end);
  }

  /** Makes room for `count` bytes and answers where they begin. */
  #grow(count: number): number {
    const start = this.#end;
    const needed = start + count;
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, start));
      this.#buffer = larger;
    }
    this.#end = needed;
    return start;
  }
}

/** How many bytes a Variable Byte Integer takes, at its shortest [MQTT-1.5.5-1]. */
function variableByteIntegerLength(value: number): number {
  assert(value >= 0 && value <= variableByteIntegerMax, "a length fits the standard's four bytes");
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  return value < 0x20_0000 ? 3 : 4;
}

function putVariableByteInteger(buffer: Buffer, start: number, value: number): void {
  let rest = value;
  let at = start;
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  buffer[at] = rest;
}
