/**
 * The database as the worker keeps it: a batch is one transaction, and before its commit it is made sure that the files are
 * still those that were opened, for SQLite would go on writing to files that nobody finds again.
 */
import type { DatabaseSync } from "node:sqlite";
import { TstackError } from "../../base/index.ts";
import type { QueuePage, RecordChange, StoredRecord, TrimOutcome } from "../../broker/ports.ts";
import { BatchApplication } from "./batch-application.ts";
import type { Columns } from "./columns.ts";
import { busyMilliseconds, openDatabase } from "./database.ts";
import { goneFailure } from "./failure.ts";
import { identityOf } from "./folder-files.ts";
import { encodePage } from "./page-form.ts";
import { prepareStatements, type Statements } from "./statements.ts";
import type { WorkerStart } from "./worker-messages.ts";

/** Pages of the log that are not in the database yet: as many as a disk writes without a wait that is noticed. */
const checkpointPages = 1000;

export class WorkerDatabase {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;
  readonly #application: BatchApplication;
  /** The files that must stay what they are. */
  readonly #identities: readonly (readonly [file: string, identity: string])[];
  /** How long the log may become before it is looked after. */
  #checkpointAt = checkpointPages;

  constructor({ file, durability, lockFile, lockIdentity }: WorkerStart) {
    this.#database = openDatabase(file, durability);
    this.#statements = prepareStatements(this.#database);
    this.#application = new BatchApplication(this.#statements);
    // Reading makes the log if it is not there.
    this.#statements.logPages.get();
    this.#identities = [
      [file, identityOf(file)],
      [`${file}-wal`, identityOf(`${file}-wal`)],
      [lockFile, lockIdentity],
    ];
  }

  commit(batch: ArrayBuffer): readonly TrimOutcome[] {
    return this.#change(() => this.#application.apply(batch));
  }

  writeRecords(changes: readonly RecordChange[]): void {
    const { putRecord, deleteRecord } = this.#statements;
    this.#change(() => {
      for (const { kind, name, value } of changes) {
        if (value === undefined) deleteRecord.run(kind, name);
        else putRecord.run(kind, name, value);
      }
    });
  }

  /** All of it or nothing. */
  #change<Outcome>(apply: () => Outcome): Outcome {
    const { begin, commit } = this.#statements;
    try {
      begin.run();
      const outcome = apply();
      this.#checkFiles();
      commit.run();
      return outcome;
    } catch (error) {
      this.#undo();
      throw error;
    }
  }

  /** Between batches, when nobody waits for an answer: takes the log into the database when it has become long. */
  checkpoint(): void {
    const pages = this.#logPages();
    if (pages < this.#checkpointAt) return;
    this.#database.exec("pragma wal_checkpoint(passive)");
    // A reader may hold it up: then it is tried again when as much has come.
    const [, log, done] = this.#statements.logPages.get() as unknown as number[];
    this.#checkpointAt = done === log ? checkpointPages : log + checkpointPages;
  }

  /** The disk is full: what stands in the log and in the database may need only one place. */
  makeRoom(): void {
    this.#database.exec("pragma busy_timeout = 0; pragma wal_checkpoint(truncate)");
    this.#database.exec(`pragma busy_timeout = ${busyMilliseconds}`);
  }

  readWaiting({ queue, after, messagesMax, bytesMax }: QueuePage): ArrayBuffer {
    const rows = this.#statements.readWaiting.iterate(queue, after, messagesMax);
    return encodePage(rows as Iterable<unknown> as Iterable<Columns>, bytesMax);
  }

  readUnderWay(queue: number): ArrayBuffer {
    const rows = this.#statements.readUnderWay.iterate(queue);
    return encodePage(rows as Iterable<unknown> as Iterable<Columns>, Number.POSITIVE_INFINITY);
  }

  readRecords(): StoredRecord[] {
    const rows = this.#statements.readRecords.all() as unknown as [string, string, string][];
    return rows.map(([kind, name, value]) => ({ kind, name, value }));
  }

  /** The last to close takes the log into the database. */
  close(): void {
    this.#database.close();
  }

  #logPages(): number {
    const [, log] = this.#statements.logPages.get() as unknown as number[];
    return log;
  }

  #undo(): void {
    this.#application.undone();
    if (this.#database.isTransaction) this.#statements.rollback.run();
  }

  #checkFiles(): void {
    const changed = this.#identities.find(([file, identity]) => identityOf(file) !== identity);
    if (changed === undefined) return;
    const { message } = goneFailure(changed[0]);
    throw new TstackError("STORAGE_GONE", message);
  }
}
