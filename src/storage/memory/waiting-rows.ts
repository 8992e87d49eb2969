/**
 * The rows of one queue that wait, by position. They come mostly at the end and go mostly from the front, where a place
 * costs the same however many there are; in between it costs the way to the nearer end.
 */
import { assert } from "../../base/index.ts";
import type { QueuePage, StoredRow } from "../../broker/ports.ts";

const compactFrom = 1024;
const roomMin = 16;

export class WaitingRows {
  bytes = 0;
  /** Undefined before `#head`: rows that have gone are not held. */
  #slots: (StoredRow | undefined)[] = [];
  #head = 0;
  /** No row expires before. */
  #firstExpiresAt = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.#slots.length - this.#head;
  }

  get first(): StoredRow | undefined {
    return this.#slots[this.#head];
  }

  get last(): StoredRow | undefined {
    return this.#slots[this.#slots.length - 1];
  }

  add(row: StoredRow): void {
    const { last } = this;
    if (last === undefined || last.position < row.position) this.#slots.push(row);
    else this.#insert(row);
    this.bytes += row.bytes;
    if (row.expiresAt < this.#firstExpiresAt) this.#firstExpiresAt = row.expiresAt;
  }

  #insert(row: StoredRow): void {
    if (this.#head === 0) this.#makeRoom();
    const slots = this.#slots;
    const place = this.#findPlace(row.position);
    assert(slots[place]?.position !== row.position, "no two rows stand in one place");
    slots.copyWithin(this.#head - 1, this.#head, place);
    slots[place - 1] = row;
    this.#head--;
  }

  /** Before the first row. As long as it is in use it is less than half of all, so that it does not go at once again. */
  #makeRoom(): void {
    const room = Math.max(roomMin, this.#slots.length >> 1);
    this.#slots = new Array<StoredRow | undefined>(room).fill(undefined).concat(this.#slots);
    this.#head = room;
  }

  /** The index of the first row whose position is not lower than this one. */
  #findPlace(position: number): number {
    let low = this.#head;
    let high = this.#slots.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#slots[middle] as StoredRow).position < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  remove(position: number): StoredRow | undefined {
    const place = this.#findPlace(position);
    const row = this.#slots[place];
    if (row === undefined || row.position !== position) return undefined;
    const before = place - this.#head;
    if (before === 0) return this.shift();
    if (before < this.length >> 1) {
      this.#slots.copyWithin(this.#head + 1, this.#head, place);
      this.#slots[this.#head] = row;
      return this.shift();
    }
    this.#slots.splice(place, 1);
    this.bytes -= row.bytes;
    return row;
  }

  shift(): StoredRow | undefined {
    const row = this.#slots[this.#head];
    if (row === undefined) return undefined;
    this.#slots[this.#head++] = undefined;
    this.bytes -= row.bytes;
    if (this.#head === this.#slots.length) this.#replace([]);
    else if (this.#head >= compactFrom && this.#head * 2 >= this.#slots.length) {
      this.#replace(this.#slots.slice(this.#head));
    }
    return row;
  }

  pop(): StoredRow | undefined {
    if (this.length === 0) return undefined;
    const row = this.#slots.pop() as StoredRow;
    this.bytes -= row.bytes;
    return row;
  }

  /** Takes away and answers what has expired. */
  takeExpired(now: number): readonly StoredRow[] {
    if (this.#firstExpiresAt > now) return [];
    const rows = this.rows();
    const expired = rows.filter(({ expiresAt }) => expiresAt <= now);
    for (const row of expired) this.bytes -= row.bytes;
    this.#replace(rows.filter(({ expiresAt }) => expiresAt > now));
    this.#firstExpiresAt = this.findFirstExpiry();
    return expired;
  }

  findFirstExpiry(): number {
    return this.rows().reduce(
      (first, { expiresAt }) => Math.min(first, expiresAt),
      Number.POSITIVE_INFINITY,
    );
  }

  rows(): readonly StoredRow[] {
    return this.#slots.slice(this.#head) as StoredRow[];
  }

  readPage({ after, messagesMax, bytesMax }: QueuePage): readonly StoredRow[] {
    const page: StoredRow[] = [];
    let bytes = 0;
    let place = this.#findPlace(after);
    if (this.#slots[place]?.position === after) place++;
    while (place < this.#slots.length) {
      const row = this.#slots[place++] as StoredRow;
      page.push(row);
      bytes += row.bytes;
      if (page.length >= messagesMax || bytes >= bytesMax) break;
    }
    return page;
  }

  #replace(slots: (StoredRow | undefined)[]): void {
    this.#slots = slots;
    this.#head = 0;
  }
}
