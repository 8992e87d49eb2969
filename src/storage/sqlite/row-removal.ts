/**
 * Takes rows away, in runs where they come in runs, and with its last row each message. Rows and messages are counted as
 * they go: one that is not there is a bug of the broker.
 */
import { assert } from "../../base/index.ts";
import type { Statements } from "./statements.ts";

/** Rows that follow each other, whose messages do as well; or PUBRELs, whose message is 0. */
export interface RowRun {
  readonly queue: number;
  readonly position: number;
  readonly count: number;
  readonly message: number;
}

export class RowRemoval {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  remove({ queue, position, count, message }: RowRun): void {
    const { deleteRow, deleteRows } = this.#statements;
    const { changes } =
      count === 1
        ? deleteRow.run(queue, position)
        : deleteRows.run(queue, position, position + count - 1);
    assert(changes === count, "what is removed is there");
    if (message !== 0) this.#release(message, count);
  }

  /** One row less for each of them. */
  #release(first: number, count: number): void {
    const { deleteLastMessage, deleteLastMessages, releaseMessages } = this.#statements;
    const last = first + count - 1;
    const deleted =
      count === 1 ? deleteLastMessage.run(first) : deleteLastMessages.run(first, last);
    if (deleted.changes === count) return;
    const released = releaseMessages.run(first, last);
    assert(
      Number(deleted.changes) + Number(released.changes) === count,
      "a row's message is there",
    );
  }

  /** All rows of a queue; a message may be in it twice. */
  removeQueue(queue: number): void {
    const statements = this.#statements;
    const [messages] = statements.countMessagesOfQueue.get(queue) as unknown as [number];
    if (messages > 0) {
      const { changes } = statements.deleteMessagesOfQueue.run(queue);
      if (changes !== messages) {
        statements.releaseMessagesOfQueue.run(queue);
        statements.deleteReleasedOfQueue.run(queue);
      }
    }
    statements.deleteRowsOfQueue.run(queue);
  }
}
