/** Every statement with which the worker changes and reads `tstack.db`, prepared once. */
import type { DatabaseSync } from "node:sqlite";
import { messageColumns, messagePlaceholders } from "./columns.ts";

export type Statements = ReturnType<typeof prepareStatements>;

const rowColumns =
  "queue, position, message, row.qos, row.retain, subscription_identifiers, packet_identifier, bytes, row.expires_at";

const queueRowsByMessage =
  "select message, count(*) as count from row where queue = ? and message > 0 group by message";

export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReturnArrays(true);
    return statement;
  };
  return {
    begin: prepare("begin immediate"),
    commit: prepare("commit"),
    rollback: prepare("rollback"),
    /** Busy, pages in the log, pages of them that are in the database. */
    logPages: prepare("pragma wal_checkpoint(noop)"),
    ...prepareSessionStatements(prepare),
    ...prepareRowStatements(prepare),
    readRecords: prepare("select kind, name, value from record order by kind, name"),
    putRecord: prepare("insert or replace into record values (?, ?, ?)"),
    deleteRecord: prepare("delete from record where kind = ? and name = ?"),
  };
}

type Prepare = (sql: string) => ReturnType<DatabaseSync["prepare"]>;

function prepareSessionStatements(prepare: Prepare) {
  return {
    putSession: prepare(
      `insert or replace into session values (?, ?, ?, ?, ?, ?, ?, ?, ${messagePlaceholders}, ?)`,
    ),
    deleteSession: prepare("delete from session where queue = ?"),
    putSubscription: prepare(`
      insert into subscription (queue, filter, qos, no_local, retain_as_published, retain_handling, identifier)
      values (?, ?, ?, ?, ?, ?, ?)
      on conflict (queue, filter) do update set qos = excluded.qos, no_local = excluded.no_local,
        retain_as_published = excluded.retain_as_published, retain_handling = excluded.retain_handling,
        identifier = excluded.identifier`),
    deleteSubscription: prepare("delete from subscription where queue = ? and filter = ?"),
    deleteSubscriptions: prepare("delete from subscription where queue = ?"),
    putShared: prepare("insert or replace into shared values (?, ?, ?)"),
    deleteShared: prepare("delete from shared where queue = ?"),
    putReceived: prepare("insert or ignore into received values (?, ?)"),
    deleteReceived: prepare("delete from received where queue = ? and packet_identifier = ?"),
    deleteAllReceived: prepare("delete from received where queue = ?"),
    putRetained: prepare(`insert or replace into retained values (${messagePlaceholders})`),
    deleteRetained: prepare("delete from retained where topic = ?"),
  };
}

function prepareRowStatements(prepare: Prepare) {
  const deliveries = (rows: string) =>
    `select ${rowColumns}, ${messageColumns("m.")} from ${rows} left join message m on m.id = row.message where queue = ?`;
  const waiting = "from row where queue = ? and packet_identifier = 0";
  return {
    addMessage: prepare(`insert into message values (?, ?, ${messagePlaceholders})`),
    addRow: prepare("insert into row values (?, ?, ?, ?, ?, ?, ?, ?, ?)"),
    markSent: prepare(
      "update row set packet_identifier = position + ? where queue = ? and position between ? and ? and packet_identifier = 0",
    ),
    deleteRow: prepare("delete from row where queue = ? and position = ?"),
    deleteRows: prepare("delete from row where queue = ? and position between ? and ?"),
    deleteLastMessage: prepare("delete from message where id = ? and reference_count = 1"),
    deleteLastMessages: prepare(
      "delete from message where id between ? and ? and reference_count = 1",
    ),
    releaseMessages: prepare(
      "update message set reference_count = reference_count - 1 where id between ? and ?",
    ),
    deleteMessagesOfQueue: prepare(
      "delete from message where reference_count = 1 and id in (select message from row where queue = ?)",
    ),
    releaseMessagesOfQueue: prepare(
      `update message set reference_count = reference_count - held.count from (${queueRowsByMessage}) as held where id = held.message`,
    ),
    deleteReleasedOfQueue: prepare(
      "delete from message where reference_count = 0 and id in (select message from row where queue = ?)",
    ),
    deleteRowsOfQueue: prepare("delete from row where queue = ?"),
    countMessagesOfQueue: prepare("select count(*) from row where queue = ? and message > 0"),
    sumWaiting: prepare(`select count(*), total(bytes) ${waiting}`),
    findExpired: prepare(`select position, message, bytes ${waiting} and expires_at <= ? limit ?`),
    findOldest: prepare(`select position, message, bytes ${waiting} order by position`),
    findNewest: prepare(`select position, message, bytes ${waiting} order by position desc`),
    readWaiting: prepare(
      `${deliveries("row")} and position > ? and packet_identifier = 0 order by position limit ?`,
    ),
    // By itself SQLite takes the primary key, and goes through all that waits.
    readUnderWay: prepare(
      `${deliveries("row indexed by row_under_way")} and packet_identifier > 0 order by position`,
    ),
  };
}
