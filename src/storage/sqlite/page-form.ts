/** Rows with their messages as bytes: written by the worker, read by the main thread, whose messages are views into them. */

import type { StoredDelivery, StoredRow } from "../../broker/ports.ts";
import type { QoS } from "../../codec/index.ts";
import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { type Columns, messageFromColumns, timeFromColumn } from "./columns.ts";
import { readMessage, readRow, writeMessage, writeRow } from "./forms.ts";

const rowColumnCount = 9;
const more = 1;
const end = 0;
/** What a page begins with; it grows. */
const pageBytes = 65_536;

/** The page ends with the row that reaches `bytesMax`. */
export function encodePage(rows: Iterable<Columns>, bytesMax: number): ArrayBuffer {
  const writer = new ByteWriter(new ArrayBuffer(pageBytes));
  let bytes = 0;
  for (const columns of rows) {
    const row = rowFromColumns(columns);
    writer.writeByte(more);
    writeRow(writer, row);
    if (row.message !== 0) writeMessage(writer, messageFromColumns(columns, rowColumnCount));
    bytes += row.bytes;
    if (bytes >= bytesMax) break;
  }
  writer.writeByte(end);
  // One message under way keeps all of its page in memory: what is not page is not sent along.
  return writer.buffer.slice(0, writer.length);
}

export function decodePage(page: ArrayBuffer): StoredDelivery[] {
  const reader = new ByteReader(page);
  const deliveries: StoredDelivery[] = [];
  while (reader.readByte() === more) {
    const row = readRow(reader);
    deliveries.push({ row, content: row.message === 0 ? undefined : readMessage(reader) });
  }
  return deliveries;
}

const none: readonly number[] = [];

function rowFromColumns(columns: Columns): StoredRow {
  const identifiers = columns[5] as string;
  return {
    queue: columns[0] as number,
    position: columns[1] as number,
    message: columns[2] as number,
    qos: columns[3] as QoS,
    retain: columns[4] === 1,
    subscriptionIdentifiers: identifiers === "" ? none : identifiers.split(",").map(Number),
    packetIdentifier: columns[6] as number,
    bytes: columns[7] as number,
    expiresAt: timeFromColumn(columns[8]),
  };
}
