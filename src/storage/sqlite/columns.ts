/**
 * Stored things as columns of a table, and back. Columns come as arrays, in the order that the lists here name; SQLite puts a
 * message's three parts together, so that a message is one value on its way out and three in the file.
 */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { StoredMessage } from "../../broker/ports.ts";
import type { QoS } from "../../codec/index.ts";

export type Columns = readonly SQLOutputValue[];

/** As `readMessage` wants them. `prefix` is what their names begin with. */
export function messageColumns(prefix = ""): string {
  const column = (name: string) => `${prefix}${name}`;
  const [topic, properties, payload] = ["topic", "properties", "payload"].map(column);
  const plain = ["qos", "retain", "publisher", "expires_at", "expiry_offset"].map(column);
  return `cast(${topic} || ${properties} || ${payload} as blob), octet_length(${topic}), octet_length(${properties}), ${plain.join(", ")}`;
}

export const messageColumnCount = 8;

export function messageFromColumns(columns: Columns, first: number): StoredMessage {
  const topicEnd = Number(columns[first + 1]);
  return {
    bytes: columns[first] as Uint8Array,
    topicEnd,
    propertiesEnd: topicEnd + Number(columns[first + 2]),
    qos: columns[first + 3] as QoS,
    retain: columns[first + 4] === 1,
    publisher: columns[first + 5] as string,
    expiresAt: timeFromColumn(columns[first + 6]),
    expiryOffset: (columns[first + 7] as number | null) ?? -1,
  };
}

/** For `cast(? as text), ?, ?, ?, ?, ?, ?, ?`: topic, properties, payload and the rest. */
export function columnsOfMessage(message: StoredMessage): SQLInputValue[] {
  const { bytes, topicEnd, propertiesEnd } = message;
  return [
    viewOf(bytes, 0, topicEnd),
    viewOf(bytes, topicEnd, propertiesEnd),
    viewOf(bytes, propertiesEnd, bytes.length),
    message.qos,
    message.retain ? 1 : 0,
    message.publisher,
    columnOfTime(message.expiresAt),
    message.expiryOffset < 0 ? null : message.expiryOffset,
  ];
}

export const messagePlaceholders = "cast(? as text), ?, ?, ?, ?, ?, ?, ?";

/** Cheaper than `subarray` of a Buffer. */
function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

export function columnOfTime(time: number): number | null {
  return time === Number.POSITIVE_INFINITY ? null : time;
}

export function timeFromColumn(column: SQLOutputValue): number {
  return (column as number | null) ?? Number.POSITIVE_INFINITY;
}
