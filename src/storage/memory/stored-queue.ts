/**
 * The rows of one session or shared subscription: those that wait, in order, and those that are under way. A position
 * is taken by one row at most.
 */
import { assert } from "../../base/index.ts";
import type {
  QueuePage,
  StorageChange,
  StoredQueueFigures,
  StoredRow,
} from "../../broker/ports.ts";
import { WaitingRows } from "./waiting-rows.ts";

type Trimmed = Extract<StorageChange, { kind: "trimmed" }>;

export interface TrimmedRows {
  readonly expired: readonly StoredRow[];
  readonly dropped: readonly StoredRow[];
}

export class StoredQueue {
  readonly #waiting = new WaitingRows();
  readonly #underWay = new Map<number, StoredRow>();

  add(row: StoredRow): void {
    if (row.packetIdentifier === 0) {
      assert(row.message !== 0, "a PUBREL has a packet identifier");
      this.#waiting.add(row);
      return;
    }
    assert(!this.#underWay.has(row.position), "no two rows stand in one place");
    this.#underWay.set(row.position, row);
  }

  remove(position: number): StoredRow {
    const underWay = this.#underWay.get(position);
    if (underWay !== undefined) {
      this.#underWay.delete(position);
      return underWay;
    }
    const row = this.#waiting.remove(position);
    assert(row !== undefined, "what is removed is there");
    return row;
  }

  markSent(position: number, packetIdentifier: number): void {
    const row = this.#waiting.remove(position);
    assert(row !== undefined, "what is sent has waited");
    this.add({ ...row, packetIdentifier });
  }

  trim({ now, messagesMax, bytesMax, drop }: Trimmed): TrimmedRows {
    const waiting = this.#waiting;
    const expired = waiting.takeExpired(now);
    const dropped: StoredRow[] = [];
    while (waiting.length > messagesMax || (waiting.length > 1 && waiting.bytes > bytesMax)) {
      const row = drop === "oldest" ? waiting.shift() : waiting.pop();
      if (row === undefined) break;
      dropped.push(row);
    }
    return { expired, dropped };
  }

  readWaiting(page: QueuePage): readonly StoredRow[] {
    return this.#waiting.readPage(page);
  }

  readUnderWay(): readonly StoredRow[] {
    return [...this.#underWay.values()].sort((one, other) => one.position - other.position);
  }

  get figures(): StoredQueueFigures {
    const waiting = this.#waiting;
    const underWay = this.readUnderWay();
    const firsts = [waiting.first, underWay[0]];
    const lasts = [waiting.last, underWay.at(-1)];
    return {
      messages: waiting.length,
      bytes: waiting.bytes,
      firstExpiresAt: waiting.findFirstExpiry(),
      positionFirst: Math.min(...positionsOf(firsts)),
      positionLast: Math.max(...positionsOf(lasts)),
    };
  }

  *rows(): Iterable<StoredRow> {
    yield* this.#underWay.values();
    yield* this.#waiting.rows();
  }
}

/** Of a queue without rows: 0. */
function positionsOf(rows: readonly (StoredRow | undefined)[]): readonly number[] {
  const positions = rows.flatMap((row) => (row === undefined ? [] : row.position));
  return positions.length === 0 ? [0] : positions;
}
