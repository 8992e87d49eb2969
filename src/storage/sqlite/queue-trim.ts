/**
 * Drops what a queue has too much of. What waits in a queue that is trimmed is counted once and then remembered for as long
 * as rows only come: a full queue to which nobody listens costs no counting with each message.
 */
import type { TrimOutcome } from "../../broker/ports.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { RowRemoval } from "./row-removal.ts";
import type { Statements } from "./statements.ts";

interface Waiting {
  messages: number;
  bytes: number;
}

interface Row {
  readonly position: number;
  readonly message: number;
  readonly bytes: number;
}

interface Trim {
  readonly queue: number;
  readonly now: number;
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly drop: "newest" | "oldest";
}

const rememberedMax = 100_000;
const expiredRowsAtOnce = 10_000;

export class QueueTrim {
  readonly #statements: Statements;
  readonly #removal: RowRemoval;
  readonly #waiting = new Map<number, Waiting>();

  constructor(statements: Statements, removal: RowRemoval) {
    this.#statements = statements;
    this.#removal = removal;
  }

  apply(reader: ByteReader, outcomes: TrimOutcome[]): void {
    const trim: Trim = {
      queue: reader.readNumber(),
      now: reader.readNumber(),
      messagesMax: reader.readNumber(),
      bytesMax: reader.readNumber(),
      drop: reader.readByte() === 1 ? "oldest" : "newest",
    };
    const expired = this.#removeExpired(trim);
    const dropped = this.#drop(trim);
    if (expired.messages === 0 && dropped.messages === 0) return;
    outcomes.push({
      queue: trim.queue,
      expiredMessages: expired.messages,
      expiredBytes: expired.bytes,
      droppedMessages: dropped.messages,
      droppedBytes: dropped.bytes,
    });
  }

  added(row: { queue: number; packetIdentifier: number; bytes: number }): void {
    const waiting = this.#waiting.get(row.queue);
    if (waiting === undefined || row.packetIdentifier !== 0) return;
    waiting.messages++;
    waiting.bytes += row.bytes;
  }

  forget(queue: number): void {
    this.#waiting.delete(queue);
  }

  forgetAll(): void {
    this.#waiting.clear();
  }

  #removeExpired({ queue, now }: Trim): Waiting {
    const gone: Waiting = { messages: 0, bytes: 0 };
    for (;;) {
      const found = this.#statements.findExpired.all(queue, now, expiredRowsAtOnce);
      const rows = found.map((columns) => toRow(columns));
      this.#remove(queue, rows, gone);
      if (rows.length < expiredRowsAtOnce) break;
    }
    if (gone.messages > 0) this.forget(queue);
    return gone;
  }

  #drop({ queue, messagesMax, bytesMax, drop }: Trim): Waiting {
    const gone: Waiting = { messages: 0, bytes: 0 };
    const waiting = this.#waitingOf(queue);
    const isOver = () =>
      waiting.messages > messagesMax || (waiting.messages > 1 && waiting.bytes > bytesMax);
    if (!isOver()) return gone;
    const { findOldest, findNewest } = this.#statements;
    const rows: Row[] = [];
    for (const columns of (drop === "oldest" ? findOldest : findNewest).iterate(queue)) {
      const row = toRow(columns);
      rows.push(row);
      waiting.messages--;
      waiting.bytes -= row.bytes;
      if (!isOver()) break;
    }
    this.#remove(queue, rows, gone);
    return gone;
  }

  #waitingOf(queue: number): Waiting {
    const remembered = this.#waiting.get(queue);
    if (remembered !== undefined) return remembered;
    const [messages, bytes] = this.#statements.sumWaiting.get(queue) as unknown as number[];
    const waiting = { messages, bytes };
    if (this.#waiting.size === rememberedMax) this.#waiting.clear();
    this.#waiting.set(queue, waiting);
    return waiting;
  }

  /** In runs of rows that follow each other. */
  #remove(queue: number, rows: Row[], gone: Waiting): void {
    rows.sort((one, other) => one.position - other.position);
    let start = 0;
    for (let next = 1; next <= rows.length; next++) {
      const first = rows[start];
      const count = next - start;
      if (follows(first, rows[next], count)) continue;
      this.#removal.remove({ queue, position: first.position, count, message: first.message });
      start = next;
    }
    for (const { bytes } of rows) {
      gone.messages++;
      gone.bytes += bytes;
    }
  }
}

function follows(first: Row, row: Row | undefined, distance: number): boolean {
  return (
    row !== undefined &&
    row.position === first.position + distance &&
    row.message === first.message + distance
  );
}

function toRow(columns: unknown): Row {
  const [position, message, bytes] = columns as [number, number, number];
  return { position, message, bytes };
}
