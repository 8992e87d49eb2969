/**
 * PUBLISH on the hot path: read in place and written into a buffer that is there already, without an object per
 * packet. `publish.ts` is the same packet as plain data; this file knows it only as offsets.
 */
import { malformed, protocolError } from "../base/index.ts";
import {
  clearPublishProperties,
  type PublishPropertyOffsets,
  skipPublishProperties,
} from "./publish-properties.ts";

/** Where the parts of one message lie in `bytes`. Empty parts have start equal to end. */
export interface MessageParts {
  bytes: Buffer;
  topicStart: number;
  topicEnd: number;
  /** MQTT 5.0 properties as they are on the wire, without their length. */
  propertiesStart: number;
  propertiesEnd: number;
  /** The four bytes of the Message Expiry Interval; -1 when there is none. */
  expiryOffset: number;
  payloadStart: number;
  payloadEnd: number;
}

/** What a PUBLISH says besides the message itself. A scanner fills the same object again and again. */
export interface PublishHeader {
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  /** 0 for QoS 0. */
  packetIdentifier: number;
  properties: PublishPropertyOffsets;
}

/** How one subscriber is to get a message. */
export interface PublishVariant {
  isV5: boolean;
  qos: 0 | 1 | 2;
  retain: boolean;
  dup: boolean;
  /** Subscription identifiers, 5.0 only. */
  identifiers: readonly number[];
  /** 0 for none, 5.0 only. */
  topicAlias: number;
  /** Sends an empty topic: the alias stands for it. */
  omitTopic: boolean;
  /** The value for the message's expiry interval; -1 leaves the bytes as they came. */
  expirySeconds: number;
}

/**
 * Reads the PUBLISH at `bytes[start]` into `parts` and `header`. Topic text and UTF-8 are the caller's to check.
 * Throws a `TstackError` for every malformation.
 */
export function scanPublish(
  frame: { bytes: Buffer; start: number; bodyStart: number; end: number },
  isV5: boolean,
  parts: MessageParts,
  header: PublishHeader,
): void {
  const { bytes, end } = frame;
  let position = frame.bodyStart;
  const first = bytes[frame.start];
  const qos = (first >> 1) & 3;
  if (qos === 3) throw malformed("PUBLISH with QoS 3"); // [MQTT-3.3.1-4], 3.1.1: [MQTT-3.3.1-4]
  const dup = (first & 8) !== 0;
  if (dup && qos === 0) throw malformed("PUBLISH with QoS 0 and DUP"); // [MQTT-3.3.1-2], 3.1.1: [MQTT-3.3.1-2]
  header.qos = qos as 0 | 1 | 2;
  header.dup = dup;
  header.retain = (first & 1) !== 0;
  if (position + 2 > end) throw malformed("PUBLISH ends before its topic");
  const topicLength = (bytes[position] << 8) | bytes[position + 1]; // [MQTT-3.3.2-1], 3.1.1: [MQTT-3.3.2-1]
  position += 2;
  parts.bytes = bytes;
  parts.topicStart = position;
  position += topicLength;
  parts.topicEnd = position;
  header.packetIdentifier = 0;
  // [MQTT-2.2.1-2], 3.1.1: [MQTT-2.3.1-5]
  if (qos > 0) {
    if (position + 2 > end) throw malformed("PUBLISH ends before its packet identifier");
    header.packetIdentifier = (bytes[position] << 8) | bytes[position + 1];
    if (header.packetIdentifier === 0) throw protocolError("PUBLISH with packet identifier 0"); // [MQTT-2.2.1-3]
    position += 2;
  }
  if (position > end) throw malformed("PUBLISH ends inside its topic");
  parts.expiryOffset = -1;
  if (isV5) position = scanProperties(parts, header, position, end);
  else {
    parts.propertiesStart = position;
    parts.propertiesEnd = position;
    clearPublishProperties(header.properties);
  }
  parts.payloadStart = position;
  parts.payloadEnd = end;
}

function scanProperties(
  parts: MessageParts,
  header: PublishHeader,
  from: number,
  end: number,
): number {
  const { bytes } = parts;
  let position = from;
  let length = 0;
  let byte = 0x80;
  for (let shift = 0; byte >= 0x80; shift += 7) {
    if (position >= end || shift === 28) throw malformed("PUBLISH ends inside its property length");
    byte = bytes[position++];
    length += (byte & 0x7f) << shift;
    if (byte === 0 && shift > 0) throw malformed("property length in more bytes than needed"); // [MQTT-1.5.5-1]
  }
  parts.propertiesStart = position;
  parts.propertiesEnd = position + length;
  if (parts.propertiesEnd > end) throw malformed("PUBLISH ends inside its properties");
  if (length === 0) clearPublishProperties(header.properties);
  else {
    skipPublishProperties(bytes, position, parts.propertiesEnd, header.properties);
    parts.expiryOffset = header.properties.messageExpiryIntervalOffset;
  }
  return parts.propertiesEnd;
}

