/**
 * Applies a batch to the database, in the worker and within a transaction that its caller begins and ends. A change that
 * does not fit what is stored is a bug of the broker and fails an assertion: then nothing of the batch is kept.
 */
import { assert } from "../../base/index.ts";
import type { StoredRow, StoredSubscription, TrimOutcome } from "../../broker/ports.ts";
import type { QoS } from "../../codec/index.ts";
import { Entry, SessionFlag, SubscriptionOption } from "./batch-form.ts";
import { ByteReader } from "./byte-reader.ts";
import { columnOfTime, columnsOfMessage } from "./columns.ts";
import { readMessage, readRow } from "./forms.ts";
import { QueueTrim } from "./queue-trim.ts";
import { RowRemoval } from "./row-removal.ts";
import type { Statements } from "./statements.ts";

const noWill = new Array<null>(10).fill(null);

export class BatchApplication {
  readonly #statements: Statements;
  readonly #removal: RowRemoval;
  readonly #trim: QueueTrim;

  constructor(statements: Statements) {
    this.#statements = statements;
    this.#removal = new RowRemoval(statements);
    this.#trim = new QueueTrim(statements, this.#removal);
  }

  apply(batch: ArrayBuffer): readonly TrimOutcome[] {
    const reader = new ByteReader(batch);
    const trimmed: TrimOutcome[] = [];
    for (;;) {
      const entry = reader.readByte();
      if (entry === Entry.end) return trimmed;
      if (entry <= Entry.trimmed) this.#applyToQueue(entry, reader, trimmed);
      else this.#applyToSession(entry, reader);
    }
  }

  /** What the last `apply` did is not kept. */
  undone(): void {
    this.#trim.forgetAll();
  }

  #applyToQueue(entry: number, reader: ByteReader, trimmed: TrimOutcome[]): void {
    switch (entry) {
      case Entry.message:
        this.#addMessage(reader);
        break;
      case Entry.row:
        this.#addRow(readRow(reader));
        break;
      case Entry.sent:
        this.#markSent(reader);
        break;
      case Entry.moved:
        this.#move(reader);
        break;
      case Entry.removed:
        this.#remove(reader);
        break;
      default:
        this.#trim.apply(reader, trimmed);
    }
  }

  #applyToSession(entry: number, reader: ByteReader): void {
    const statements = this.#statements;
    switch (entry) {
      case Entry.session:
        this.#putSession(reader);
        break;
      case Entry.sessionEnded:
        this.#endSession(reader.readNumber());
        break;
      case Entry.subscribed:
        this.#subscribe(reader);
        break;
      case Entry.unsubscribed:
        statements.deleteSubscription.run(reader.readNumber(), reader.readText());
        break;
      case Entry.shared:
        statements.putShared.run(reader.readNumber(), reader.readText(), reader.readText());
        break;
      case Entry.sharedEnded:
        this.#endShared(reader.readNumber());
        break;
      case Entry.received:
        statements.putReceived.run(reader.readNumber(), reader.readUint32());
        break;
      case Entry.released:
        statements.deleteReceived.run(reader.readNumber(), reader.readUint32());
        break;
      case Entry.retained:
        statements.putRetained.run(...columnsOfMessage(readMessage(reader)));
        break;
      case Entry.retainedDeleted:
        statements.deleteRetained.run(reader.readText());
        break;
      default:
        assert(false, `a batch has no entry ${entry}`);
    }
  }

  #addMessage(reader: ByteReader): void {
    const message = reader.readNumber();
    const references = reader.readUint32();
    this.#statements.addMessage.run(message, references, ...columnsOfMessage(readMessage(reader)));
  }

  #addRow(row: StoredRow): void {
    this.#statements.addRow.run(
      row.queue,
      row.position,
      row.message,
      row.qos,
      row.retain ? 1 : 0,
      row.subscriptionIdentifiers.length === 0 ? "" : row.subscriptionIdentifiers.join(","),
      row.packetIdentifier,
      row.bytes,
      columnOfTime(row.expiresAt),
    );
    this.#trim.added(row);
  }

  #markSent(reader: ByteReader): void {
    const queue = reader.readNumber();
    const first = reader.readNumber();
    const count = reader.readUint32();
    const identifier = reader.readUint32();
    const last = first + count - 1;
    const { changes } = this.#statements.markSent.run(identifier - first, queue, first, last);
    assert(changes === count, "what is sent has waited");
    this.#trim.forget(queue);
  }

  #move(reader: ByteReader): void {
    const queue = reader.readNumber();
    const { changes } = this.#statements.deleteRow.run(queue, reader.readNumber());
    assert(changes === 1, "what is moved is there");
    this.#trim.forget(queue);
    this.#addRow(readRow(reader));
  }

  #remove(reader: ByteReader): void {
    const queue = reader.readNumber();
    const position = reader.readNumber();
    const count = reader.readUint32();
    this.#removal.remove({ queue, position, count, message: reader.readNumber() });
    this.#trim.forget(queue);
  }

  #putSession(reader: ByteReader): void {
    const flags = reader.readByte();
    const columns = [
      reader.readNumber(),
      reader.readText(),
      (flags & SessionFlag.isV5) === 0 ? 0 : 1,
      reader.readNumber(),
      columnOfTime(reader.readNumber()),
      (flags & SessionFlag.isConnected) === 0 ? 0 : 1,
    ];
    const userName = (flags & SessionFlag.hasUserName) === 0 ? null : reader.readText();
    const hasWill = (flags & SessionFlag.hasWill) !== 0;
    const will = hasWill ? this.#willColumns(reader) : noWill;
    this.#statements.putSession.run(...columns, ...will, userName);
  }

  #willColumns(reader: ByteReader) {
    const delaySeconds = reader.readNumber();
    const publishAt = columnOfTime(reader.readNumber());
    return [delaySeconds, publishAt, ...columnsOfMessage(readMessage(reader))];
  }

  #endSession(queue: number): void {
    const statements = this.#statements;
    const { changes } = statements.deleteSession.run(queue);
    assert(changes === 1, "what ends is there");
    statements.deleteSubscriptions.run(queue);
    statements.deleteAllReceived.run(queue);
    this.#removal.removeQueue(queue);
    this.#trim.forget(queue);
  }

  #endShared(queue: number): void {
    const { changes } = this.#statements.deleteShared.run(queue);
    assert(changes === 1, "what ends is there");
    this.#removal.removeQueue(queue);
    this.#trim.forget(queue);
  }

  #subscribe(reader: ByteReader): void {
    const queue = reader.readNumber();
    const options = reader.readByte();
    const identifier = reader.readUint32();
    const subscription: StoredSubscription = {
      filter: reader.readText(),
      qos: (options & 3) as QoS,
      noLocal: (options & SubscriptionOption.noLocal) !== 0,
      retainAsPublished: (options & SubscriptionOption.retainAsPublished) !== 0,
      retainHandling: (options >> SubscriptionOption.retainHandlingShift) as 0 | 1 | 2,
      identifier,
    };
    this.#statements.putSubscription.run(
      queue,
      subscription.filter,
      subscription.qos,
      subscription.noLocal ? 1 : 0,
      subscription.retainAsPublished ? 1 : 0,
      subscription.retainHandling,
      subscription.identifier,
    );
  }
}
