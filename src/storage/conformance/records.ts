/** Records for the checks: every field has a value, and what a check is about is said by it. */
import type {
  StorageChange,
  StoredDelivery,
  StoredMessage,
  StoredRow,
  StoredSession,
  StoredSubscription,
} from "../../broker/ports.ts";

export const never = Number.POSITIVE_INFINITY;
/** A time of day in 2026; engines keep numbers of this size. */
export const someTime = 1_795_000_000_123;

interface ContentParts {
  readonly topic: string;
  readonly properties?: Uint8Array;
  readonly payload?: Uint8Array;
}

export function contentOf(
  { topic, properties = Buffer.alloc(0), payload = Buffer.alloc(0) }: ContentParts,
  fields: Partial<Omit<StoredMessage, "bytes" | "topicEnd" | "propertiesEnd">> = {},
): StoredMessage {
  const topicEnd = Buffer.byteLength(topic);
  return {
    bytes: Buffer.concat([Buffer.from(topic), properties, payload]),
    topicEnd,
    propertiesEnd: topicEnd + properties.length,
    expiryOffset: -1,
    qos: 1,
    retain: false,
    publisher: "",
    expiresAt: never,
    ...fields,
  };
}

/** Each row has a message of its own number, unless the check says otherwise. */
export function rowOf(
  queue: number,
  position: number,
  fields: Partial<Omit<StoredRow, "queue" | "position">> = {},
): StoredRow {
  return {
    queue,
    position,
    message: position,
    qos: 1,
    retain: false,
    subscriptionIdentifiers: [],
    packetIdentifier: 0,
    bytes: 10,
    expiresAt: never,
    ...fields,
  };
}

/** A row without a message: what is left of QoS 2 after PUBREC. */
export function pubrelOf(queue: number, position: number, packetIdentifier: number): StoredRow {
  return rowOf(queue, position, { message: 0, qos: 2, packetIdentifier, bytes: 0 });
}

/** The message of a row, of as many bytes as the row says, with its number in the payload. */
function contentFor({ message, bytes, qos, expiresAt }: StoredRow): StoredMessage {
  const payload = Buffer.from(`${message}`.padEnd(bytes - 1, "."));
  return contentOf({ topic: "t", payload }, { qos, expiresAt });
}

export function deliveryOf(row: StoredRow): StoredDelivery {
  return { row, content: row.message === 0 ? undefined : contentFor(row) };
}

/** New rows, each with the message that only it names. */
export function queued(...rows: readonly StoredRow[]): readonly StorageChange[] {
  return rows.flatMap((row): StorageChange[] => {
    if (row.message === 0) return [{ kind: "row", row }];
    const content = contentFor(row);
    return [
      { kind: "message", message: row.message, references: 1, content },
      { kind: "row", row },
    ];
  });
}

/** One message in several rows. */
export function queuedTogether(
  content: StoredMessage,
  ...rows: readonly StoredRow[]
): readonly StorageChange[] {
  const { message } = rows[0];
  return [
    { kind: "message", message, references: rows.length, content },
    ...rows.map((row): StorageChange => ({ kind: "row", row })),
  ];
}

export function removed({ queue, position, message }: StoredRow): StorageChange {
  return { kind: "removed", queue, position, message };
}

export function moved({ queue, position }: StoredRow, row: StoredRow): StorageChange {
  return { kind: "moved", queue, position, row };
}

export function sent({ queue, position }: StoredRow, packetIdentifier: number): StorageChange {
  return { kind: "sent", queue, position, packetIdentifier };
}

export function sessionOf(
  queue: number,
  fields: Partial<Omit<StoredSession, "queue">> = {},
): StoredSession {
  return {
    queue,
    clientIdentifier: `client ${queue}`,
    userName: undefined,
    isV5: true,
    expirySeconds: 3600,
    expiresAt: never,
    isConnected: false,
    will: undefined,
    ...fields,
  };
}

export function sessions(...queues: readonly number[]): readonly StorageChange[] {
  return queues.map((queue) => ({ kind: "session", session: sessionOf(queue) }));
}

export function shared(queue: number): StorageChange {
  return { kind: "shared", queue, group: `group ${queue}`, filter: "a/#" };
}

export function subscriptionOf(
  filter: string,
  fields: Partial<Omit<StoredSubscription, "filter">> = {},
): StoredSubscription {
  return {
    filter,
    qos: 1,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
    identifier: 0,
    ...fields,
  };
}

/** Texts that a careless engine takes for others, or changes. */
export const difficultTexts = [
  "a",
  "A",
  "a ",
  " a",
  "a\t\n\r",
  "\u0001\u001f\u007f",
  "0",
  "1e3",
  "'; --",
  '"%_*?\\',
  "\u00e9",
  "e\u0301",
  "\ufeffbyte order mark",
  "\ufffe\uffff",
  "\u{1f980}\u{10ffff}",
  "x".repeat(0xffff),
] as const;
