/**
 * The properties of a client's PUBLISH, checked where they lie: no object, no string, no copy.
 * What it accepts is what `readProperties` accepts, except the Subscription Identifier, which no client may send.
 */
import { malformed, protocolError } from "../base/index.ts";
import { topicAliasOfZero } from "./topic-name.ts";
import { illFormedString, isWellFormedUtf8 } from "./utf8.ts";

/** Filled by `skipPublishProperties`; meant to be made once and used again for every packet. */
export interface PublishPropertyOffsets {
  /** 0 where there is none. */
  topicAlias: number;
  /** Where the three bytes of the Topic Alias property begin, its identifier included; -1 where there is none. */
  topicAliasOffset: number;
  /** In seconds; -1 where there is none. */
  messageExpiryInterval: number;
  /** Where the four bytes of the interval begin, behind its identifier; -1 where there is none. */
  messageExpiryIntervalOffset: number;
}

/** A Topic Alias property: identifier and two bytes. */
export const topicAliasPropertyBytes = 3;

const wildcardPlus = 0x2b;
const wildcardHash = 0x23;

export function newPublishPropertyOffsets(): PublishPropertyOffsets {
  return {
    topicAlias: 0,
    topicAliasOffset: -1,
    messageExpiryInterval: -1,
    messageExpiryIntervalOffset: -1,
  };
}

/** A packet without properties: nothing of the one before stays. */
export function clearPublishProperties(found: PublishPropertyOffsets): void {
  found.topicAlias = 0;
  found.topicAliasOffset = -1;
  found.messageExpiryInterval = -1;
  found.messageExpiryIntervalOffset = -1;
}

/**
 * Checks the properties from `start`, just behind the Property Length, to `end`, and notes in `found` what the broker needs
 * for forwarding. Throws what `readProperties` would throw.
 */
export function skipPublishProperties(
  buffer: Buffer,
  start: number,
  end: number,
  found: PublishPropertyOffsets,
): void {
  clearPublishProperties(found);
  let seen = 0;
  let at = start;
  while (at < end) {
    const identifier = buffer[at];
    const next = endOfProperty(buffer, at, end);
    // User properties alone may repeat; all other identifiers are below 31 or, for the alias, take a bit of their own.
    if (identifier !== 0x26) {
      const bit = 1 << (identifier === 0x23 ? 0 : identifier);
      if (seen & bit)
        throw protocolError(`property 0x${identifier.toString(16)} stands there more than once`);
      seen |= bit;
    }
    if (identifier === 0x23) {
      found.topicAlias = readUint16(buffer, at + 1);
      found.topicAliasOffset = at;
    } else if (identifier === 0x02) {
      found.messageExpiryInterval = buffer.readUInt32BE(at + 1);
      found.messageExpiryIntervalOffset = at + 1;
    }
    at = next;
  }
}

/** Where the property at `at` ends, its value checked as far as its type goes. */
function endOfProperty(buffer: Buffer, at: number, end: number): number {
  const value = at + 1;
  switch (buffer[at]) {
    case 0x01: {
      const next = fixedEnd(value, 1, end);
      if (buffer[value] > 1)
        throw protocolError(`payloadFormatIndicator must not be ${buffer[value]}`);
      return next;
    }
    case 0x02:
      return fixedEnd(value, 4, end);
    case 0x23: {
      const next = fixedEnd(value, 2, end);
      if (readUint16(buffer, value) === 0) throw topicAliasOfZero(); // [MQTT-3.3.2-8]
      return next;
    }
    case 0x09:
      return lengthPrefixedEnd(buffer, value, end);
    case 0x03:
      return stringEnd(buffer, value, end); // [MQTT-3.3.2-19]
    case 0x08: {
      const next = stringEnd(buffer, value, end);
      checkResponseTopic(buffer, value + 2, next);
      return next;
    }
    case 0x26:
      return stringEnd(buffer, stringEnd(buffer, value, end), end); // [MQTT-1.5.7-1]
    case 0x0b:
      throw protocolError("a client's PUBLISH holds a subscription identifier"); // [MQTT-3.3.4-6]
    default:
      throw malformed(`property 0x${buffer[at].toString(16)} does not belong there`);
  }
}

function fixedEnd(value: number, length: number, end: number): number {
  if (value + length > end) throw malformed("a property ends too early");
  return value + length;
}

function lengthPrefixedEnd(buffer: Buffer, value: number, end: number): number {
  const text = fixedEnd(value, 2, end);
  return fixedEnd(text, readUint16(buffer, value), end);
}

function stringEnd(buffer: Buffer, value: number, end: number): number {
  const next = lengthPrefixedEnd(buffer, value, end);
  if (!isWellFormedUtf8(buffer, value + 2, next)) throw illFormedString(); // [MQTT-1.5.4-1]
  return next;
}

function readUint16(buffer: Buffer, at: number): number {
  return (buffer[at] << 8) | buffer[at + 1];
}

function checkResponseTopic(buffer: Buffer, start: number, end: number): void {
  if (start === end) throw protocolError("the response topic is empty"); // [MQTT-4.7.3-1]
  for (let at = start; at < end; at++) {
    if (buffer[at] === wildcardPlus || buffer[at] === wildcardHash) {
      throw protocolError("the response topic holds a wildcard"); // [MQTT-3.3.2-14]
    }
  }
}
