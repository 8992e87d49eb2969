/**
 * The standard's strict UTF-8: no ill-formed sequence, no surrogate, no U+0000. A byte order mark is an ordinary
 * character, and so are U+FFFE, U+FFFF and the control characters. One scanner serves those who want the text and
 * those who only want to know that it is well-formed, so both always agree.
 */
import { malformed } from "../base/index.ts";

const asciiOnly = 0;
const multiByte = 1;
const illFormed = 2;
type Utf8Form = typeof asciiOnly | typeof multiByte | typeof illFormed;

/** Whether the bytes may stand in a UTF-8 Encoded String. Allocates nothing. */
export function isWellFormedUtf8(buffer: Buffer, start: number, end: number): boolean {
  return scan(buffer, start, end) !== illFormed;
}

/** The text of a UTF-8 Encoded String; throws MQTT_MALFORMED_PACKET where it is not one. */
export function decodeUtf8(buffer: Buffer, start: number, end: number): string {
  switch (scan(buffer, start, end)) {
    case asciiOnly:
      return buffer.toString("latin1", start, end);
    case multiByte:
      return buffer.toString("utf8", start, end); // keeps a byte order mark [MQTT-1.5.4-3], 3.1.1: [MQTT-1.5.3-3]
    default:
      throw illFormedString(); // [MQTT-1.5.4-1], 3.1.1: [MQTT-1.5.3-1]
  }
}

export function illFormedString(): Error {
  return malformed("a string is not well-formed UTF-8, or holds U+0000");
}

function scan(buffer: Buffer, start: number, end: number): Utf8Form {
  for (let at = start; at < end; at++) {
    const byte = buffer[at];
    if (byte >= 0x80) return scanMultiByte(buffer, at, end);
    if (byte === 0) return illFormed; // [MQTT-1.5.4-2], 3.1.1: [MQTT-1.5.3-2]
  }
  return asciiOnly;
}

function scanMultiByte(buffer: Buffer, start: number, end: number): Utf8Form {
  let at = start;
  while (at < end) {
    const first = buffer[at];
    if (first === 0) return illFormed; // [MQTT-1.5.4-2], 3.1.1: [MQTT-1.5.3-2]
    if (first < 0x80) {
      at++;
      continue;
    }
    const length = sequenceLength(first);
    if (length === 0 || at + length > end) return illFormed;
    if (!isSecondByte(first, buffer[at + 1])) return illFormed;
    for (let next = at + 2; next < at + length; next++) {
      if ((buffer[next] & 0xc0) !== 0x80) return illFormed;
    }
    at += length;
  }
  return multiByte;
}

/** 0 for a byte that starts no sequence: a continuation, 0xC0, 0xC1 and all above 0xF4. */
function sequenceLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

/** The second byte rules out overlong forms, surrogates (U+D800 to U+DFFF) and all beyond U+10FFFF. */
function isSecondByte(first: number, second: number): boolean {
  const lowest = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const highest = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  return second >= lowest && second <= highest;
}
