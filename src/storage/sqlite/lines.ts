/**
 * All that a store holds at one moment, in the order in which an export writes it: read from the tables as they are, with
 * one message in memory at a time. Nothing is passed over in silence: what does not fit together is STORAGE_DAMAGED.
 */
import type { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import type {
  RestoredSession,
  RestoredShared,
  StoredMessage,
  StoredRecord,
  StoredRow,
} from "../../broker/ports.ts";
import {
  type Columns,
  messageColumnCount,
  messageColumns,
  messageFromColumns,
  timeFromColumn,
} from "./columns.ts";
import { restoreState } from "./restored-state.ts";

/** Each iterable can be walked once, in the order of the fields. */
export interface StoreContent {
  readonly sessions: Iterable<Omit<RestoredSession, "figures">>;
  readonly shared: Iterable<Omit<RestoredShared, "figures">>;
  readonly retained: Iterable<StoredMessage>;
  readonly messages: Iterable<ContentMessage>;
  /** What is under way without its message: PUBRELs. */
  readonly releases: Iterable<StoredRow>;
  readonly records: Iterable<StoredRecord>;
}

/** A message with all the places that it has in queues. */
export interface ContentMessage {
  readonly message: number;
  readonly content: StoredMessage;
  readonly rows: readonly StoredRow[];
}

const rowColumns =
  "queue, position, message, qos, retain, subscription_identifiers, packet_identifier, bytes, expires_at";

/** `database` must be in a transaction, so that all of it is of one moment. */
export function readContent(database: DatabaseSync): StoreContent {
  return {
    ...restoreState(database, () => undefined),
    messages: readMessages(database),
    releases: readReleases(database),
    records: readRecords(database),
  };
}

function iterate(database: DatabaseSync, sql: string): IterableIterator<Columns> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement.iterate() as unknown as IterableIterator<Columns>;
}

/** Both statements go through the messages in their order, so that each payload is read once. */
function* readMessages(database: DatabaseSync): Generator<ContentMessage> {
  const places = iterate(
    database,
    `select ${rowColumns} from row where message > 0 order by message, queue, position`,
  );
  let place = places.next();
  const sql = `select ${messageColumns()}, id, reference_count from message order by id`;
  for (const columns of iterate(database, sql)) {
    const [message, references] = columns.slice(messageColumnCount).map(Number);
    const rows: StoredRow[] = [];
    while (!place.done && Number(place.value[2]) === message) {
      rows.push(rowOf(place.value));
      place = places.next();
    }
    if (rows.length !== references) {
      throw damaged(`message ${message} has ${rows.length} places in queues, not ${references}`);
    }
    yield { message, content: messageFromColumns(columns, 0), rows };
  }
  if (!place.done) throw damaged(`message ${place.value[2]} is not there, but in a queue`);
}

function* readReleases(database: DatabaseSync): Generator<StoredRow> {
  const sql = `select ${rowColumns} from row where message = 0 order by queue, position`;
  for (const columns of iterate(database, sql)) yield rowOf(columns);
}

function* readRecords(database: DatabaseSync): Generator<StoredRecord> {
  const sql = "select kind, name, value from record order by kind, name";
  for (const [kind, name, value] of iterate(database, sql)) {
    yield { kind: String(kind), name: String(name), value: String(value) };
  }
}

function rowOf(columns: Columns): StoredRow {
  const identifiers = String(columns[5]);
  return {
    queue: Number(columns[0]),
    position: Number(columns[1]),
    message: Number(columns[2]),
    qos: columns[3] as StoredRow["qos"],
    retain: columns[4] === 1,
    subscriptionIdentifiers: identifiers === "" ? [] : identifiers.split(",").map(Number),
    packetIdentifier: Number(columns[6]),
    bytes: Number(columns[7]),
    expiresAt: timeFromColumn(columns[8]),
  };
}

function damaged(what: string): TstackError {
  return new TstackError("STORAGE_DAMAGED", `the tables do not fit together: ${what}`);
}
