/**
 * Everything that is due at some time - keep alives, expiries, delayed wills - behind one timer of the clock.
 * A binary heap: the earliest is on top, moving or calling off one costs a handful of steps. One that fails is
 * logged and takes none of the others with it.
 */
import type { Clock, Log } from "../base/index.ts";

export interface Deadline {
  /** Milliseconds since 1970. */
  at: number;
  readonly due: () => void;
  /** Its place in the heap; -1 when it is not waiting. */
  place: number;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #heap: Deadline[] = [];
  #callOff: (() => void) | undefined;
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Calls `due` once, at `at` or soon after. */
  schedule(at: number, due: () => void): Deadline {
    const deadline: Deadline = { at, due, place: -1 };
    this.#insert(deadline);
    return deadline;
  }

  /** Sets a deadline anew, whether it waits or has been. */
  move(deadline: Deadline, at: number): void {
    this.cancel(deadline);
    deadline.at = at;
    this.#insert(deadline);
  }

  cancel(deadline: Deadline): void {
    const place = deadline.place;
    if (place < 0) return;
    deadline.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === deadline) return;
    this.#put(last, place);
    this.#settle(place);
  }

  /** What is due already does not wait for the clock. */
  runDue(): void {
    this.#callOff?.();
    this.#run();
  }

  /** Nothing is due any more. */
  clear(): void {
    for (const deadline of this.#heap) deadline.place = -1;
    this.#heap.length = 0;
    this.#callOff?.();
    this.#callOff = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }

  #insert(deadline: Deadline): void {
    this.#heap.push(deadline);
    deadline.place = this.#heap.length - 1;
    this.#settle(deadline.place);
    this.#arm();
  }

  #arm(): void {
    const earliest = this.#heap[0];
    if (earliest === undefined || earliest.at >= this.#armedFor) return;
    this.#callOff?.();
    this.#armedFor = earliest.at;
    this.#callOff = this.#clock.after(earliest.at - this.#clock.now(), () => this.#run());
  }

  #run(): void {
    this.#callOff = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    for (let top = this.#heap[0]; top !== undefined && top.at <= now; top = this.#heap[0]) {
      this.cancel(top);
      try {
        top.due();
      } catch (error) {
        this.#log.error({ error }, "a bug in tStack: what was due failed; please report it");
      }
    }
    this.#arm();
  }

  /** Moves what stands at `place` up or down to where it belongs. */
  #settle(place: number): void {
    const moved = this.#heap[place];
    let at = place;
    while (at > 0 && this.#heap[(at - 1) >> 1].at > moved.at) {
      this.#put(this.#heap[(at - 1) >> 1], at);
      at = (at - 1) >> 1;
    }
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && this.#heap[child + 1].at < this.#heap[child].at) child++;
      if (this.#heap[child].at >= moved.at) break;
      this.#put(this.#heap[child], at);
      at = child;
    }
    this.#put(moved, at);
  }

  #put(deadline: Deadline, place: number): void {
    this.#heap[place] = deadline;
    deadline.place = place;
  }
}