/** One whole packet in `bytes`: its body begins at `bodyStart`. */
export interface LocatedFrame {
  bytes: Buffer;
  start: number;
  bodyStart: number;
  end: number;
}

/** Finds body and end of the whole frame that begins at `start`. */
export function locateFrame(frame: LocatedFrame, start: number): void {
  let position = start + 1;
  let remaining = 0;
  let byte = 0x80;
  for (let shift = 0; byte >= 0x80; shift += 7) {
    byte = frame.bytes[position++];
    remaining += (byte & 0x7f) << shift;
  }
  frame.start = start;
  frame.bodyStart = position;
  frame.end = position + remaining;
}

function variableByteLength(value: number): number {
  if (value < 128) return 1;
  if (value < 16_384) return 2;
  return value < 2_097_152 ? 3 : 4;
}

function writeVariableByteInteger(target: Buffer, offset: number, value: number): number {
  let rest = value;
  let position = offset;
  while (rest >= 128) {
    target[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[position++] = rest;
  return position;
}

function addedPropertyBytes(variant: PublishVariant): number {
  let bytes = variant.topicAlias > 0 ? 3 : 0;
  for (const identifier of variant.identifiers) bytes += 1 + variableByteLength(identifier);
  return bytes;
}

function bodyBytes(parts: MessageParts, variant: PublishVariant): number {
  let bytes = 2 + parts.payloadEnd - parts.payloadStart;
  if (!variant.omitTopic) bytes += parts.topicEnd - parts.topicStart;
  if (variant.qos > 0) bytes += 2;
  if (variant.isV5) {
    const properties = parts.propertiesEnd - parts.propertiesStart + addedPropertyBytes(variant);
    bytes += variableByteLength(properties) + properties;
  }
  return bytes;
}

/** The size of the whole PUBLISH that `writePublish` makes. */
export function publishBytes(parts: MessageParts, variant: PublishVariant): number {
  const body = bodyBytes(parts, variant);
  return 1 + variableByteLength(body) + body;
}

/**
 * Writes the PUBLISH for `variant` at `offset` of `target`, which must have room for `publishBytes`.
 * The packet identifier is left 0. Answers the offset of its two bytes (QoS 1 and 2), else of the end.
 */
export function writePublish(
  parts: MessageParts,
  variant: PublishVariant,
  target: Buffer,
  offset: number,
): number {
  const { bytes } = parts;
  target[offset] = 0x30 | (variant.dup ? 8 : 0) | (variant.qos << 1) | (variant.retain ? 1 : 0);
  let position = writeVariableByteInteger(target, offset + 1, bodyBytes(parts, variant));
  const topicLength = variant.omitTopic ? 0 : parts.topicEnd - parts.topicStart;
  target[position++] = topicLength >> 8;
  target[position++] = topicLength & 0xff;
  if (topicLength > 0) bytes.copy(target, position, parts.topicStart, parts.topicEnd);
  position += topicLength;
  let identifierOffset = position;
  // [MQTT-2.2.1-2], 3.1.1: [MQTT-2.3.1-5]
  if (variant.qos > 0) {
    target[position++] = 0;
    target[position++] = 0;
  }
  if (variant.isV5) position = writeProperties(parts, variant, target, position);
  bytes.copy(target, position, parts.payloadStart, parts.payloadEnd);
  position += parts.payloadEnd - parts.payloadStart;
  if (variant.qos === 0) identifierOffset = position;
  return identifierOffset;
}

function writeProperties(
  parts: MessageParts,
  variant: PublishVariant,
  target: Buffer,
  offset: number,
): number {
  const kept = parts.propertiesEnd - parts.propertiesStart;
  let position = writeVariableByteInteger(target, offset, kept + addedPropertyBytes(variant));
  if (variant.topicAlias > 0) {
    target[position++] = 0x23;
    target[position++] = variant.topicAlias >> 8;
    target[position++] = variant.topicAlias & 0xff;
  }
  for (const identifier of variant.identifiers) {
    target[position++] = 0x0b;
    position = writeVariableByteInteger(target, position, identifier);
  }
  if (kept === 0) return position;
  // Unaltered, in their order: [MQTT-3.3.2-4] [MQTT-3.3.2-15] [MQTT-3.3.2-16] [MQTT-3.3.2-17] [MQTT-3.3.2-18]
  // [MQTT-3.3.2-20]
  parts.bytes.copy(target, position, parts.propertiesStart, parts.propertiesEnd);
  if (parts.expiryOffset >= 0 && variant.expirySeconds >= 0) {
    // [MQTT-3.3.2-6] the interval goes on less the time the message has waited
    target.writeUInt32BE(
      variant.expirySeconds,
      position + parts.expiryOffset - parts.propertiesStart,
    );
  }
  return position + kept;
}
