/**
 * Reads everything but the queues out of the database, on the main thread, row by row as the broker walks through it: tables
 * in the order of their queues side by side, so that nothing is gathered. Of the queues it reads figures, not rows.
 */
import type { DatabaseSync } from "node:sqlite";
import type {
  RestoredSession,
  RestoredShared,
  RestoredState,
  StoredMessage,
  StoredQueueFigures,
  StoredSession,
  StoredSubscription,
} from "../../broker/ports.ts";
import type { QoS } from "../../codec/index.ts";
import { type Columns, messageColumns, messageFromColumns, timeFromColumn } from "./columns.ts";

const noFigures: StoredQueueFigures = {
  messages: 0,
  bytes: 0,
  firstExpiresAt: Number.POSITIVE_INFINITY,
  positionFirst: 0,
  positionLast: 0,
};

/** Waiting rows are counted, all are looked at for the positions. */
const figuresOf = (owner: string) => `
  select queue, count(*) filter (where packet_identifier = 0), total(bytes) filter (where packet_identifier = 0),
    min(expires_at) filter (where packet_identifier = 0), min(position), max(position)
  from row where queue in (select queue from ${owner}) group by queue order by queue`;

/** `done` is called once, when the last has been read. */
export function restoreState(database: DatabaseSync, done: () => void): RestoredState {
  return {
    sessions: restoreSessions(database),
    shared: restoreShared(database),
    retained: restoreRetained(database, done),
    queueLast: readNumber(
      database,
      "select max(coalesce((select max(queue) from session), 0), coalesce((select max(queue) from shared), 0))",
    ),
    messageLast: readNumber(database, "select coalesce(max(id), 0) from message"),
  };
}

function* restoreSessions(database: DatabaseSync): Iterable<RestoredSession> {
  const subscriptions = new QueueCursor(
    iterate(
      database,
      "select queue, filter, qos, no_local, retain_as_published, retain_handling, identifier from subscription order by queue, id",
    ),
  );
  const received = new QueueCursor(
    iterate(
      database,
      "select queue, packet_identifier from received order by queue, packet_identifier",
    ),
  );
  const figures = new QueueCursor(iterate(database, figuresOf("session")));
  const sessions = iterate(
    database,
    `select queue, client_identifier, is_v5, expiry_seconds, expires_at, is_connected,
      will_delay_seconds, will_publish_at, user_name, ${messageColumns("will_")} from session order by queue`,
  );
  for (const columns of sessions) {
    const queue = columns[0] as number;
    yield {
      session: toSession(columns),
      subscriptions: subscriptions.take(queue).map(toSubscription),
      receivedIdentifiers: received.take(queue).map((row) => row[1] as number),
      figures: toFigures(figures.take(queue)[0]),
    };
  }
}

function* restoreShared(database: DatabaseSync): Iterable<RestoredShared> {
  const figures = new QueueCursor(iterate(database, figuresOf("shared")));
  const rows = iterate(database, "select queue, group_name, filter from shared order by queue");
  for (const [queue, group, filter] of rows) {
    yield {
      queue: queue as number,
      group: group as string,
      filter: filter as string,
      figures: toFigures(figures.take(queue as number)[0]),
    };
  }
}

function* restoreRetained(database: DatabaseSync, done: () => void): Iterable<StoredMessage> {
  for (const columns of iterate(
    database,
    `select ${messageColumns()} from retained order by rowid`,
  )) {
    yield messageFromColumns(columns, 0);
  }
  done();
}

/** Walks through rows that are ordered by their first column, the queue. */
class QueueCursor {
  readonly #rows: Iterator<Columns>;
  #next: Columns | undefined;

  constructor(rows: Iterator<Columns>) {
    this.#rows = rows;
    this.#advance();
  }

  /** The rows of this queue; of those before nothing is left. */
  take(queue: number): Columns[] {
    const taken: Columns[] = [];
    while (this.#next !== undefined && (this.#next[0] as number) <= queue) {
      if (this.#next[0] === queue) taken.push(this.#next);
      this.#advance();
    }
    return taken;
  }

  #advance(): void {
    const { done, value } = this.#rows.next();
    this.#next = done === true ? undefined : value;
  }
}

function iterate(database: DatabaseSync, sql: string): IterableIterator<Columns> {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement.iterate() as unknown as IterableIterator<Columns>;
}

function readNumber(database: DatabaseSync, sql: string): number {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  const [value] = statement.get() as unknown as [number];
  return value;
}

function toSession(columns: Columns): StoredSession {
  const [queue, clientIdentifier, isV5, expirySeconds, expiresAt, isConnected, delay] = columns;
  return {
    queue: queue as number,
    clientIdentifier: clientIdentifier as string,
    userName: (columns[8] as string | null) ?? undefined,
    isV5: isV5 === 1,
    expirySeconds: expirySeconds as number,
    expiresAt: timeFromColumn(expiresAt),
    isConnected: isConnected === 1,
    will:
      delay === null
        ? undefined
        : {
            message: messageFromColumns(columns, 9),
            delaySeconds: delay as number,
            publishAt: timeFromColumn(columns[7]),
          },
  };
}

function toSubscription(columns: Columns): StoredSubscription {
  const [, filter, qos, noLocal, retainAsPublished, retainHandling, identifier] = columns;
  return {
    filter: filter as string,
    qos: qos as QoS,
    noLocal: noLocal === 1,
    retainAsPublished: retainAsPublished === 1,
    retainHandling: retainHandling as 0 | 1 | 2,
    identifier: identifier as number,
  };
}

function toFigures(columns: Columns | undefined): StoredQueueFigures {
  if (columns === undefined) return noFigures;
  return {
    messages: columns[1] as number,
    bytes: columns[2] as number,
    firstExpiresAt: timeFromColumn(columns[3]),
    positionFirst: columns[4] as number,
    positionLast: columns[5] as number,
  };
}
