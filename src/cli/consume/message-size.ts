/** What messages cost, in memory and on the disk, so that limits in bytes mean what they say. Estimates, rather too high. */
import type { ConsumedMessage, Reading } from "../../readings/index.ts";

const messageOverheadBytes = 200;
const readingOverheadBytes = 200;
const fieldOverheadBytes = 60;

export function messageBytes(message: ConsumedMessage): number {
  let bytes = messageOverheadBytes + message.topic.length + message.payload.length;
  bytes += message.contentType?.length ?? 0;
  bytes += message.responseTopic?.length ?? 0;
  bytes += message.correlationData?.length ?? 0;
  for (const [name, value] of message.userProperties ?? []) bytes += name.length + value.length;
  return bytes;
}

/** Texts in fields are part of the payload mostly, and are not counted again. */
export function readingBytes(readings: readonly Reading[]): number {
  let bytes = 0;
  for (const { fields } of readings)
    bytes += readingOverheadBytes + fields.size * fieldOverheadBytes;
  return bytes;
}
