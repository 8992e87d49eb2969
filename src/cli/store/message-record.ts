/** A stored message as a readable part of a record, and back: topic, properties and payload instead of bytes and offsets. */
import { z } from "zod";
import type { StoredMessage } from "../../broker/index.ts";
import { propertiesShape, readPropertyRecord, writePropertyRecord } from "./property-record.ts";
import {
  bytesShape,
  readBytes,
  readTime,
  timeShape,
  writeBytes,
  writeTime,
} from "./record-values.ts";

export const qosShape = z.literal([0, 1, 2]);

export const messageFields = {
  topic: bytesShape,
  qos: qosShape,
  retain: z.boolean(),
  publisher: z.string(),
  expiresAt: timeShape,
  properties: propertiesShape.optional(),
  payload: bytesShape,
};

const messageShape = z.strictObject(messageFields);
type MessageRecord = z.output<typeof messageShape>;

export function writeMessageRecord(message: StoredMessage): MessageRecord {
  const { topicEnd, propertiesEnd, expiryOffset } = message;
  const bytes = Buffer.from(message.bytes.buffer, message.bytes.byteOffset, message.bytes.length);
  return {
    topic: writeBytes(bytes.subarray(0, topicEnd)),
    qos: message.qos,
    retain: message.retain,
    publisher: message.publisher,
    expiresAt: writeTime(message.expiresAt),
    properties: writePropertyRecord({
      bytes: bytes.subarray(topicEnd, propertiesEnd),
      expiryOffset: expiryOffset < 0 ? -1 : expiryOffset - topicEnd,
    }),
    payload: writeBytes(bytes.subarray(propertiesEnd)),
  };
}

/** Throws what is wrong with its properties. */
export function readMessageRecord(record: MessageRecord): StoredMessage {
  const topic = readBytes(record.topic);
  const properties = readPropertyRecord(record.properties);
  const { expiryOffset } = properties;
  return {
    bytes: Buffer.concat([topic, properties.bytes, readBytes(record.payload)]),
    topicEnd: topic.length,
    propertiesEnd: topic.length + properties.bytes.length,
    expiryOffset: expiryOffset < 0 ? -1 : topic.length + expiryOffset,
    qos: record.qos,
    retain: record.retain,
    publisher: record.publisher,
    expiresAt: readTime(record.expiresAt),
  };
}
