/** What messages cost, in memory and on the disk, so that limits in bytes mean what they say. Estimates, rather too high. */
import type { ConsumedMessage, Reading } from "../../readings/index.ts";

/** Of a message in memory, beside what it holds. */
const objectBytes = 200;
/** Of a message in a spool: its row, and its part of pages that are not full. */
const rowBytes = 40;
const readingOverheadBytes = 200;
const fieldOverheadBytes = 60;

/** Texts in fields are, together, about as long as the payload. */
export function memoryBytes(message: ConsumedMessage, readings: readonly Reading[]): number {
  let bytes = objectBytes + contentBytes(message);
  if (readings.length > 0) bytes += message.payload.length;
  for (const { fields } of readings) {
    bytes += readingOverheadBytes + fields.size * fieldOverheadBytes;
  }
  return bytes;
}

export function diskBytes(message: ConsumedMessage): number {
  return rowBytes + contentBytes(message);
}

function contentBytes(message: ConsumedMessage): number {
  let bytes = message.topic.length + message.payload.length;
  bytes += message.contentType?.length ?? 0;
  bytes += message.responseTopic?.length ?? 0;
  bytes += message.correlationData?.length ?? 0;
  for (const [name, value] of message.userProperties ?? []) bytes += name.length + value.length;
  return bytes;
}
