/**
 * Rows and messages as bytes, the same in batches (main thread to worker) and in pages (worker to main thread). What is
 * mostly absent - a time of expiry, subscription identifiers - costs a bit and no more.
 */

import type { StoredMessage, StoredRow } from "../../broker/ports.ts";
import type { QoS } from "../../codec/index.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";

const qosMask = 3;
const retainBit = 4;
const expiresBit = 8;
/** Of a message: it has a Message Expiry Interval. Of a row: it has subscription identifiers. */
const extraBit = 16;

export function writeMessage(writer: ByteWriter, message: StoredMessage): void {
  const { qos, retain, expiresAt, expiryOffset } = message;
  const expires = expiresAt !== Number.POSITIVE_INFINITY;
  const flags = qos | (retain ? retainBit : 0) | (expires ? expiresBit : 0);
  writer.writeByte(expiryOffset < 0 ? flags : flags | extraBit);
  if (expires) writer.writeNumber(expiresAt);
  if (expiryOffset >= 0) writer.writeUint32(expiryOffset);
  writer.writeUint32(message.topicEnd);
  writer.writeUint32(message.propertiesEnd);
  writer.writeName(message.publisher);
  writer.writeBytes(message.bytes);
}

/** Its bytes are a view into what is read. */
export function readMessage(reader: ByteReader): StoredMessage {
  const flags = reader.readByte();
  const expiresAt = (flags & expiresBit) === 0 ? Number.POSITIVE_INFINITY : reader.readNumber();
  const expiryOffset = (flags & extraBit) === 0 ? -1 : reader.readUint32();
  const topicEnd = reader.readUint32();
  const propertiesEnd = reader.readUint32();
  const publisher = reader.readName();
  return {
    bytes: reader.readBytes(),
    topicEnd,
    propertiesEnd,
    expiryOffset,
    qos: (flags & qosMask) as QoS,
    retain: (flags & retainBit) !== 0,
    publisher,
    expiresAt,
  };
}

export function writeRow(writer: ByteWriter, row: StoredRow): void {
  const { subscriptionIdentifiers: identifiers, expiresAt } = row;
  const expires = expiresAt !== Number.POSITIVE_INFINITY;
  const flags = row.qos | (row.retain ? retainBit : 0) | (expires ? expiresBit : 0);
  writer.writeByte(identifiers.length === 0 ? flags : flags | extraBit);
  if (expires) writer.writeNumber(expiresAt);
  if (identifiers.length > 0) {
    writer.writeUint32(identifiers.length);
    for (const identifier of identifiers) writer.writeUint32(identifier);
  }
  writer.writeNumber(row.queue);
  writer.writeNumber(row.position);
  writer.writeNumber(row.message);
  writer.writeUint32(row.packetIdentifier);
  writer.writeUint32(row.bytes);
}

const none: readonly number[] = [];

export function readRow(reader: ByteReader): StoredRow {
  const flags = reader.readByte();
  const expiresAt = (flags & expiresBit) === 0 ? Number.POSITIVE_INFINITY : reader.readNumber();
  const subscriptionIdentifiers = (flags & extraBit) === 0 ? none : readIdentifiers(reader);
  return {
    queue: reader.readNumber(),
    position: reader.readNumber(),
    message: reader.readNumber(),
    qos: (flags & qosMask) as QoS,
    retain: (flags & retainBit) !== 0,
    subscriptionIdentifiers,
    packetIdentifier: reader.readUint32(),
    bytes: reader.readUint32(),
    expiresAt,
  };
}

function readIdentifiers(reader: ByteReader): readonly number[] {
  return Array.from({ length: reader.readUint32() }, () => reader.readUint32());
}
