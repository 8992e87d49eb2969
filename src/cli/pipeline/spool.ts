/**
 * What waits on the disk for a sink that is away: a database of its own, `spool-NAME.db`, with the messages as they
 * came, first in, first out. What was appended outlives a power cut. An empty spool has no file.
 */
import { chmodSync, existsSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import type { ConsumedMessage } from "../../readings/index.ts";
import { identityOf, syncFile } from "../../storage/index.ts";
import { diskBytes } from "./message-size.ts";
import type { BatchLimits } from "./pending-log.ts";
import { toSpoolError } from "./spool-failure.ts";
import { readProperties, writeProperties } from "./spooled-properties.ts";

const formVersion = 1;
const cacheKilobytes = 4096;

/** `bytes` stands before the payload, so that adding them up reads no payloads. */
const schema = `
  create table waiting (
    position integer primary key, bytes integer not null, topic text not null, qos integer not null,
    retain integer not null, arrived_at integer not null, properties text, payload blob not null) strict;
  pragma user_version = ${formVersion};`;

interface OpenSpool {
  readonly database: DatabaseSync;
  readonly identity: string;
  readonly insert: StatementSync;
  readonly select: StatementSync;
  readonly remove: StatementSync;
}

export class Spool {
  readonly file: string;
  /** For whom, for people. */
  readonly #destination: string;
  #open: OpenSpool | undefined;
  /** Positions without a gap: the first that waits, and the one that comes next. */
  #first = 1;
  #next = 1;
  #bytes = 0;

  private constructor(file: string, destination: string) {
    this.file = file;
    this.#destination = destination;
  }

  /** With what an earlier run has left. @throws TstackError SPOOL_FAILED where that cannot be read */
  static open(folder: string, name: string, destination: string): Spool {
    const spool = new Spool(join(folder, spoolFileName(name)), destination);
    spool.#attempt(() => {
      if (!existsSync(spool.file)) return;
      spool.#opened();
      if (spool.messages === 0) spool.#delete();
    });
    return spool;
  }

  get messages(): number {
    return this.#next - this.#first;
  }

  /** With what a message costs beside its payload and topic. */
  get bytes(): number {
    return this.#bytes;
  }

  /** All or none. @throws TstackError SPOOL_FAILED */
  append(messages: readonly ConsumedMessage[]): void {
    this.#attempt(() => {
      const { database, identity, insert } = this.#opened();
      if (identityOf(this.file) !== identity) {
        throw spoolFailure(
          `${this.file} was moved or deleted while ${this.messages} messages wait in it: put it back, or start again`,
        );
      }
      let position = this.#next;
      let bytes = 0;
      inTransaction(database, () => {
        for (const message of messages) {
          const { topic, payload, qos, retain, arrivedAt } = message;
          const size = diskBytes(message);
          const facts = [position, size, topic, qos, Number(retain), arrivedAt];
          insert.run(...facts, writeProperties(message), payload);
          position += 1;
          bytes += size;
        }
      });
      this.#next = position;
      this.#bytes += bytes;
    });
  }

  /** The first of what waits, within limits, but one at least. @throws TstackError SPOOL_FAILED */
  read(limits: BatchLimits): ConsumedMessage[] {
    return this.#attempt(() => {
      const messages: ConsumedMessage[] = [];
      let bytes = 0;
      for (const row of this.#opened().select.iterate(limits.batchMessagesMax)) {
        bytes += Number(row.bytes);
        if (bytes > limits.batchBytesMax && messages.length > 0) break;
        messages.push(toMessage(row));
      }
      return messages;
    });
  }

  /** @throws TstackError SPOOL_FAILED: they are still there */
  removeFirst(count: number): void {
    this.#attempt(() => {
      const { database, remove } = this.#opened();
      let bytes = 0;
      inTransaction(database, () => {
        for (const row of remove.all(this.#first + count)) bytes += Number(row.bytes);
      });
      this.#first += count;
      this.#bytes -= bytes;
      if (this.messages === 0) this.#delete();
    });
  }

  close(): void {
    this.#open?.database.close();
    this.#open = undefined;
  }

  #delete(): void {
    this.close();
    for (const part of ["", "-wal", "-shm"]) rmSync(this.file + part, { force: true });
  }

  #opened(): OpenSpool {
    this.#open ??= this.#start();
    return this.#open;
  }

  #start(): OpenSpool {
    const database = new DatabaseSync(this.file);
    try {
      chmodSync(this.file, 0o600);
      database.exec(`
        pragma journal_mode = wal; pragma synchronous = full; pragma mmap_size = 0;
        pragma cache_size = -${cacheKilobytes};`);
      const version = database.prepare("pragma user_version").get()?.user_version;
      if (version === 0) inTransaction(database, () => database.exec(schema));
      else if (version !== formVersion) {
        throw spoolFailure(`a newer tStack has written ${this.file}: use that`);
      }
      this.#takeStock(database);
      // Its name outlives a power cut as well.
      syncFile(dirname(this.file));
      return {
        database,
        identity: identityOf(this.file),
        insert: database.prepare("insert into waiting values (?, ?, ?, ?, ?, ?, ?, ?)"),
        select: database.prepare("select * from waiting order by position limit ?"),
        remove: database.prepare("delete from waiting where position < ? returning bytes"),
      };
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #takeStock(database: DatabaseSync): void {
    const stock = database
      .prepare(
        "select count(*) as messages, min(position) as first, max(position) as last, sum(bytes) as bytes from waiting",
      )
      .get();
    const messages = Number(stock?.messages);
    this.#first = messages === 0 ? 1 : Number(stock?.first);
    this.#next = this.#first + messages;
    this.#bytes = Number(stock?.bytes);
    if (messages > 0 && Number(stock?.last) !== this.#next - 1) {
      throw spoolFailure(`${this.file} is damaged, rows are missing: move it away`);
    }
  }

  #attempt<Result>(action: () => Result): Result {
    try {
      return action();
    } catch (cause) {
      throw toSpoolError(cause, this.file, this.#destination);
    }
  }
}

function spoolFailure(message: string): TstackError {
  return new TstackError("SPOOL_FAILED", message);
}

export function spoolFileName(name: string): string {
  return `spool-${name}.db`;
}

function inTransaction(database: DatabaseSync, action: () => void): void {
  database.exec("begin immediate");
  try {
    action();
    database.exec("commit");
  } catch (error) {
    // SQLite has taken some back by itself: of a full disk.
    if (database.isTransaction) database.exec("rollback");
    throw error;
  }
}

function toMessage(row: Record<string, unknown>): ConsumedMessage {
  const payload = row.payload as Uint8Array;
  return {
    topic: row.topic as string,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    qos: row.qos as 0 | 1 | 2,
    retain: row.retain === 1,
    arrivedAt: row.arrived_at as number,
    ...readProperties(row.properties as string | null),
  };
}
